import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../src/domain/digest.ts";
import { rulesOf } from "../../src/domain/item-rules.ts";
import { replayDecisions } from "../../src/domain/replay.ts";
import { parseSavedRun } from "../../src/domain/saved-run.ts";
import {
  auditorScript,
  buildPlan,
  GATES_OPEN,
  makeFolder,
  once,
  PLAN_PATH,
  TestRepository,
  type Ended,
  type JournalLine,
  type RepositoryInput,
  type Row,
} from "../support/conveyor.ts";
import { WAIT_FOR_TEST, waitForFile } from "../support/worlds.ts";

/** As source document 003 writes them: one that passes, one that a person signs off, one that needs something from outside. */
const PLAYBOOK = `# Rotate the keys

## 1. Context

Sessions are signed with one key. Two shall be accepted while one is replaced.

## 2. Items

| step_id | phase | action | why_now | owner_type | prerequisites | repo_surfaces | deliverable | exit_criteria | allowed_write_roots | requires_red_green | manual_gate | manual_gate_reason | manual_gate_evidence | external_check | external_dependencies | required_verification_commands |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
| 01 | build | Accept two keys | One is about to expire | developer | none | README.md | out/01.txt | both keys are accepted | out | no | none | | | none | | \`test -s out/01.txt\` |
| 02 | build | Sign with the new key | Old tokens run out | developer | 01 | README.md | out/02.txt | new tokens carry the new key | out | no | signoff | The key was made by hand | fingerprint | none | | \`test -s out/02.txt\` |
| 03 | docs | Write down the rotation | Auditors ask | writer | 02 | README.md | out/03.txt | the ticket is quoted | out | no | none | | | human_supplied_evidence_required | the ticket of the key ceremony | \`test -s out/03.txt\` |
`;

const EXECUTOR = `mkdir -p out
if test -n "\${ORCH_EVIDENCE_PATH-}"; then cat "$ORCH_EVIDENCE_PATH"/* > "out/$ORCH_ITEM_ID.txt"; else echo done > "out/$ORCH_ITEM_ID.txt"; fi
`;

const DECISION = ["--by", "Ada", "--note", "read and tried"];
const GATE_ROWS: Row[] = [{ step_id: "01", manual_gate: "signoff" }];
const EVIDENCE_ROWS: Row[] = [{ step_id: "01", external_check: "human_supplied_evidence_required" }];

function eventsOf(repository: TestRepository, type: string) {
  return repository.events().filter((event) => event.type === type);
}

function journalOf(repository: TestRepository): string {
  return readFileSync(join(repository.runFolder(), "run-events.jsonl"), "utf8");
}

function filesOf(event: JournalLine | undefined): readonly { path: string; sha256: string }[] {
  return (event?.details["files"] ?? []) as { path: string; sha256: string }[];
}

/** A run that waits at its gate, from its beginning. */
async function runToGate(input: RepositoryInput = {}) {
  const repository = new TestRepository({ rows: GATE_ROWS, ...input });
  const ended = await repository.run();
  expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }, ended.stderr).toEqual({
    code: 3,
    codes: ["ITEM_AWAITING_HUMAN_GATE"],
  });
  return decisionsOn(repository, ended.outcome.run_id);
}

function decisionsOn(repository: TestRepository, runId: string) {
  const decide = (verb: string, args: readonly string[] = DECISION, env: Record<string, string> = {}) =>
    repository.conveyor(["gate", verb, runId, "01", ...args], { env });
  return { repository, runId, decide };
}

/** Made once; each test decides on a copy. The executor writes its attempt, so that each gives another commit. */
const atGate = once(() => runToGate({ executor: 'mkdir -p out && echo "$ORCH_ATTEMPT" > out/01.txt\n' }));
const copyAtGate = async () => {
  const { repository, runId } = await atGate();
  return decisionsOn(new TestRepository({ copyOf: repository }), runId);
};

async function expectVerified(repository: TestRepository): Promise<void> {
  const verified = await repository.conveyor(["verify"]);
  expect({ code: verified.code, out: verified.code === 0 ? "" : verified.stdout }).toEqual({ code: 0, out: "" });
}

/** Where auditors of the playbook note what evidence their packet holds, outside of every run. */
const seen = join(makeFolder(), "seen");

