import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { git } from "./git-run.ts";
import type { Ended, JournalLine, Outcome, TestRepository } from "./conveyor.ts";

/** What the closing commit of a run of `PLAN_PATH` adds, and nothing else. */
export const EVIDENCE_PATH = "docs/exec-plans/evidence-index/test-plan.md";

/** `conveyor run` or `resume` somewhere else than in the repository's own checkout, and what it printed. */
export async function conveyorAt(
  repository: TestRepository,
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended & { outcome: Outcome }> {
  const ended = await repository.conveyor([...args, "--format", "json"], { cwd, env });
  const line = ended.stdout.split("\n")[0] ?? "";
  return { ...ended, outcome: (line === "" ? {} : JSON.parse(line)) as Outcome };
}

/** The events of a run folder. */
export function readEvents(runFolder: string): JournalLine[] {
  return readFileSync(join(runFolder, "run-events.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as JournalLine);
}

/** A repository like another, with its files and one commit, made with other options of `git init`. */
export function makeTwin(of: TestRepository, name: string, initArgs: readonly string[] = []): string {
  const path = join(of.base, name);
  mkdirSync(path, { recursive: true });
  git(path, "init", "--quiet", "--initial-branch=main", ...initArgs);
  for (const entry of readdirSync(of.path)) {
    if (entry !== ".git" && entry !== ".conveyor") cpSync(join(of.path, entry), join(path, entry), { recursive: true });
  }
  git(path, "add", "--all");
  git(path, "commit", "--quiet", "-m", "start");
  return path;
}

/** Waits until a file is there that a program of the test writes; gives up with the test's own limit. */
export async function waitForFile(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Bash that says it has begun and waits, at most a minute, until the test lets it go on. Needs `SIGNALS`. */
export const WAIT_FOR_TEST = [
  'touch "$SIGNALS/begun-$ORCH_ITEM_ID"',
  'for _ in $(seq 1200); do if test -e "$SIGNALS/go-$ORCH_ITEM_ID"; then break; fi; sleep 0.05; done',
  'test -e "$SIGNALS/go-$ORCH_ITEM_ID"',
  "",
].join("\n");
