import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildCheckpoint } from "../../src/domain/checkpoint.ts";
import { rulesOf } from "../../src/domain/item-rules.ts";
import { sha256 } from "../../src/domain/digest.ts";
import { ImpossibleEventError } from "../../src/domain/item-steps.ts";
import { buildEventLine, JOURNAL_START, parseJournal } from "../../src/domain/journal-text.ts";
import type { EventDraft, JournalEvent } from "../../src/domain/journal.ts";
import type { Plan } from "../../src/domain/plan.ts";
import { replayDecisions } from "../../src/domain/replay.ts";
import { foldRun } from "../../src/domain/run.ts";
import { isWhole, parseSavedRun, type SavedRun } from "../../src/domain/saved-run.ts";
import { GATES_OPEN, TestRepository } from "../support/conveyor.ts";
import {
  BASE,
  buildPlan,
  chain,
  DETAILS,
  draft,
  execution,
  EXIT_1,
  passingItem,
  RULES,
  toBytes,
} from "./run-fixtures.ts";
import { created, delivered, doneRun, inStage, trustRead } from "./run-story.ts";

interface RealRun {
  readonly events: readonly JournalEvent[];
  readonly plan: Plan;
  readonly saved: SavedRun;
}

function read(repository: TestRepository): RealRun {
  const folder = repository.runFolder();
  const bytes = (name: string): Uint8Array => readFileSync(join(folder, name));
  const saved = parseSavedRun({
    journal: bytes("run-events.jsonl"),
    plan: bytes("normalized_plan.json"),
    policy: bytes("policy.json"),
  });
  if (!saved.ok) throw new Error(saved.error.message);
  return { events: saved.value.journal.events, plan: saved.value.plan, saved: saved.value };
}

/** A run that fails its verification once, stops after its first item, hands off, waits at the gates and is done. */
async function longRun(): Promise<RealRun> {
  const repository = new TestRepository({
    rows: [{ step_id: "01", required_verification_commands: "grep -q good out/01.txt" }, { step_id: "02" }],
    configLines: ["validation: {commands: [[test, -f, out/02.txt]]}"],
    executor: [
      "mkdir -p out",
      'case "$ORCH_ITEM_ID:$ORCH_ROUND:$ORCH_SESSION" in',
      "  01:1:*) echo bad > out/01.txt ;;",
      "  01:*) echo good > out/01.txt ;;",
      "  02:1:1) echo half > out/02.txt; exit 75 ;;",
      "  *) echo whole > out/02.txt ;;",
      "esac",
      "",
    ].join("\n"),
  });
  expect((await repository.run(["--item", "01"])).code).toBe(75);
  expect((await repository.resume()).code).toBe(3);
  expect((await repository.resume(GATES_OPEN)).code).toBe(0);
  return read(repository);
}

/** A run of which one item leaves its scope, is given up, and opened again by a person. */
async function escalatedRun(): Promise<RealRun> {
  const repository = new TestRepository({
    configLines: ["limits: {fix-rounds: 1}"],
    executor: 'mkdir -p out && echo x > out/01.txt\n[ "$ORCH_ATTEMPT" -gt 3 ] || echo x > elsewhere.txt\n',
  });
  expect((await repository.run()).code).toBe(1);
  expect((await repository.resume(["--new-attempt", "01", ...GATES_OPEN])).code).toBe(0);
  return read(repository);
}

const [LONG, ESCALATED] = await Promise.all([longRun(), escalatedRun()]);

/** Numbers and chains events anew, so that only what they say can give them away. */
function rechain(events: readonly JournalEvent[]): JournalEvent[] {
  let prev = JOURNAL_START;
  return events.map((event, index) => {
    const linked = { ...event, seq: index + 1, prev };
    prev = sha256(buildEventLine(linked));
    return linked;
  });
}

/** True when journal, fold or replay finds something. */
function isRefused(events: readonly JournalEvent[], { plan, saved }: RealRun): boolean {
  const rules = rulesOf(saved.config, saved.plan);
  const parsed = parseJournal(toBytes(rechain(events)));
  if (!parsed.ok) return true;
  try {
    foldRun(parsed.value.events, rules);
  } catch (fault) {
    if (fault instanceof ImpossibleEventError) return true;
    throw fault;
  }
  return replayDecisions(parsed.value.events, rules, plan).length > 0;
}