/** The playbook at its sign-off: an item passed, one waits, one has not begun. Made once; whoever goes on takes a copy. */
const atSignoff = once(async () => {
  const auditor = `cat "$ORCH_PACKET_PATH"/evidence/* >> "${seen}" 2>/dev/null; ${auditorScript()}`;
  const repository = new TestRepository({
    executor: EXECUTOR,
    auditors: { careful: auditor, quick: auditor },
    files: { [PLAN_PATH]: PLAYBOOK },
  });
  return { repository, ended: await repository.run(GATES_OPEN) };
});

describe("a playbook of three items, through both stops to done", () => {
  let repository: TestRepository;
  const supplied = makeFolder();
  let requested: Record<string, unknown>;
  let runId: string;

  test("stops at the sign-off: asked with type, reason, evidence, commit and packet", async () => {
    const { repository: stopped, ended } = await atSignoff();
    repository = new TestRepository({ copyOf: stopped });
    runId = ended.outcome.run_id;
    expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }).toEqual({
      code: 3,
      codes: ["ITEM_AWAITING_HUMAN_GATE"],
    });
    expect(ended.outcome.items.map((item) => item.terminal_state)).toEqual(["passed", "awaiting_human_gate", null]);
    expect(ended.outcome.next_actions[0]?.command).toContain(`conveyor gate approve ${runId} 02`);
    requested = eventsOf(repository, "gate_requested")[0]?.details ?? {};
    expect(requested).toMatchObject({
      gate_type: "signoff",
      reason: "The key was made by hand",
      required_evidence: "fingerprint",
    });
    expect(requested["commit"]).toBe(eventsOf(repository, "packet_frozen")[1]?.details["commit"]);
    expect(repository.report().gate_decisions).toEqual([]);
  });

  test.each([
    ["nothing", {}, []],
    ["its type", { gate_type: "custom" }, ["otherwise than was due"]],
    ["its reason", { reason: "Nothing was made by hand" }, ["otherwise than was due"]],
    ["the evidence", { required_evidence: "none" }, ["otherwise than was due"]],
    ["the findings", { finding_ids: ["F-1"] }, ["otherwise than was due"]],
  ])("verify tells what a person was asked from what the plan asks: %s is another", (_what, lie, faults) => {
    const bytes = (name: string): Uint8Array => readFileSync(join(repository.runFolder(), name));
    const saved = parseSavedRun({
      journal: bytes("run-events.jsonl"),
      plan: bytes("normalized_plan.json"),
      policy: bytes("policy.json"),
    });
    if (!saved.ok) throw new Error(saved.error.message);
    const { journal, config, plan } = saved.value;
    const told = journal.events.map((event) =>
      event.type === "gate_requested"
        ? { ...event, details: { ...event.details, ...lie } as typeof event.details }
        : event,
    );
    const found = replayDecisions(told, rulesOf(config, plan), plan).map(({ message }) => message);
    expect(found).toEqual(faults.map((fault) => expect.stringContaining(fault) as string));
  });

  test("a resume without a decision does nothing", async () => {
    const before = journalOf(repository);
    const ended = await repository.resume(GATES_OPEN);
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain("ITEM_AWAITING_HUMAN_GATE");
    expect(journalOf(repository)).toBe(before);
  });

  test("approved, it passes with the very commit that was audited, and the next item waits before any worktree", async () => {
    const approved = await repository.conveyor(["gate", "approve", runId, "02", ...DECISION]);
    expect(approved.code).toBe(0);
    const ended = await repository.resume(GATES_OPEN);
    expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }).toEqual({
      code: 3,
      codes: ["ITEM_BLOCKED_EXTERNAL"],
    });
    expect(ended.outcome.items).toMatchObject([
      { terminal_state: "passed" },
      { terminal_state: "passed", attempts: 1 },
      { terminal_state: "blocked_external", attempts: 0 },
    ]);
    expect(repository.report().items[1]?.commit).toBe(requested["commit"]);
    expect(ended.outcome.head_sha).toBe(requested["commit"]);
    expect(eventsOf(repository, "session_started").map((event) => event.item_id)).toEqual(["01", "02"]);
    expect(ended.outcome.next_actions[0]?.command).toBe(`conveyor resume ${runId} --evidence-dir DIR`);
  });

  test("with the evidence all items pass, and whatever gate option is left out blocks with its code alone", async () => {
    writeFileSync(join(supplied, "ticket.txt"), "KEY-17\n");
    const options = [
      ["--policy-status", "allow", "GATE_POLICY_DENIED_OR_UNKNOWN"],
      ["--ci-status", "success", "GATE_CI_NOT_SUCCESS"],
      ["--review-status", "approved", "GATE_REVIEW_NOT_APPROVED"],
    ] as const;
    // None of them, which brings the evidence too, and then all but one; every set there is: domain/gates.
    for (const set of [0, 0b110, 0b101, 0b011]) {
      const given = options.filter((_, index) => (set & (1 << index)) !== 0);
      const missing = options.filter((option) => !given.includes(option)).map(([, , code]) => code);
      const evidence = set === 0 ? ["--evidence-dir", supplied] : [];
      const ended = await repository.resume([...evidence, ...given.flatMap(([name, value]) => [name, value])]);
      expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }, ended.stderr).toEqual({
        code: 3,
        codes: missing,
      });
    }
    const done = await repository.resume(GATES_OPEN);
    expect({ code: done.code, state: done.outcome.terminal_state }).toEqual({ code: 0, state: "done" });
    expect(done.outcome.items.map((item) => item.attempts)).toEqual([1, 1, 1]);
    await expectVerified(repository);
  });

  test("the evidence was copied, digested, and given to executor and both auditors", () => {
    const [event] = eventsOf(repository, "evidence_supplied");
    const [file] = filesOf(event);
    expect(file?.sha256).toBe(sha256("KEY-17\n"));
    expect(readFileSync(join(repository.runFolder(), file?.path ?? ""), "utf8")).toBe("KEY-17\n");
    expect(repository.git("show", `${repository.report().branch}:out/03.txt`)).toBe("KEY-17");
    expect(readFileSync(seen, "utf8")).toBe("KEY-17\nKEY-17\n");
    const manifests = eventsOf(repository, "packet_frozen").map((packet) =>
      filesOf(packet).some(({ path }) => path.endsWith("/evidence/ticket%2Etxt")),
    );
    expect(manifests).toEqual([false, false, true]);
  });
});

