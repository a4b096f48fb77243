import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { GATES_OPEN } from "../support/conveyor.ts";
import { makeAudited } from "../support/two-lanes.ts";

const repository = makeAudited({ rows: [{ step_id: "01" }, { step_id: "02" }] });
let done: string;
let waiting: string;
let part: string;

beforeAll(async () => {
  done = (await repository.run(GATES_OPEN)).outcome.run_id;
  waiting = (await repository.run()).outcome.run_id;
  part = (await repository.run(["--item", "01"])).outcome.run_id;
}, 60_000);

test("every run has a line, oldest first, with its verdict", async () => {
  const ended = await repository.conveyor(["status", "--all"]);
  expect(ended.code).toBe(0);
  const lines = ended.stdout.trimEnd().split("\n");
  expect(lines.map((line) => line.split("  ")[0])).toEqual([done, waiting, part]);
  expect(lines[0]).toMatch(/ {2}done \(/);
  expect(lines[1]).toContain("GATE_CI_NOT_SUCCESS");
  expect(lines[2]).toContain("handoff");
});

test("as JSON each run is one object, the same that status of that run gives", async () => {
  const all = (await repository.conveyor(["status", "--all", "--format", "json"])).stdout.trimEnd().split("\n");
  const single = await Promise.all(
    [done, waiting, part].map((run) => repository.conveyor(["status", run, "--format", "json"])),
  );
  expect(all).toEqual(single.map(({ stdout }) => stdout.trimEnd()));
});

test("--exit-code is that of the run that needs somebody most", async () => {
  const only = makeAudited();
  expect((await only.conveyor(["status", "--all", "--exit-code"])).code).toBe(0);
  await only.run(GATES_OPEN);
  expect((await only.conveyor(["status", "--all", "--exit-code"])).code).toBe(0);
  expect((await repository.conveyor(["status", "--all", "--exit-code"])).code).toBe(3);
});

test("with a run beside --all it is a usage error", async () => {
  expect((await repository.conveyor(["status", done, "--all"])).code).toBe(2);
});

test("a run that cannot be believed has a line too, hides no other, and gives exit 1", async () => {
  appendFileSync(join(repository.path, ".conveyor/runs", waiting, "run-events.jsonl"), "garbage\n");
  const ended = await repository.conveyor(["status", "--all"]);
  expect(ended.code).toBe(1);
  expect(ended.stdout).toMatch(new RegExp(`^${waiting} {2}JOURNAL_CORRUPT run-events.jsonl: line`, "m"));
  expect(ended.stdout.trimEnd().split("\n")).toHaveLength(3);
});
