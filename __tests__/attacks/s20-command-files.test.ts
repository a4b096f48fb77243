import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeFolder, PLAN_PATH, TestRepository } from "../support/conveyor.ts";
import { JobRunner, type StepResult } from "../support/runner.ts";

const OPEN = { gates: "inputs", "policy-status": "allow", "ci-status": "success", "review-status": "approved" };

/** Attacks by name; `$FILES` is the runner's folder, which a program finds by looking although no variable names it. */
const ATTACKS: readonly (readonly [name: string, script: string, finding: string])[] = [
  ["a variable for later steps", 'for f in "$FILES"/set_env_*; do echo LD_PRELOAD=/tmp/x.so >> "$f"; done', "set_env_"],
  ["a folder before all others on PATH", 'for f in "$FILES"/add_path_*; do echo /tmp/evil >> "$f"; done', "add_path_"],
  [
    "an output that says the gates passed",
    'for f in "$FILES"/set_output_*; do echo terminal-state=done >> "$f"; done',
    "set_output_",
  ],
  ["state for a later phase", 'for f in "$FILES"/save_state_*; do echo x=y >> "$f"; done', "save_state_"],
  ["a summary of its own", 'for f in "$FILES"/step_summary_*; do echo "# all is well" >> "$f"; done', "step_summary_"],
  ["a file that was not there", 'echo x=y > "$FILES/set_env_more"', "set_env_more added"],
  ["a file taken away", 'rm "$FILES"/set_output_*', "removed"],
  ["a link in its place", 'for f in "$FILES"/set_env_*; do rm "$f"; ln -s /etc/hostname "$f"; done', "set_env_"],
];

function findingOf(runner: JobRunner): string {
  const [folder = ""] = runner.runFolders();
  const lines = readFileSync(join(folder, "run-events.jsonl"), "utf8").split("\n");
  const finished = lines.find((line) => line.includes('"type":"session_finished"')) ?? "";
  return JSON.stringify((JSON.parse(finished) as { details: { tamper: unknown } }).details.tamper);
}

function expectEscalated(result: StepResult): void {
  expect(result.code, result.stdout + result.stderr).toBe(1);
  expect(JSON.parse(result.outputs["blocked-reason-codes"] ?? "[]")).toContain("GIT_TAMPERED");
  expect(result.outputs["terminal-state"]).toBe("failed");
  expect(result.exported).toBe("");
}

describe("S-20: the runner's command files, found although no variable names them", () => {
  test.each(ATTACKS)("%s: put back as it was, and the session's work is not used", async (_name, script, finding) => {
    const place = makeFolder();
    const repository = new TestRepository({
      executor: `mkdir -p out; echo done > out/01.txt; FILES=$(cat ${place}/files)\n${script}\n`,
    });
    const runner = new JobRunner(repository.path);
    writeFileSync(join(place, "files"), join(runner.temp, "_runner_file_commands"));
    const ended = await runner.step({ plan: PLAN_PATH, ...OPEN, "upload-artifact": "false" });
    expectEscalated(ended);
    expect(findingOf(runner)).toContain('"kind":"runner-files"');
    expect(findingOf(runner)).toContain(finding);
    expect(readdirSync(join(runner.temp, "_runner_file_commands"))).toHaveLength(5);
    expect(ended.summary).not.toContain("# all is well");
  });
});