/** A folder of what is no evidence: a link, a pipe, nothing, and more than can be copied. */
function makeOddFiles(): string {
  const folder = makeFolder();
  symlinkSync("/etc/hostname", join(folder, "link"));
  execFileSync("mkfifo", [join(folder, "pipe")]);
  for (const name of ["empty", "huge"]) writeFileSync(join(folder, name), "");
  truncateSync(join(folder, "huge"), 3 * 1024 ** 3);
  return folder;
}

describe("who may decide, and when", () => {
  let waiting: Awaited<ReturnType<typeof runToGate>>;
  beforeAll(async () => {
    waiting = await copyAtGate();
  });

  const missing = join(makeFolder(), "missing.txt");
  const odd = makeOddFiles();
  test.each<[string, string, readonly string[], Record<string, string>, string]>([
    ["from inside a program of a run", "approve", DECISION, { ORCH_RUN_ID: "RUN" }, "ORCH_RUN_ID"],
    ["in a job", "approve", DECISION, { GITHUB_ACTIONS: "true" }, "GITHUB_ACTIONS"],
    ["in a job that says no", "reject", DECISION, { GITHUB_ACTIONS: "false" }, "GITHUB_ACTIONS"],
    ["with evidence that does not exist", "approve", [...DECISION, "--evidence", missing], {}, missing],
    ["with evidence that is a folder", "reject", [...DECISION, "--evidence", makeFolder()], {}, "is no plain file"],
    ["with evidence that is a link", "approve", [...DECISION, "--evidence", join(odd, "link")], {}, "is a link"],
    ["with a pipe", "approve", [...DECISION, "--evidence", join(odd, "pipe")], {}, "is no plain file"],
    ["with a device", "approve", [...DECISION, "--evidence", "/dev/zero"], {}, "is no plain file"],
    ["with evidence that holds nothing", "approve", [...DECISION, "--evidence", join(odd, "empty")], {}, "is empty"],
    ["with a file of 3 GiB", "reject", [...DECISION, "--evidence", join(odd, "huge")], {}, "is larger than"],
    ["by nobody", "approve", ["--by", " ", "--note", "x"], {}, "--by"],
    ["with a note that says nothing", "approve", ["--by", "Ada", "--note", " "], {}, "--note"],
    ["without a note", "approve", ["--by", "Ada"], {}, "--note"],
    ["to reopen what is open", "reopen", DECISION, {}, "nothing to reopen"],
  ])("refused %s: exit 2, nothing changed", async (_name, verb, args, env, says) => {
    const before = journalOf(waiting.repository);
    const refused = await waiting.decide(verb, args, env);
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: "" });
    expect(refused.stderr).toContain(says);
    expect(journalOf(waiting.repository)).toBe(before);
  });

  test.each([
    ["an item that the run does not have", "07", "the run has no item 07"],
    ["no such run", undefined, "no such run"],
  ])("refused for %s", async (_name, item, says) => {
    const run = item === undefined ? "RUN_20200101T000000Z_00000000" : waiting.runId;
    const refused = await waiting.repository.conveyor(["gate", "approve", run, item ?? "01", ...DECISION]);
    expect({ code: refused.code, says: refused.stderr.includes(says) }).toEqual({ code: 2, says: true });
  });

  test("refused with two evidence files of one name", async () => {
    const [one, two] = [makeFolder(), makeFolder()].map((folder) => join(folder, "same.txt"));
    for (const path of [one, two]) writeFileSync(path ?? "", "x");
    const refused = await waiting.decide("approve", [...DECISION, "--evidence", one ?? "", "--evidence", two ?? ""]);
    expect({ code: refused.code, says: refused.stderr.includes("different names") }).toEqual({ code: 2, says: true });
  });

  test("refused for an item that passed, and one that has not begun", async () => {
    const { repository, ended } = await atSignoff();
    for (const [item, is] of [
      ["01", "passed"],
      ["03", "not begun"],
    ] as const) {
      const refused = await repository.conveyor(["gate", "approve", ended.outcome.run_id, item, ...DECISION]);
      expect({ code: refused.code, says: refused.stderr.includes(is) }, refused.stderr).toEqual({
        code: 2,
        says: true,
      });
    }
  });
});

