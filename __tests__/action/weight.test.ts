import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { CLI, makeFolder, PLAN_PATH, ROOT, startProcess, TestRepository } from "../support/conveyor.ts";
import { ResultsService } from "../support/results-service.ts";
import { ACTION, JobRunner } from "../support/runner.ts";

/** What the Action may load before it uploads anything, and what all of it may weigh, in bytes. */
const LOADED_BYTES_MAX = 1024 * 1024;
/** What the command line may load to say its version: no schema, no parser of anything but its arguments. */
const CLI_BYTES_MAX = 100_000;
const START_BYTES_MAX = 40_000;
const DIST_BYTES_MAX = 3 * 1024 * 1024;

const HOOK = join(ROOT, "__tests__", "support", "note-loads.mjs");

async function listLoads(runner: JobRunner, inputs: Record<string, string>): Promise<string[]> {
  const file = join(makeFolder(), "loads");
  const ended = await runner.step(inputs, { nodeArgs: ["--import", HOOK], env: { CONVEYOR_LOADS: file } });
  expect([0, 1]).toContain(ended.code);
  return readLoads(file);
}

function readLoads(file: string): string[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((url) => url !== "" && !url.endsWith("note-loads.mjs"))
    .map((url) => fileURLToPath(url));
}

const weigh = (paths: readonly string[]): number => paths.reduce((sum, path) => sum + statSync(path).size, 0);

test("a run loads less than a megabyte before its artifact is uploaded", async () => {
  const results = await ResultsService.start();
  const runner = new JobRunner(new TestRepository().path, results.env());
  const given = { plan: PLAN_PATH, gates: "inputs", "policy-status": "deny" };
  const loads = await listLoads(runner, given);
  expect(results.artifacts).toHaveLength(1);
  const upload = loads.findIndex((path) => basename(path).startsWith("chunk-artifact"));
  expect(upload).toBeGreaterThan(0);
  expect(loads[0]).toBe(ACTION);
  expect(weigh(loads.slice(0, upload))).toBeLessThanOrEqual(LOADED_BYTES_MAX);
});

test("wrong inputs are told before the rest is loaded", async () => {
  const loads = await listLoads(new JobRunner(makeFolder()), { command: "rum" });
  expect(weigh(loads)).toBeLessThanOrEqual(START_BYTES_MAX);
});

test("the command line reads its arguments before the rest is loaded", async () => {
  const file = join(makeFolder(), "loads");
  const env = { PATH: process.env["PATH"] ?? "", CONVEYOR_LOADS: file };
  const args = ["--import", HOOK, CLI, "--version"];
  expect((await startProcess(process.execPath, args, { cwd: makeFolder(), env }).ended).code).toBe(0);
  expect(weigh(readLoads(file))).toBeLessThanOrEqual(CLI_BYTES_MAX);
});

test("the whole of dist stays small", () => {
  const dist = join(ROOT, "dist");
  expect(weigh(readdirSync(dist).map((name) => join(dist, name)))).toBeLessThanOrEqual(DIST_BYTES_MAX);
});
