import { describe, expect, it } from "vitest";
import { decideItem } from "../../src/domain/item-decide.ts";
import {
  newItem,
  type AttemptState,
  type CandidateState,
  type ItemState,
  type LaneState,
  type SessionState,
} from "../../src/domain/item.ts";
import { auditFinding as finding } from "./audit-fixtures.ts";
import { BASE, EXIT_1, FINDINGS_SHA, PACKET_SHA, RULES } from "./run-fixtures.ts";

const started: ItemState = { ...newItem("01"), started: true };

function session(input: Partial<SessionState> = {}): SessionState {
  return {
    session: 1,
    round: 1,
    kind: "execute",
    outcome: { kind: "finished" },
    summary: "",
    reason: "",
    tamperKinds: [],
    survivors: 0,
    ...input,
  };
}

function candidate(input: Partial<CandidateState> = {}): CandidateState {
  return {
    round: 1,
    tree: "tree-1",
    commit: "candidate-1",
    changedPaths: 1,
    violations: [],
    verifications: 0,
    lanes: [],
    ...input,
  };
}

function attempt(input: Partial<AttemptState> = {}): AttemptState {
  return { attempt: 1, baseCommit: BASE, worktree: "w", round: 1, sessions: [], candidates: [], ...input };
}

function having(input: Partial<AttemptState>, state: Partial<ItemState> = {}): ItemState {
  return { ...started, attempts: [attempt(input)], sessionsUsed: input.sessions?.length ?? 0, ...state };
}

describe("a session whose model was not to be had", () => {
  const down = (session_: number) => session({ session: session_, outcome: { kind: "engine_failed" } });

  it("is followed by another in the same attempt and round, and each waits for those before", () => {
    const command = decideItem(
      having({ sessions: [session({ outcome: { kind: "handoff" }, handoffTree: "t" }), down(2)] }),
      RULES,
    );
    expect(command).toEqual({ type: "run_session", attempt: 1, session: 3, round: 1, kind: "execute", failures: 1 });
    expect(decideItem(having({ sessions: [down(1), down(2)] }), RULES)).toMatchObject({ session: 3, failures: 2 });
    const recovered = having({
      sessions: [down(1), session({ session: 2, outcome: { kind: "handoff" }, handoffTree: "t" })],
    });
    expect(decideItem(recovered, RULES)).toMatchObject({ type: "run_session", session: 3, failures: 0 });
  });

  it("ends the item with AGENT_API_FAILED when the retries are used up, and the run when the sessions are", () => {
    const escalated = { type: "settle", terminalState: "escalated", reasonCodes: ["AGENT_API_FAILED"] };
    expect(decideItem(having({ sessions: [down(1), down(2), down(3)] }), RULES)).toEqual(escalated);
    expect(decideItem(having({ sessions: [down(1)] }), { ...RULES, executorRetries: 0 })).toEqual(escalated);
    expect(decideItem(having({ sessions: [down(1)] }), { ...RULES, sessionsPerItem: 1 })).toMatchObject({
      type: "stop",
    });
  });
});

const failed = { kind: "failed", failures: ["x"] } as const;
const COMMAND_FAILED = {
  prepare_ending: null,
  prepare_tracked_changes: [],
  commands: [{ command: "x", required: true, ending: EXIT_1, log: "log" }],
  artifacts: [],
};
const PASS = (lane: string): LaneState => ({ lane, failures: 0, outcome: { kind: "pass" }, findings: [] });
const BROKEN = (lane: string, failures: number): LaneState => ({
  lane,
  failures,
  outcome: { kind: "engine_failed", why: "w" },
  findings: [],
});
const BLOCKING = (lane: string): LaneState => ({
  lane,
  failures: 0,
  outcome: { kind: "findings", blocks: true },
  findings: [finding({ is_blocking: true })],
});
const BOTH_PASS = [PASS("careful"), PASS("quick")];
const packet = { sha256: PACKET_SHA, commit: "commit-1" };
/** A verified candidate whose packet is frozen. */
const judged = (input: Partial<CandidateState> = {}, round = 1): ItemState =>
  having({
    round,
    sessions: [session({ round })],
    candidates: [candidate({ round, verdict: { kind: "passed" }, packet, ...input })],
  });