describe("on a run that has not stopped", () => {
  const signals = makeFolder();
  const rows: Row[] = [{ step_id: "01" }];
  const repository = new TestRepository({ rows, executor: `${WAIT_FOR_TEST}mkdir -p out; echo done > out/01.txt\n` });
  let running: { child: { kill(signal: NodeJS.Signals): boolean }; ended: Promise<Ended> };

  beforeAll(async () => {
    running = repository.start(["run", PLAN_PATH, "--executor-env", `SIGNALS=${signals}`]);
    await waitForFile(join(signals, "begun-01"));
  });
  afterAll(() => writeFileSync(join(signals, "go-01"), ""));

  test("running, then killed: refused, nothing changed", async () => {
    for (const state of ["running", "killed"]) {
      if (state === "killed") {
        running.child.kill("SIGKILL");
        await running.ended;
      }
      const before = journalOf(repository);
      const refused = await repository.conveyor(["gate", "approve", runIdOf(repository), "01", ...DECISION]);
      expect(
        {
          code: refused.code,
          says: refused.stderr.includes("has not stopped") || refused.stderr.includes("waits for no decision"),
        },
        state,
      ).toEqual({ code: 2, says: true });
      expect(journalOf(repository)).toBe(before);
    }
  });
});

function runIdOf(repository: TestRepository): string {
  return (JSON.parse(journalOf(repository).split("\n")[0] ?? "{}") as { run_id: string }).run_id;
}

