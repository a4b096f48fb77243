import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { watchRunner } from "../../src/effects/runner-watch.ts";
import type { RunRepository, TamperSnapshot, Worktree } from "../../src/ports/git.ts";
import { makeFolder } from "../support/conveyor.ts";

const worktree: Worktree = { name: "w", path: "/nowhere" };

/** The comparison of git's metadata that the watch adds to: here nothing of git changes. */
const quiet = {
  snapshot: async () => Object.freeze({}) as TamperSnapshot,
  compareSnapshot: async () => [],
} as unknown as RunRepository;

test("S-23: a change of our own code is found, and stays found", async () => {
  const code = makeFolder();
  writeFileSync(join(code, "action.js"), "honest\n");
  const watched = watchRunner(quiet, { GITHUB_ACTIONS: "true" }, code);
  const before = await watched.snapshot(worktree);
  expect(await watched.compareSnapshot(before, worktree)).toEqual([]);
  appendFileSync(join(code, "action.js"), "evil\n");
  for (const snapshot of [before, await watched.snapshot(worktree)])
    expect((await watched.compareSnapshot(snapshot, worktree)).map(({ kind }) => kind)).toEqual(["action-files"]);
});

test("nothing is looked at where no runner is", () => {
  expect(watchRunner(quiet, { GITHUB_ENV: "/nowhere" }, "/nowhere")).toBe(quiet);
});

test("a file that only a variable names is watched too", async () => {
  const folder = makeFolder();
  const path = join(folder, "env");
  mkdirSync(join(folder, "code"));
  writeFileSync(path, "A=1\n");
  const watched = watchRunner(quiet, { GITHUB_ACTIONS: "true", GITHUB_ENV: path }, join(folder, "code"));
  const before = await watched.snapshot(worktree);
  appendFileSync(path, "B=2\n");
  expect(await watched.compareSnapshot(before, worktree)).toEqual([{ kind: "runner-files", detail: "env changed" }]);
  expect(readFileSync(path, "utf8")).toBe("A=1\n");
});