const name = (event: JournalEvent): string => `${event.seq} ${event.type}`;

/** Changes of one event that make it say something else happened or was decided. */
const LIES: Partial<Record<JournalEvent["type"], readonly ((details: never) => unknown)[]>> = {
  stage_started: [(details: { stage: string }) => ({ stage: details.stage === "closure" ? "planning" : "closure" })],
  stage_finished: [(details: { stage: string }) => ({ stage: details.stage === "closure" ? "planning" : "closure" })],
  attempt_opened: [
    (details: object) => ({ ...details, attempt: 9 }),
    (details: object) => ({ ...details, round: 9 }),
    (details: object) => ({ ...details, base_commit: "f".repeat(40) }),
  ],
  session_started: [
    (details: object) => ({ ...details, session: 9 }),
    (details: object) => ({ ...details, attempt: 9 }),
    (details: object) => ({ ...details, round: 9 }),
    (details: { kind: string }) => ({ ...details, kind: details.kind === "fix" ? "execute" : "fix" }),
  ],
  session_finished: [
    (details: object) => ({ ...details, ending: { kind: "exited", exit_code: 1 } }),
    (details: object) => ({ ...details, ending: { kind: "timed_out", timeout_ms: 1 } }),
    (details: object) => ({ ...details, tamper: [{ kind: "refs", detail: "d" }] }),
    (details: object) => ({ ...details, survivors: [{ pid: 2, command: "x" }] }),
    (details: object) => ({ ...details, payload: { kind: "malformed", message: "m" } }),
    (details: object) => ({ ...details, attempt: 9 }),
  ],
  candidate_built: [
    (details: object) => ({ ...details, commit: "f".repeat(40) }),
    (details: object) => ({ ...details, round: 9 }),
    (details: object) => ({ ...details, attempt: 9 }),
    (details: object) => ({ ...details, base_commit: "f".repeat(40) }),
    (details: { violations: unknown[] }) => ({
      ...details,
      violations: details.violations.length === 0 ? [{ code: "PATH_UNSAFE", path: "p", detail: "d" }] : [],
    }),
  ],
  verification_started: [(details: object) => ({ ...details, commit: "f".repeat(40) })],
  verification_finished: [
    (details: object) => ({ ...details, commit: "f".repeat(40) }),
    (details: { commands: { ending: { exit_code: number } }[] }) => ({
      ...details,
      commands: details.commands.map((command) => ({
        ...command,
        ending: { kind: "exited", exit_code: command.ending.exit_code === 0 ? 1 : 0 },
      })),
    }),
    (details: object) => ({
      ...details,
      artifacts: [{ path: "a", status: "present" }],
      prepare_ending: { kind: "cancelled" },
    }),
  ],
  packet_frozen: [
    (details: object) => ({ ...details, tree: "f".repeat(40) }),
    (details: object) => ({ ...details, commit: "f".repeat(40) }),
    (details: object) => ({ ...details, packet_sha256: "f".repeat(64) }),
    (details: object) => ({ ...details, round: 9 }),
  ],
  audit_started: [
    (details: object) => ({ ...details, packet_sha256: "f".repeat(64) }),
    (details: { lanes: object[] }) => ({ ...details, lanes: details.lanes.slice(1) }),
    (details: { lanes: object[] }) => ({ ...details, lanes: details.lanes.map((lane) => ({ ...lane, nonce: "x" })) }),
  ],
  audit_finished: [
    (details: object) => ({ ...details, packet_sha256: "f".repeat(64) }),
    (details: object) => ({ ...details, checkout_changed: true }),
    (details: object) => ({ ...details, tamper: [{ kind: "refs", detail: "d" }] }),
    ...[
      { nonce: "x" },
      { lane: "nobody" },
      { ending: { kind: "exited", exit_code: 1 } },
      { survivors: [{ pid: 2, command: "x" }] },
      { facts: { kind: "rejected", why: "no JSON" } },
      { facts: { kind: "read", verdict: "inconclusive", summary: "", limitations: [], findings: [] } },
    ].map((lie) => (details: { lanes: object[] }) => ({
      ...details,
      lanes: details.lanes.map((lane, index) => (index === 0 ? { ...lane, ...lie } : lane)),
    })),
  ],
  findings_merged: [(details: object) => ({ ...details, round: 9 }), (details: object) => ({ ...details, attempt: 9 })],
  closing_prepared: [
    (details: object) => ({ ...details, parent: "f".repeat(40) }),
    (details: object) => ({ ...details, commit: "f".repeat(40) }),
  ],
  closing_committed: [(details: object) => ({ ...details, commit: "f".repeat(40) })],
  item_commit_prepared: [
    (details: object) => ({ ...details, tree: "f".repeat(40) }),
    (details: object) => ({ ...details, parent: "f".repeat(40) }),
    (details: object) => ({ ...details, commit: "f".repeat(40) }),
    (details: object) => ({ ...details, attempt: 9 }),
  ],
  item_settled: [
    (details: { terminal_state: string }) => ({
      ...details,
      terminal_state: details.terminal_state === "passed" ? "escalated" : "passed",
    }),
    (details: object) => ({ ...details, reason_codes: ["LOCKED"], terminal_state: "escalated" }),
    (details: object) => ({ ...details, commit: "f".repeat(40) }),
  ],
  validation_started: [(details: object) => ({ ...details, commit: "f".repeat(40) })],
  validation_finished: [
    (details: object) => ({ ...details, commit: "f".repeat(40) }),
    (details: object) => ({ ...details, prepare_ending: { kind: "exited", exit_code: 1 } }),
  ],
  trust_read: [
    (details: object) => ({ ...details, plan_sha256: null }),
    (details: object) => ({ ...details, policy_sha256: "f".repeat(64) }),
    (details: object) => ({ ...details, base_contained: false }),
    (details: object) => ({ ...details, stage: "validation" }),
    (details: object) => ({ ...details, approvals: [] }),
  ],
  delivery_started: [
    (details: object) => ({ ...details, head: "f".repeat(40) }),
    (details: object) => ({ ...details, branch: "main" }),
  ],
  delivery_finished: [
    (details: object) => ({ ...details, head: "f".repeat(40) }),
    (details: object) => ({ ...details, branch: "main" }),
  ],
  gates_evaluated: [
    (details: object) => ({ ...details, simulate_blocked: true }),
    (details: object) => ({ ...details, head: "f".repeat(40) }),
    (details: object) => ({ ...details, signals: { policy: "deny", ci: "success", review: "approved" } }),
    (details: { decisions: { passed: boolean }[] }) => ({
      ...details,
      decisions: details.decisions.map((gate) => ({ ...gate, passed: !gate.passed })),
    }),
  ],
  run_stopped: [
    (details: { terminal_state: string | null }) => ({
      ...details,
      kind: "terminal",
      terminal_state: details.terminal_state === "done" ? "blocked" : "done",
    }),
    (details: object) => ({ ...details, kind: "terminal", terminal_state: "timeout" }),
    (details: object) => ({ ...details, reason_codes: ["LOCKED"] }),
    (details: object) => ({ ...details, kind: "handoff", terminal_state: null, signal: "SIGTERM" }),
  ],
};