describe("rejected, reopened, approved", () => {
  test("a rejection is final until it is reopened; nothing is run again for it", async () => {
    const { repository, runId, decide } = await copyAtGate();
    const proof = join(makeFolder(), "proof.txt");
    writeFileSync(proof, "the wrong key\n");
    const rejected = await decide("reject", ["--by", "Ada", "--note", "wrong key", "--evidence", proof]);
    expect({ code: rejected.code, says: rejected.stdout }).toMatchObject({
      code: 0,
      says: expect.stringContaining("rejected by Ada (local-unverified)") as string,
    });
    rmSync(proof);

    const [decided] = eventsOf(repository, "gate_decided");
    expect(decided?.details).toMatchObject({
      decision: "rejected",
      by: "Ada",
      note: "wrong key",
      authority: "local-unverified",
    });
    const [file] = filesOf(decided);
    expect(file?.sha256).toBe(sha256("the wrong key\n"));
    expect(readFileSync(join(repository.runFolder(), file?.path ?? ""), "utf8")).toBe("the wrong key\n");
    expect(repository.report().blocked_reason_codes).toEqual(["ITEM_GATE_REJECTED"]);
    expect(repository.report().next_actions[0]?.command).toContain(`conveyor gate reopen ${runId} 01`);
    await expectVerified(repository);

    const before = journalOf(repository);
    for (const args of [[], GATES_OPEN, ["--new-attempt", "01"]]) {
      const ended = await repository.resume([...args]);
      expect({ code: ended.code, says: ended.stderr.includes("ITEM_GATE_REJECTED") }, args.join(" ")).toEqual({
        code: 3,
        says: true,
      });
    }
    for (const verb of ["approve", "reject"]) {
      const again = await decide(verb);
      expect({ code: again.code, says: again.stderr.includes("was rejected by Ada already") }).toEqual({
        code: 2,
        says: true,
      });
    }
    expect(journalOf(repository)).toBe(before);

    expect((await decide("reopen", ["--by", "Bob", "--note", "looked again"])).code).toBe(0);
    expect(repository.report().blocked_reason_codes).toEqual(["ITEM_AWAITING_HUMAN_GATE"]);
    expect((await repository.resume(GATES_OPEN)).code).toBe(3);
    expect((await decide("approve")).code).toBe(0);
    expect(repository.report().next_actions[0]?.command).toBe(`conveyor resume ${runId}`);
    const twice = await decide("approve");
    expect({ code: twice.code, says: twice.stderr.includes("was approved by Ada already") }).toEqual({
      code: 2,
      says: true,
    });
    const anew = await repository.resume(["--new-attempt", "01"]);
    expect({ code: anew.code, says: anew.stderr.includes("is approved") }).toEqual({ code: 2, says: true });

    const done = await repository.resume(GATES_OPEN);
    expect({ code: done.code, items: done.outcome.items }).toMatchObject({
      code: 0,
      items: [{ terminal_state: "passed", attempts: 1 }],
    });
    // The commit that was decided about, below the one that closes the run.
    expect(repository.git("rev-parse", `${done.outcome.head_sha}~1`)).toBe(
      eventsOf(repository, "gate_requested")[0]?.details["commit"],
    );
    expect(eventsOf(repository, "session_started")).toHaveLength(1);
    expect(eventsOf(repository, "audit_started")).toHaveLength(1);
    await expectVerified(repository);
    const late = await decide("reject");
    expect({ code: late.code, says: late.stderr.includes("passed") }).toEqual({ code: 2, says: true });
  }, 180_000);

  test("a new attempt instead of a decision asks for a gate of its own, for another commit", async () => {
    const { repository, decide } = await copyAtGate();
    const again = await repository.resume(["--new-attempt", "01"]);
    expect({ code: again.code, codes: again.outcome.blocked_reason_codes }).toEqual({
      code: 3,
      codes: ["ITEM_AWAITING_HUMAN_GATE"],
    });
    const commits = eventsOf(repository, "gate_requested").map((event) => event.details["commit"]);
    expect(new Set(commits).size).toBe(2);
    expect((await decide("approve")).code).toBe(0);
    const done = await repository.resume(GATES_OPEN);
    expect(repository.git("rev-parse", `${done.outcome.head_sha}~1`)).toBe(commits[1]);
    await expectVerified(repository);
  });

  test("where GitHub must vouch for who decides, a local decision is shown and does not count", async () => {
    // Low risk: an approval of medium risk in the environment does not count there either.
    const plan = buildPlan(GATE_ROWS).replace("## 2. Items", "## 1. Metadata\n\n- Risk-Tier: low\n\n## 2. Items");
    const { repository, decide } = await runToGate({
      files: { [PLAN_PATH]: plan },
      configLines: ["policy: {require-github-identity: true}"],
    });
    for (const verb of ["approve", "reject"]) {
      const decided = await decide(verb);
      expect({ code: decided.code, says: decided.stdout.includes("does not count") }).toEqual({ code: 0, says: true });
    }
    const ended = await repository.resume(GATES_OPEN);
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain(
      "rejected by Ada (local-unverified), which does not count: policy.require-github-identity",
    );
    expect(ended.outcome.items).toMatchObject([{ terminal_state: "awaiting_human_gate" }]);
    expect(ended.outcome.blocked_reason_codes).toEqual(["ITEM_AWAITING_HUMAN_GATE"]);
    await expectVerified(repository);
  });
});

