import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder, TestRepository } from "../support/conveyor.ts";

/** Git processes that a further item may cost: the whole of it is ten questions. */
const GIT_PER_ITEM_MAX = 10;

/** A git that writes a line for every start and is the real one after that. */
function countingGit() {
  const folder = makeFolder();
  const log = join(folder, "log");
  const path = process.env["PATH"] ?? "";
  const shim = join(folder, "git");
  writeFileSync(shim, `#!/bin/sh\necho x >> '${log}'\nPATH='${path}' exec git "$@"\n`);
  chmodSync(shim, 0o755);
  return {
    env: { PATH: `${folder}:${path}` },
    /** How often it was started since the last time this was asked. */
    take(): number {
      const count = readFileSync(log, "utf8").split("\n").length - 1;
      rmSync(log);
      return count;
    },
  };
}

async function countStarts(items: number) {
  const rows = Array.from({ length: items }, (_, index) => ({ step_id: `0${index + 1}` }));
  const repository = new TestRepository({ rows });
  const git = countingGit();
  const run = await repository.run([], { env: git.env });
  expect(run.code, run.stderr).toBe(3);
  const inRun = git.take();
  const verified = await repository.conveyor(["verify"], { env: git.env });
  expect(verified.code, verified.stderr).toBe(0);
  const inVerify = git.take();
  const known = readdirSync(join(repository.runFolder(), "repo.git", "worktrees"));
  return { inRun, inVerify, known };
}

test("a further item starts ten git processes, verify starts none for it, and git forgets its worktrees", async () => {
  const [few, more] = [await countStarts(2), await countStarts(4)];
  expect((more.inRun - few.inRun) / 2).toBeLessThanOrEqual(GIT_PER_ITEM_MAX);
  expect(more.inVerify).toBe(few.inVerify);
  // What git knows is looked at around every program: it must not grow with the items that are done.
  expect(more.known).toEqual(few.known);
});
