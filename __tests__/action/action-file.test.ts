import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { INPUTS } from "../../src/action/input-specs.ts";
import { buildArtifactOutputs, buildRunOutputs } from "../../src/action/outputs.ts";
import type { RunState } from "../../src/domain/run.ts";
import { ROOT } from "../support/conveyor.ts";
import { readActionFile } from "../support/runner.ts";

const file = readActionFile();

/** Rows of a table of the reference, the name without its code span. */
function rowsOf(heading: string): string[][] {
  const text = readFileSync(join(ROOT, "docs", "action-reference.md"), "utf8");
  const section = text.slice(text.indexOf(`## ${heading}\n`)).split("\n## ")[0] ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split(/(?<!\\)\|/).map((part) => part.trim()))
    .map(([, name = "", ...rest]) => [name.replaceAll("`", ""), ...rest]);
}

const oneLine = (text: string): string => text.trim().replaceAll(/\s+/g, " ").replaceAll("|", "\\|");

test("action.yml is what a marketplace and a runner ask for", () => {
  expect(file.runs).toEqual({ using: "node24", main: "dist/action.js" });
  expect(file.branding).toEqual({ icon: "check-square", color: "blue" });
  expect(file.name).toBe("Plan Conveyor");
  expect(file.author).not.toBe("");
  expect(file.description.length).toBeLessThanOrEqual(125);
  for (const { description } of [...Object.values(file.inputs), ...Object.values(file.outputs)])
    expect(description).toMatch(/[.`]$/);
});

test("the inputs of action.yml are those that are read, with the same defaults", () => {
  const declared = Object.entries(file.inputs).map(([name, { default: value }]) => [name, value]);
  const read = Object.entries(INPUTS).map(([name, { fallback }]) => [
    name,
    name === "github-token" ? "${{ github.token }}" : fallback,
  ]);
  expect(declared).toEqual(read);
});

test("the reference lists every input and output in the words of action.yml", () => {
  const inputs = Object.entries(file.inputs).map(([name, { default: value, description }]) => [
    name,
    value === "" ? "" : `\`${value}\``,
    oneLine(description),
    "",
  ]);
  const outputs = Object.entries(file.outputs).map(([name, { description }]) => [name, oneLine(description), ""]);
  expect(rowsOf("Inputs")).toEqual(inputs);
  expect(rowsOf("Outputs")).toEqual(outputs);
});

test("every output of action.yml is written by something, and nothing else is", () => {
  const state = { executions: [], created: {}, runId: "r", planId: "p", tip: "t" } as unknown as RunState;
  const artifact = { name: "n", id: 1, url: "u", digest: "d", packSha256: "s" };
  const written = [...Object.keys(buildRunOutputs(state, "f")), ...Object.keys(buildArtifactOutputs(artifact))];
  const others = ["preflight-path", "preflight-sha256", "pull-request-number"];
  expect(new Set([...written, ...others])).toEqual(new Set(Object.keys(file.outputs)));
});

test("the bundle that action.yml names is there", () => {
  expect(existsSync(join(ROOT, file.runs.main))).toBe(true);
});
