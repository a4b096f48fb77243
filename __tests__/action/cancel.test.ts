import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder, PLAN_PATH, TestRepository } from "../support/conveyor.ts";
import { eventually } from "../support/faults.ts";
import { JobRunner } from "../support/runner.ts";

const SEALED_WITHIN_MS = 5_000;

test("R-12: a runner's cancellation, SIGINT and 7.5 s later SIGTERM: sealed in time, a deaf program ended", async () => {
  const place = makeFolder();
  const executor = `trap "" TERM INT; echo $$ > ${place}/pid; while true; do sleep 600; done\n`;
  const runner = new JobRunner(new TestRepository({ executor }).path);
  const given = { plan: PLAN_PATH, gates: "inputs", "upload-artifact": "false" };
  const { child, result } = runner.start(given);
  expect(await eventually(() => existsSync(join(place, "pid")), 50_000)).toBe(true);
  const start = performance.now();
  child.kill("SIGINT");
  const term = setTimeout(() => child.kill("SIGTERM"), 7_500);
  const ended = await result;
  clearTimeout(term);
  expect(performance.now() - start).toBeLessThan(SEALED_WITHIN_MS);
  expect(ended.code, ended.stdout).toBe(1);
  expect(ended.outputs).toMatchObject({ "terminal-state": "", handoff: "false" });
  // What is said of the end stands outside of the group of the stage.
  expect(ended.commands.findLast(({ name }) => name.endsWith("group"))).toMatchObject({ name: "endgroup" });
  const report = JSON.parse(readFileSync(ended.outputs["report-path"] ?? "", "utf8")) as { interrupted_by: string };
  expect(report.interrupted_by).toBe("SIGINT");
  expect(existsSync(`/proc/${readFileSync(join(place, "pid"), "utf8").trim()}`)).toBe(false);
});

test("max-minutes: the run seals and hands off, green", async () => {
  const executor = "sleep 600\n";
  const runner = new JobRunner(new TestRepository({ executor }).path);
  const given = { plan: PLAN_PATH, gates: "inputs", "upload-artifact": "false", "max-minutes": "0.1" };
  const ended = await runner.step(given);
  expect(ended.code, ended.stdout).toBe(0);
  expect(ended.outputs).toMatchObject({ handoff: "true", "terminal-state": "", "blocked-reason-codes": "[]" });
});