describe.each([
  ["a long run", LONG],
  ["a run with an item given up", ESCALATED],
] as const)("the journal of %s", (_what, run) => {
  const { events } = run;

  it("is what the machine would have written, and so is each beginning of it", () => {
    expect(events.length).toBeGreaterThan(40);
    for (let length = 1; length <= events.length; length += 1) {
      expect([length, isRefused(events.slice(0, length), run)]).toEqual([length, false]);
    }
  });

  it("is refused without any one event", () => {
    const unnoticed = events
      .slice(0, -1)
      .filter((_event, at) => !isRefused([...events.slice(0, at), ...events.slice(at + 1)], run))
      .map(name);
    expect(unnoticed).toEqual([]);
  });

  it("is refused with any one event twice", () => {
    const unnoticed = events
      .filter((event, at) => !isRefused([...events.slice(0, at), event, ...events.slice(at)], run))
      .map(name)
      // A process that is killed when it has just said that it resumes, or has written its reports, does that again.
      .filter((each) => !/ (report_written|run_resumed)$/.test(each));
    expect(unnoticed).toEqual([]);
  });

  it("is refused with any two neighbours swapped", () => {
    const unnoticed = events
      .slice(0, -1)
      .filter((event, at) => {
        const other = events[at + 1] as JournalEvent;
        return !isRefused([...events.slice(0, at), other, event, ...events.slice(at + 2)], run);
      })
      .map(name);
    expect(unnoticed).toEqual([]);
  });

  it("is refused with any one event that lies", () => {
    let lies = 0;
    const unnoticed = events.flatMap((event, at) =>
      (LIES[event.type] ?? []).flatMap((lie, which) => {
        const lied = { ...event, details: lie(event.details as never) } as JournalEvent;
        if (JSON.stringify(lied) === JSON.stringify(event)) return [];
        lies += 1;
        const refused = isRefused([...events.slice(0, at), lied, ...events.slice(at + 1)], run);
        return refused ? [] : [`${name(event)}, lie ${which + 1}`];
      }),
    );
    expect(lies).toBeGreaterThan(50);
    expect(unnoticed).toEqual([]);
  });
});