const audit = (lanes: string[], failures: number) => ({
  type: "run_audits",
  attempt: 1,
  round: 1,
  packet_sha256: PACKET_SHA,
  commit: "commit-1",
  lanes,
  failures,
});
const violation = (code: "SCOPE_VIOLATION" | "PATH_UNSAFE") => ({ code, path: "p", detail: "d" });
const stop = { kind: "terminal", terminalState: "timeout", reasonCodes: ["PROCESS_TIMEOUT"] } as const;
const escalated = (...reasonCodes: string[]) => ({ type: "settle", terminalState: "escalated", reasonCodes });
const blockedBy = (code: string) => ({
  type: "stop",
  stop: { kind: "terminal", terminalState: "blocked", reasonCodes: [code] },
});
const settled = { terminalState: "passed", reasonCodes: [], commit: "commit-1" } as const;
const prepared = { attempt: 1, commit: "commit-1", tree: "tree-1", parent: BASE };
const run = (input: {
  attempt?: number;
  session: number;
  round?: number;
  kind?: "execute" | "fix" | "remediation";
}) => ({
  type: "run_session",
  failures: 0,
  attempt: 1,
  round: 1,
  kind: "execute",
  ...input,
});

/** Every state that an item can be in, and the one command that it gives. */
const TABLE: readonly (readonly [what: string, state: ItemState, command: unknown])[] = [
  ["nothing has happened", newItem("01"), { type: "start_item" }],
  ["it is settled", { ...started, settled }, { type: "nothing" }],
  ["it is settled and its commit prepared", { ...started, settled, commitPrepared: prepared }, { type: "nothing" }],
  ["it is settled, and the run must stop", { ...started, settled, stop }, { type: "nothing" }],
  [
    "its commit is prepared",
    { ...started, commitPrepared: prepared },
    { type: "advance_branch", commit: "commit-1", parent: BASE },
  ],
  [
    "its commit is prepared, and the run must stop",
    { ...started, commitPrepared: prepared, stop },
    { type: "advance_branch", commit: "commit-1", parent: BASE },
  ],
  ["the run must stop", { ...started, stop }, { type: "stop", stop }],
  [
    "two handoffs left the same tree",
    { ...started, handoffTrees: ["t", "t"], stop: { kind: "handoff", reasonCodes: [] } },
    blockedBy("NO_PROGRESS"),
  ],
  [
    "two handoffs left other trees",
    { ...started, handoffTrees: ["t", "u"], stop: { kind: "handoff", reasonCodes: [] } },
    { type: "stop", stop: { kind: "handoff", reasonCodes: [] } },
  ],
  [
    "one handoff",
    { ...started, handoffTrees: ["t"], stop: { kind: "handoff", reasonCodes: [] } },
    { type: "stop", stop: { kind: "handoff", reasonCodes: [] } },
  ],
  ["it is started", started, { type: "open_attempt", attempt: 1, round: 1 }],
  ["it is started and its sessions are used up", { ...started, sessionsUsed: 12 }, blockedBy("SESSION_LIMIT")],
  ["an attempt is open", having({}), run({ session: 1 })],
  [
    "an attempt of a later round is open",
    having({ round: 2 }, { round: 2 }),
    run({ session: 1, round: 2, kind: "fix" }),
  ],
  ["an attempt is open and sessions are used up", having({}, { sessionsUsed: 12 }), blockedBy("SESSION_LIMIT")],
  ["an attempt is open and one session is left", having({}, { sessionsUsed: 11 }), run({ session: 1 })],
  ["the attempt is lost", having({ ended: "lost" }, { round: 2 }), { type: "open_attempt", attempt: 2, round: 2 }],
  ["the attempt is superseded", having({ ended: "superseded" }), { type: "open_attempt", attempt: 2, round: 1 }],
  [
    "the attempt is lost and sessions are used up",
    having({ ended: "lost" }, { sessionsUsed: 12 }),
    blockedBy("SESSION_LIMIT"),
  ],
  [
    "scope refused the first round",
    having({ ended: "void", candidates: [candidate({ commit: null, violations: [violation("PATH_UNSAFE")] })] }),
    { type: "open_attempt", attempt: 2, round: 2 },
  ],
  [
    "scope refused the last but one round",
    having({
      ended: "void",
      round: 2,
      candidates: [candidate({ commit: null, violations: [violation("PATH_UNSAFE")] })],
    }),
    { type: "open_attempt", attempt: 2, round: 3 },
  ],
  [
    "scope refused the last fix round",
    having({
      ended: "void",
      round: 3,
      candidates: [candidate({ commit: null, violations: [violation("PATH_UNSAFE")] })],
    }),
    { type: "open_attempt", attempt: 2, round: 4 },
  ],
  [
    "scope refused the last round",
    having({
      ended: "void",
      round: 4,
      candidates: [
        candidate({
          commit: null,
          violations: [violation("SCOPE_VIOLATION"), violation("PATH_UNSAFE"), violation("SCOPE_VIOLATION")],
        }),
      ],
    }),
    escalated("FIX_BUDGET_EXHAUSTED", "SCOPE_VIOLATION", "PATH_UNSAFE"),
  ],
  [
    "scope refused a round and sessions are used up",
    having({ ended: "void", candidates: [candidate()] }, { sessionsUsed: 12 }),
    blockedBy("SESSION_LIMIT"),
  ],
  ...(["open", "timeout", "cancelled"] as const).map(
    (kind) =>
      [
        `the last session is ${kind}`,
        having({ sessions: [session({ outcome: { kind } })] }),
        { type: "lose_attempt", attempt: 1, why: "session_cut_short" },
      ] as const,
  ),
  ...(["EXIT_NONZERO", "RESULT_MALFORMED", "ITEM_ESCALATED", "ARTIFACT_MISSING"] as const).map(
    (reasonCode) =>
      [
        `the session failed with ${reasonCode}`,
        having({ sessions: [session({ outcome: { kind: "failed", reasonCode } })] }),
        escalated(reasonCode),
      ] as const,
  ),
  [
    "the session is blocked",
    having({ sessions: [session({ outcome: { kind: "blocked" } })] }),
    { type: "settle", terminalState: "blocked_external", reasonCodes: ["ITEM_BLOCKED_EXTERNAL"] },
  ],
  ...(["finished", "handoff", "blocked", "timeout", "cancelled"] as const).flatMap((kind) => [
    [
      `git was tampered with, and the session is ${kind}`,
      having({ sessions: [session({ outcome: { kind }, tamperKinds: ["refs"], survivors: 1 })] }),
      escalated("GIT_TAMPERED"),
    ] as const,
    [
      `processes survived, and the session is ${kind}`,
      having({ sessions: [session({ outcome: { kind }, survivors: 1 })] }),
      escalated("PROCESS_SURVIVED"),
    ] as const,
  ]),
  [
    "the session hands off",
    having({ sessions: [session({ outcome: { kind: "handoff" } })] }),
    { type: "seal_handoff", attempt: 1, session: 1, round: 1 },
  ],
  [
    "the handoff is sealed",
    having({ sessions: [session({ outcome: { kind: "handoff" }, handoffTree: "t", round: 2 })] }),
    run({ session: 2, round: 2, kind: "fix" }),
  ],
  [
    "the handoff is sealed and sessions are used up",
    having({ sessions: [session({ outcome: { kind: "handoff" }, handoffTree: "t" })] }, { sessionsUsed: 12 }),
    blockedBy("SESSION_LIMIT"),
  ],
  ["the session is finished", having({ sessions: [session()] }), { type: "build_candidate", attempt: 1, round: 1 }],
  [
    "the second session is finished and the first one's candidate failed",
    having({
      sessions: [session(), session({ session: 2, round: 2 })],
      candidates: [candidate({ verdict: failed, verified: COMMAND_FAILED })],
    }),
    { type: "build_candidate", attempt: 1, round: 2 },
  ],
  [
    "a handoff, then a finished session",
    having({ sessions: [session({ outcome: { kind: "handoff" }, handoffTree: "t" }), session({ session: 2 })] }),
    { type: "build_candidate", attempt: 1, round: 1 },
  ],
  [
    "nothing was changed",
    having({ sessions: [session()], candidates: [candidate({ commit: null })] }, { unchangedInARow: 1 }),
    run({ session: 2 }),
  ],
  [
    "nothing was changed in a fix round",
    having({ sessions: [session({ round: 2 })], candidates: [candidate({ commit: null })] }, { unchangedInARow: 1 }),
    run({ session: 2, round: 2, kind: "fix" }),
  ],
  [
    "nothing was changed twice",
    having({ sessions: [session()], candidates: [candidate({ commit: null })] }, { unchangedInARow: 2 }),
    escalated("NO_CHANGE_PRODUCED"),
  ],
  [
    "nothing was changed and sessions are used up",
    having(
      { sessions: [session()], candidates: [candidate({ commit: null })] },
      { unchangedInARow: 1, sessionsUsed: 12 },
    ),
    blockedBy("SESSION_LIMIT"),
  ],
  [
    "there is a candidate",
    having({ sessions: [session()], candidates: [candidate()] }),
    { type: "verify", attempt: 1, round: 1, commit: "candidate-1" },
  ],
  [
    "a verification was cut short",
    having({ sessions: [session()], candidates: [candidate({ verifications: 1 })] }),
    { type: "verify", attempt: 1, round: 1, commit: "candidate-1" },
  ],
  [
    "verification passed",
    having({ sessions: [session()], candidates: [candidate({ verdict: { kind: "passed" } })] }),
    { type: "freeze_packet", attempt: 1, round: 1, tree: "tree-1", parent: BASE },
  ],
  [
    "verification passed after the last round",
    having(
      {
        round: 4,
        sessions: [session({ round: 4 })],
        candidates: [candidate({ round: 4, verdict: { kind: "passed" } })],
      },
      { sessionsUsed: 12 },
    ),
    { type: "freeze_packet", attempt: 1, round: 4, tree: "tree-1", parent: BASE },
  ],
  ["the packet is frozen", judged(), audit(["careful", "quick"], 0)],
  ["one lane has answered", judged({ lanes: [PASS("careful")] }), audit(["quick"], 0)],
  ["one lane failed", judged({ lanes: [BROKEN("careful", 2), PASS("quick")] }), audit(["careful"], 2)],
  [
    "one lane failed for the last time",
    judged({ lanes: [BROKEN("careful", 3), PASS("quick")] }),
    escalated("AUDIT_ENGINE_FAILED"),
  ],
  ["both lanes have answered", judged({ lanes: BOTH_PASS }), { type: "merge_findings", attempt: 1, round: 1 }],
  [
    "both lanes pass and the findings are merged",
    judged({ lanes: BOTH_PASS, findingsSha256: FINDINGS_SHA }),
    { type: "prepare_commit", attempt: 1, commit: "commit-1", tree: "tree-1", parent: BASE },
  ],
  [
    "one lane alone blocks",
    judged({ lanes: [PASS("careful"), BLOCKING("quick")], findingsSha256: FINDINGS_SHA }),
    run({ session: 2, round: 2, kind: "fix" }),
  ],
  [
    "one lane blocks after the last fix round",
    judged({ lanes: [PASS("careful"), BLOCKING("quick")], findingsSha256: FINDINGS_SHA }, 3),
    run({ session: 2, round: 4, kind: "remediation" }),
  ],
  [
    "one lane blocks after the last round",
    judged({ lanes: [PASS("careful"), BLOCKING("quick")], findingsSha256: FINDINGS_SHA }, 4),
    escalated("FIX_BUDGET_EXHAUSTED", "AUDIT_BLOCKING_FINDING"),
  ],

  [
    "verification failed in the first round",
    having({ sessions: [session()], candidates: [candidate({ verdict: failed, verified: COMMAND_FAILED })] }),
    run({ session: 2, round: 2, kind: "fix" }),
  ],
  [
    "verification failed in the last but one fix round",
    having({
      round: 2,
      sessions: [session({ round: 2 })],
      candidates: [candidate({ round: 2, verdict: failed, verified: COMMAND_FAILED })],
    }),
    run({ session: 2, round: 3, kind: "fix" }),
  ],
  [
    "verification failed in the last fix round",
    having({
      round: 3,
      sessions: [session({ round: 3 })],
      candidates: [candidate({ round: 3, verdict: failed, verified: COMMAND_FAILED })],
    }),
    run({ session: 2, round: 4, kind: "remediation" }),
  ],
  [
    "verification failed in the last round",
    having({
      round: 4,
      sessions: [session({ round: 4 })],
      candidates: [candidate({ round: 4, verdict: failed, verified: COMMAND_FAILED })],
    }),
    escalated("FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED"),
  ],
  [
    "verification failed and sessions are used up",
    having(
      { sessions: [session()], candidates: [candidate({ verdict: failed, verified: COMMAND_FAILED })] },
      { sessionsUsed: 12 },
    ),
    blockedBy("SESSION_LIMIT"),
  ],
];

describe("decideItem", () => {
  it.each(TABLE)("when %s", (_what, state, command) => {
    expect(decideItem(state, RULES)).toEqual(command);
  });

  it("an approval lets the commit pass that it is about, and no other", () => {
    const approved = (commit: string): ItemState => ({
      ...judged({ lanes: [BLOCKING("careful"), PASS("quick")], findingsSha256: FINDINGS_SHA }),
      gate: {
        gateType: "custom",
        reason: "",
        requiredEvidence: "",
        commit,
        packetSha256: PACKET_SHA,
        findingIds: [],
        decision: "approved",
        by: "Ada",
        note: "",
        authority: "local-unverified",
        evidence: [],
      },
    });
    expect(decideItem(approved("commit-1"), RULES).type).toBe("prepare_commit");
    expect(decideItem(approved("commit-0"), RULES)).toEqual(run({ session: 2, round: 2, kind: "fix" }));
  });

  it("without fix rounds the first failure is the last", () => {
    const state = having({
      sessions: [session()],
      candidates: [candidate({ verdict: failed, verified: COMMAND_FAILED })],
    });
    expect(decideItem(state, { ...RULES, fixRounds: 0, remediationRounds: 0 })).toEqual(
      escalated("FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED"),
    );
  });
});
