import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** A folder that `.ci/run` names: the results are then written there as JSON as well. */
const reportFolder = process.env["CONVEYOR_TEST_REPORTS"];

/** `npm run test:long`: campaigns with their full numbers. */
const isLong = process.env["CONVEYOR_LONG"] === "1";

/** Where Linux keeps files in memory, and how much of it the repositories of all tests may take at once. */
const MEMORY_FOLDER = "/dev/shm";
const MEMORY_BYTES_MIN = 4 * 2 ** 30;

/**
 * Repositories of tests lie in memory where there is room, since a third of what a run costs is the disk, and most tests
 * do not ask anything of it. The system suites keep to the disk, and so does whoever names a `TMPDIR`.
 */
function hasRoomInMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    return bavail * bsize >= MEMORY_BYTES_MIN && canExecuteIn(MEMORY_FOLDER);
  } catch {
    return false;
  }
}

/** Containers mount it so that nothing there may be started. */
function canExecuteIn(folder: string): boolean {
  const own = mkdtempSync(join(folder, "conveyor-try-"));
  try {
    const program = join(own, "program");
    writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
    return spawnSync(program).status === 0;
  } finally {
    rmSync(own, { recursive: true });
  }
}
if (process.env["TMPDIR"] === undefined && hasRoomInMemory()) process.env["TMPDIR"] = MEMORY_FOLDER;

/** Tests of functions, which share nothing but the modules they load: a process for each file would be most of their cost. */
const PURE = ["__tests__/domain/**/*.test.ts", "__tests__/render/**/*.test.ts"];

/** Folders whose files start the command line again and again, the slowest first; all others are done in no time. */
const SLOW = ["faults", "workflows", "cli", "action", "attacks", "kernel", "fuzz", "effects"];

/** Slow files first: two workers then end together, and none waits for one that the other began last. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = SLOW.indexOf(relative("__tests__", moduleId).split("/")[0] ?? "");
      return at === -1 ? SLOW.length : at;
    };
    return (await super.sort(files)).toSorted((left, right) => rank(left) - rank(right));
  }
}

/** `npm test`: everything that needs Node and git alone. */
export default defineConfig({
  // The parser that is inlined below names sources in its maps that its package does not have: a line for each file.
  logLevel: "error",
  test: {
    projects: [
      { extends: true, test: { name: "pure", include: PURE, isolate: false } },
      {
        extends: true,
        test: { name: "whole", include: ["__tests__/**/*.test.ts"], exclude: ["__tests__/system/**", ...PURE] },
      },
    ],
    reporters: reportFolder ? ["default", ["json", { outputFile: `${reportFolder}/test.json` }]] : ["default"],
    testTimeout: isLong ? 4 * 60 * 60 * 1000 : 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    // GitHub's own parser imports its schema as Node does not: without the attribute that says it is JSON.
    server: { deps: { inline: [/@actions\/(workflow-parser|expressions)/] } },
    // One core would be left idle otherwise, and most tests wait for processes of their own.
    maxWorkers: "100%",
    sequence: { sequencer: SlowFirst },
  },
});