describe("evidence", () => {
  const waiting = once(async () => {
    const repository = new TestRepository({ rows: EVIDENCE_ROWS, executor: EXECUTOR });
    const ended = await repository.run();
    expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }, ended.stderr).toEqual({
      code: 3,
      codes: ["ITEM_BLOCKED_EXTERNAL"],
    });
    return repository;
  });
  const copyWaiting = async () => new TestRepository({ copyOf: await waiting() });

  test("refused when missing, empty, or more than plain files; nothing changed", async () => {
    const repository = await copyWaiting();
    const [empty, nested, linked, ofItem] = [makeFolder(), makeFolder(), makeFolder(), makeFolder()];
    mkdirSync(join(nested, "logs"));
    symlinkSync("/etc/hostname", join(linked, "link"));
    const odd = ["link", "pipe", "empty", "huge"].map((name) => {
      const [from, to] = [makeOddFiles(), makeFolder()];
      renameSync(join(from, name), join(to, name));
      return to;
    });
    for (const folder of [nested, linked]) writeFileSync(join(folder, "a.txt"), "a");
    // DIR/<item>/ is what counts when it is there, also when it is empty.
    mkdirSync(join(ofItem, "01"));
    writeFileSync(join(ofItem, "other.txt"), "of something else");
    const before = journalOf(repository);
    for (const folder of [join(empty, "missing"), empty, nested, linked, ofItem, ...odd]) {
      const refused = await repository.resume(["--evidence-dir", folder, ...GATES_OPEN]);
      expect({ code: refused.code, says: refused.stderr.includes("--evidence-dir: expected") }, refused.stderr).toEqual(
        { code: 2, says: true },
      );
    }
    const without = await repository.resume(GATES_OPEN);
    expect({ code: without.code, says: without.stderr.includes("ITEM_BLOCKED_EXTERNAL") }).toEqual({
      code: 3,
      says: true,
    });
    expect(journalOf(repository)).toBe(before);
  });

  // In DIR/<item>/, beside a file that is of no item; both tests read what became of it.
  const handedIn = once(async () => {
    const repository = await copyWaiting();
    const folder = makeFolder();
    mkdirSync(join(folder, "01"));
    const names = ["鍵".repeat(70), `${"鍵".repeat(69)}匙`, "a".repeat(255)];
    for (const [index, name] of names.entries()) writeFileSync(join(folder, "01", name), `${index}\n`);
    writeFileSync(join(folder, "stray.txt"), "stray\n");
    const done = await repository.resume(["--evidence-dir", folder, ...GATES_OPEN]);
    expect(done.code, done.stderr).toBe(0);
    const written = repository.git("show", `${done.outcome.branch}:out/01.txt`).split("\n").sort();
    return { repository, folder, written };
  });

  test("keeps files whose names are too long for the run folder, each under a name of its own", async () => {
    const { repository, written } = await handedIn();
    expect(new Set(filesOf(eventsOf(repository, "evidence_supplied")[0]).map(({ path }) => path)).size).toBe(3);
    expect(written).toEqual(["0", "1", "2"]);
    await expectVerified(repository);
  });

  test("of DIR/<item>/ alone when there is such a folder", async () => {
    const { repository, folder, written } = await handedIn();
    const digests = filesOf(eventsOf(repository, "evidence_supplied")[0]).map((file) => file.sha256);
    expect(digests.toSorted()).toEqual(["0\n", "1\n", "2\n"].map((text) => sha256(text)).toSorted());
    expect(written).not.toContain("stray");
    const none = await repository.resume(["--evidence-dir", folder]);
    expect({ code: none.code, says: none.stderr.includes("no item waits for evidence") }).toEqual({
      code: 2,
      says: true,
    });
  });

  test("when several wait all of DIR is refused, and each gets its own folder", async () => {
    const blocked =
      'test "$ORCH_ITEM_ID$ORCH_EVIDENCE_PATH" != "$ORCH_ITEM_ID" || { echo \'{"status":"blocked"}\' > "$ORCH_RESULT_PATH"; exit 0; }\n';
    const repository = new TestRepository({
      rows: [{ step_id: "01" }, { step_id: "02" }],
      executor: `${blocked}${EXECUTOR}`,
    });
    await repository.run(["--item", "02"]);
    killBeforeStop(repository);
    const both = await repository.resume();
    expect(both.outcome.items.map((item) => item.terminal_state)).toEqual(["blocked_external", "blocked_external"]);
    const folder = makeFolder();
    writeFileSync(join(folder, "all.txt"), "all\n");
    const refused = await repository.resume(["--evidence-dir", folder]);
    expect({ code: refused.code, says: refused.stderr.includes("01, 02") }, refused.stderr).toEqual({
      code: 2,
      says: true,
    });
    for (const item of ["01", "02"]) {
      mkdirSync(join(folder, item));
      writeFileSync(join(folder, item, "own.txt"), `of ${item}\n`);
    }
    const done = await repository.resume(["--evidence-dir", folder, ...GATES_OPEN]);
    expect(done.code, done.stderr).toBe(0);
    for (const item of ["01", "02"])
      expect(repository.git("show", `${done.outcome.branch}:out/${item}.txt`)).toBe(`of ${item}`);
    await expectVerified(repository);
  });

  test("an executor that is blocked again with evidence in hand waits again, for more", async () => {
    const repository = new TestRepository({
      executor: `echo '{"status":"blocked"}' > "$ORCH_RESULT_PATH"\n`,
    });
    await repository.run();
    const folder = makeFolder();
    writeFileSync(join(folder, "a.txt"), "a");
    const again = await repository.resume(["--evidence-dir", folder]);
    expect({ code: again.code, items: again.outcome.items }).toMatchObject({
      code: 3,
      items: [{ terminal_state: "blocked_external", attempts: 2 }],
    });
    const before = journalOf(repository);
    expect((await repository.resume()).code).toBe(3);
    expect(journalOf(repository)).toBe(before);
    await expectVerified(repository);
  });

  test("a resume killed between the evidence and its own first event is gone on with, without handing it in again", async () => {
    const repository = await copyWaiting();
    const folder = makeFolder();
    const before = join(makeFolder(), "before");
    writeFileSync(join(folder, "a.txt"), "a\n");
    cpSync(repository.runFolder(), before, { recursive: true });
    await repository.resume(["--evidence-dir", folder, "--deliver", "none"]);
    const [supplied] = eventsOf(repository, "evidence_supplied");
    const run = repository.runFolder();
    const journal = linesBefore(repository, "run_resumed");
    for (const { path } of filesOf(supplied)) cpSync(join(run, path), join(before, path));
    rmSync(run, { recursive: true });
    cpSync(before, run, { recursive: true });
    writeFileSync(join(run, "run-events.jsonl"), journal);
    rmSync(folder, { recursive: true });
    const done = await repository.resume(GATES_OPEN);
    expect(done.code, done.stderr).toBe(0);
    await expectVerified(repository);
  });
});

/** Makes the run folder what a kill right after the last settlement leaves. */
function killBeforeStop(repository: TestRepository): void {
  cutJournalBefore(repository, "run_stopped");
}

/** Makes the run folder what a kill right before an event leaves: a journal that ends there, and a checkpoint that is gone. */
function cutJournalBefore(repository: TestRepository, type: string): void {
  const folder = repository.runFolder();
  writeFileSync(join(folder, "run-events.jsonl"), linesBefore(repository, type));
  rmSync(join(folder, "orchestrator_checkpoint.json"));
}

function linesBefore(repository: TestRepository, type: string): string {
  const lines = journalOf(repository).split("\n").filter(Boolean);
  const at = lines.findIndex((line) => (JSON.parse(line) as { type: string }).type === type);
  return `${lines.slice(0, at).join("\n")}\n`;
}
