import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { CLI, TestRepository } from "../support/conveyor.ts";

const PROFILE = "several people (team)? ";
const WRITE = "Write these files? [y/N] ";
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

interface TerminalEnd {
  readonly code: number | null;
  readonly said: string;
}

/** Starts `conveyor init` on a terminal that `script` (bsdutils) makes, and types each answer when it is asked for. */
async function initOnTerminal(repository: TestRepository, answers: readonly (readonly [string, string])[]) {
  const command = `"${process.execPath}" "${CLI}" init`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: repository.path,
    env: repository.env({ TERM: "xterm", SHELL: "/bin/sh" }),
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  const waiting = [...answers];
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
    const [next] = waiting;
    if (next === undefined || !said.includes(next[0])) return;
    waiting.shift();
    child.stdin.write(next[1]);
  });
  return await new Promise<TerminalEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, said }));
  });
}

/** A repository in which nothing of Plan Conveyor lies. */
function makeBare(): TestRepository {
  const repository = new TestRepository();
  repository.git("rm", "-rq", ".");
  repository.commit("empty");
  return repository;
}

const leavings = (repository: TestRepository): string[] =>
  readdirSync(repository.path).filter((name) => name !== ".git");

describe("conveyor init on a terminal", () => {
  test.each([
    ["solo", "Y\r", /self: true/],
    ["team", "yes\r", /reviews: \{ count: 1 \}/],
  ])("asks who maintains it (%s) and whether to write, and writes what it showed", async (profile, yes, config) => {
    const repository = makeBare();
    const ended = await initOnTerminal(repository, [
      [PROFILE, `${profile}\r`],
      [WRITE, yes],
    ]);
    expect(ended.code, ended.said).toBe(0);
    expect(ended.said).toContain("written; next:");
    const written = readFileSync(join(repository.path, ".github/conveyor.yml"), "utf8");
    expect(written).toMatch(config);
    // Shown before it was written.
    const shown = ended.said.slice(0, ended.said.indexOf(WRITE)).replaceAll("\r", "");
    for (const line of written.split("\n")) expect(shown).toContain(line.trimEnd());
  });

  test.each([
    [
      "a no",
      [
        [PROFILE, "team\r"],
        [WRITE, "\r"],
      ],
      0,
      "nothing was written",
    ],
    ["another word", [[PROFILE, "nobody\r"]], 2, "expected solo or team; nothing was written"],
    [
      "Ctrl-C at the first question",
      [[PROFILE, CTRL_C]],
      130,
      "interrupted before there was an answer; nothing was done",
    ],
    [
      "Ctrl-C at the second",
      [
        [PROFILE, "solo\r"],
        [WRITE, CTRL_C],
      ],
      130,
      "interrupted before there was an answer",
    ],
    [
      "the end of the input",
      [
        [PROFILE, "solo\r"],
        [WRITE, CTRL_D],
      ],
      0,
      "nothing was written",
    ],
  ] as const)("%s leaves nothing", async (_what, answers, code, said) => {
    const repository = makeBare();
    const ended = await initOnTerminal(repository, answers);
    expect([ended.code, ended.said]).toEqual([code, expect.stringContaining(said)]);
    expect(ended.said).not.toContain("conveyor failed");
    expect(leavings(repository)).toEqual([]);
  });
});