const TO_EXECUTION = [
  created(),
  ...inStage("planning"),
  ...inStage("policy_ingestion", trustRead("policy_ingestion")),
  draft("stage_started", { stage: "execution" }, null),
];

describe("replayDecisions", () => {
  const plan = buildPlan();
  const replay = (drafts: Parameters<typeof chain>[0]): string[] =>
    replayDecisions(chain(drafts), RULES, plan).map((fault) => `${fault.seq} ${fault.message}`);

  it("has nothing against a run that is done", () => {
    expect(replay(doneRun())).toEqual([]);
  });

  it("names the event and what was due", () => {
    const drafts = doneRun();
    const lost = draft("attempt_lost", { attempt: 1, why: "worktree_gone" });
    const at = drafts.findIndex((each) => each.type === "item_commit_prepared");
    expect(replay([...drafts.slice(0, at), lost])).toEqual([
      `${at + 1} attempt_lost of item 01, where prepare_commit was due`,
    ]);
    expect(replay(drafts.slice(0, 6).filter((each) => each.type !== "trust_read")).join("\n")).toContain(
      "stage policy_ingestion finished before what it does",
    );
    expect(replayDecisions([], RULES, plan)).toEqual([{ seq: 1, message: "expected run_created" }]);
  });

  it.each<readonly [string, readonly EventDraft[], string]>([
    [
      "an attempt that begins elsewhere than at the tip",
      [...TO_EXECUTION, ...passingItem("01", { base: "f".repeat(40) })],
      "attempt 1 of item 01 does not begin at the run branch's tip",
    ],
    [
      "a settlement of other codes than were decided",
      [
        ...TO_EXECUTION,
        ...passingItem().slice(0, 3),
        draft("session_finished", DETAILS.session_finished({ ending: EXIT_1 })),
        draft("item_settled", { terminal_state: "escalated", reason_codes: ["LOCKED"], commit: null }),
      ],
      "an item settled otherwise than was decided",
    ],
    [
      "execution that ends with an item open",
      [...TO_EXECUTION, draft("stage_finished", { stage: "execution" }, null)],
      "stage execution finished before what it does",
    ],
    [
      "a stage skipped that was never done",
      [created(), draft("stage_skipped", { stage: "planning", execution: execution() }, null)],
      "stage_skipped planning, where planning was due",
    ],
    [
      "a stage done again that is done",
      [created(), ...inStage("planning"), draft("run_resumed", DETAILS.run_resumed(), null), ...inStage("planning")],
      "stage_started planning, where planning was due",
    ],
    [
      "anything but a resume after files were set aside",
      [created(), draft("files_set_aside", { reason: "leftover", files: [] }, null), ...inStage("planning")],
      "stage_started after files were set aside, where run_resumed was due",
    ],
    [
      "a delivery in planning",
      [created(), draft("stage_started", { stage: "planning" }, null), ...delivered(BASE)],
      "delivery_started outside of stage closure",
    ],
    [
      "anything but the stop after a stage failed",
      [
        created(),
        draft("stage_started", { stage: "planning" }, null),
        draft("stage_failed", { stage: "planning", reason_code: "PREPARE_FAILED", message: "m" }, null),
        draft("stage_finished", { stage: "planning" }, null),
      ],
      "stage_finished after a stage failed",
    ],
  ])("refuses %s", (_what, drafts, message) => {
    expect(replay(drafts)[0]?.replace(/^\d+ /, "") ?? "").toBe(message);
  });

  it("refuses a run that goes on although its policy denied", () => {
    const denied = doneRun().map((each) =>
      each.type === "trust_read" ? draft("trust_read", { ...each.details, plan_sha256: null }, null) : each,
    );
    expect(replay(denied.slice(0, 12)).join("\n")).toContain("an event of an item that policy did not allow");
  });
});

