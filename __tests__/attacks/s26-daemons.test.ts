import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive } from "../effects/bench.ts";
import { AttackedRepository, expectRefused, WORK } from "../support/attacks.ts";

/** A program that writes its pid, then rewrites a file of the worktree every 100 ms. */
const LOOP = 'echo $$ > "$1"; while :; do echo daemon > out/01.txt; sleep 0.1; done';

/** Ways to live on; `PID` stands for the file of the pid. */
const KINDS: readonly (readonly [kind: string, script: string])[] = [
  ["setsid", 'setsid bash -c "$LOOP" d PID > /dev/null 2>&1 < /dev/null &'],
  ["nohup", 'nohup bash -c "$LOOP" d PID > /dev/null 2>&1 < /dev/null &'],
  ["a double fork", '(setsid bash -c "$LOOP" d PID > /dev/null 2>&1 < /dev/null &) &'],
  ["an empty environment", 'setsid env -i PATH="$PATH" bash -c "$LOOP" d PID > /dev/null 2>&1 < /dev/null &'],
  [
    "no parent, no session, no environment, no signal that it would heed",
    '(setsid env -i PATH="$PATH" bash -c "trap \'\' TERM HUP INT; $LOOP" d PID > /dev/null 2>&1 < /dev/null &) & disown -a',
  ],
];

function listPids(repository: AttackedRepository): number[] {
  const folder = join(repository.base, "pids");
  return existsSync(folder) ? readdirSync(folder).map((name) => Number(readFileSync(join(folder, name), "utf8"))) : [];
}

describe("S-26: a process that outlives its program and goes on writing", () => {
  test.each(KINDS)("%s", async (_kind, script) => {
    const repository = new AttackedRepository();
    const pid = join(repository.base, "pids", "1");
    try {
      const attacked = await repository.untouched(() =>
        repository.attack(
          `${WORK}; mkdir -p "${join(repository.base, "pids")}"; LOOP='${LOOP}'\n${script.replace("PID", pid)}\nuntil test -s "${pid}"; do sleep 0.01; done`,
        ),
      );
      expectRefused(repository, attacked, ["PROCESS_SURVIVED"]);
      expect(attacked.events.map(({ type }) => type)).not.toContain("candidate_built");
      expect(listPids(repository)).toHaveLength(1);
      expect(listPids(repository).filter(isAlive)).toEqual([]);
    } finally {
      for (const left of listPids(repository).filter(isAlive)) process.kill(left, "SIGKILL");
    }
  });

  test("left by a required command: it is ended, and what it writes cannot enter the candidate", async () => {
    const daemon = (pid: string): string =>
      `(setsid env -i PATH="$PATH" bash -c '${LOOP}' d ${pid} > /dev/null 2>&1 < /dev/null &)`;
    const repository = new AttackedRepository({
      rows: [{ step_id: "01", required_verification_commands: "bash out/check.sh" }],
    });
    const pid = join(repository.base, "pids", "1");
    try {
      const check = `mkdir -p "${join(repository.base, "pids")}"\n${daemon(pid)}\nuntil test -s "${pid}"; do sleep 0.01; done\n`;
      const attacked = await repository.untouched(
        () => repository.attack(`${WORK}\ncat > out/check.sh << 'END'\n${check}END`),
        { delivers: true },
      );
      expect(attacked.code, attacked.stderr).toBe(0);
      expect(repository.git("show", `${attacked.outcome.branch}:out/01.txt`)).toBe("done");
      expect(listPids(repository).filter(isAlive)).toEqual([]);
      expect((await repository.conveyor(["verify"])).code).toBe(0);
    } finally {
      for (const left of listPids(repository).filter(isAlive)) process.kill(left, "SIGKILL");
    }
  });
});