describe("isWhole", () => {
  const { saved } = LONG;
  const checkpoint = buildCheckpoint(saved.state, saved.journal.head);

  it("holds when report and checkpoint of the stop are written, and not before", () => {
    expect(isWhole(saved, checkpoint)).toBe(true);
    expect(isWhole(saved, undefined)).toBe(false);
    expect(isWhole(saved, checkpoint.replace("done", "blocked"))).toBe(false);
    expect(isWhole({ ...saved, state: { ...saved.state, sealed: false } }, checkpoint)).toBe(false);
  });
});

describe("parseSavedRun", () => {
  const { events, saved } = LONG;
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const created = events[0] as JournalEvent & { type: "run_created" };
  const planBytes = text(JSON.stringify(saved.plan));

  const files = (input: { plan?: Uint8Array; policy?: Uint8Array } = {}) => {
    const plan = input.plan ?? planBytes;
    const policy = input.policy ?? text(JSON.stringify(saved.config));
    const named = [
      { path: "normalized_plan.json", sha256: sha256(plan), bytes: 1 },
      { path: "policy.json", sha256: sha256(policy), bytes: 1 },
    ];
    const first = draft("run_created", { ...created.details, files: named }, null);
    return { journal: toBytes(chain([first])), plan, policy };
  };

  it("makes a run of its journal and inputs", () => {
    expect(parseSavedRun(files())).toMatchObject({ ok: true, value: { plan: saved.plan, config: saved.config } });
  });

  it.each([
    ["an empty journal", { ...files(), journal: new Uint8Array() }, "JOURNAL_CORRUPT", "run-events.jsonl"],
    ["a journal that is none", { ...files(), journal: text("{}\n") }, "JOURNAL_CORRUPT", "run-events.jsonl"],
    [
      "a journal of impossible events",
      {
        ...files(),
        journal: toBytes(
          chain([
            draft(
              "run_created",
              {
                ...created.details,
                files: [
                  { path: "normalized_plan.json", sha256: sha256(files().plan), bytes: 1 },
                  { path: "policy.json", sha256: sha256(files().policy), bytes: 1 },
                ],
              },
              null,
            ),
            draft("item_settled", { terminal_state: "passed", reason_codes: [], commit: "c" }),
          ]),
        ),
      },
      "JOURNAL_CORRUPT",
      "run-events.jsonl",
    ],
    ["no plan", { ...files(), plan: undefined }, "ARTIFACT_TAMPERED", "normalized_plan.json"],
    [
      "another plan",
      { ...files(), plan: text(JSON.stringify({ ...saved.plan, title: "x" })) },
      "ARTIFACT_TAMPERED",
      "normalized_plan.json",
    ],
    ["no policy", { ...files(), policy: undefined }, "ARTIFACT_TAMPERED", "policy.json"],
    [
      "another policy",
      { ...files(), policy: text(JSON.stringify({ ...saved.config, validation: {} })) },
      "ARTIFACT_TAMPERED",
      "policy.json",
    ],
    ["a plan of another version", files({ plan: text("{}") }), "ARTIFACT_TAMPERED", "normalized_plan.json"],
    ["a policy of another version", files({ policy: text("{}") }), "ARTIFACT_TAMPERED", "policy.json"],
    ["a plan that is no JSON", files({ plan: text("{") }), "ARTIFACT_TAMPERED", "normalized_plan.json"],
  ] as const)("refuses %s", (_what, input, code, path) => {
    expect(parseSavedRun(input)).toMatchObject({ ok: false, error: { code, path } });
  });
});
