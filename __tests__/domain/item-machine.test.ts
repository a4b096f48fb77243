import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundCalls } from "../../src/domain/call-bound.ts";
import { defaultConfig, type Config } from "../../src/domain/config.ts";
import { decideItem, type ItemCommand } from "../../src/domain/item-decide.ts";
import { evolveItem } from "../../src/domain/item-evolve.ts";
import { rulesOf, type ItemRules } from "../../src/domain/item-rules.ts";
import { ImpossibleEventError } from "../../src/domain/item-steps.ts";
import { newItem, type ItemState } from "../../src/domain/item.ts";
import { EVENT_OF } from "../../src/domain/event-owner.ts";
import type { EventDetails, EventDraft } from "../../src/domain/journal.ts";
import type { ProcessEnding } from "../../src/domain/process-report.ts";
import { auditFinding as finding } from "./audit-fixtures.ts";
import {
  BASE,
  buildPlan,
  DETAILS,
  draft,
  execution,
  EXIT_0,
  EXIT_1,
  FINDINGS_SHA,
  laneAnswer,
  passingItem,
  payload,
  RULES,
} from "./run-fixtures.ts";

const NOTHING_FOUND = { kind: "read" as const, verdict: "pass" as const, summary: "", limitations: [], findings: [] };

/** A source of facts: numbers that decide what the world does next. It repeats itself, so it never ends a story. */
class World {
  #at = 0;
  readonly counts = { audits: 0, sessions: 0, verifications: 0, worktrees: 0, made: 0 };
  readonly #choices: readonly number[];
  readonly #losesWorktrees: boolean;
  constructor(choices: readonly number[], losesWorktrees: boolean) {
    this.#choices = choices;
    this.#losesWorktrees = losesWorktrees;
  }

  choose<T>(options: readonly [T, ...T[]]): T {
    const choice = this.#choices[this.#at % this.#choices.length] ?? 0;
    this.#at += 1;
    return options[choice % options.length] ?? options[0];
  }

  /** The events with which the world may answer a command that acts. */
  answer(command: ItemCommand, state: ItemState): EventDraft[] {
    switch (command.type) {
      case "start_item":
        return [draft("item_started", {})];
      case "open_attempt": {
        this.counts.worktrees += 1;
        const ending = this.choose([null, null, null, null, EXIT_1, { kind: "timed_out", timeout_ms: 1 } as const]);
        return [
          draft(
            "attempt_opened",
            DETAILS.attempt_opened({
              attempt: command.attempt,
              round: command.round,
              prepare_status: ending === null ? "ran" : "failed",
              prepare_ending: ending,
            }),
          ),
        ];
      }
      case "run_session": {
        const { attempt, session, round, kind } = command;
        // A worktree in which no session was yet is made again; one with work in it that is gone proves nothing.
        if (session > 1 && this.isLost()) return [draft("attempt_lost", { attempt, why: "worktree_gone" })];
        this.counts.sessions += 1;
        const intent = draft("session_started", DETAILS.session_started({ attempt, session, round, kind }));
        return [intent, draft("session_finished", this.#receipt(attempt, session, round))];
      }
      case "lose_attempt":
        return [draft("attempt_lost", { attempt: command.attempt, why: command.why })];
      case "seal_handoff": {
        const { attempt, session } = command;
        if (this.isLost()) return [draft("attempt_lost", { attempt, why: "worktree_gone" })];
        return [draft("handoff_sealed", { attempt, session, tree: this.choose(["t", "u", "v"]), files: [] })];
      }
      case "build_candidate": {
        const { attempt, round } = command;
        if (this.isLost()) return [draft("attempt_lost", { attempt, why: "worktree_gone" })];
        return [this.#candidate(attempt, round)];
      }
      case "verify":
        return this.#verification(command);
      case "freeze_packet": {
        const { attempt, round, tree, parent } = command;
        return [
          draft("packet_frozen", DETAILS.packet_frozen({ attempt, round, tree, parent, commit: `commit of ${tree}` })),
        ];
      }
      case "run_audits":
        return this.#audits(command);
      case "merge_findings": {
        const { attempt, round } = command;
        return [draft("findings_merged", { attempt, round, findings_sha256: FINDINGS_SHA, files: [] })];
      }
      case "prepare_commit": {
        const { attempt, tree, parent, commit } = command;
        return [draft("item_commit_prepared", { attempt, tree, parent, commit })];
      }
      case "advance_branch":
        return [draft("item_settled", { terminal_state: "passed", reason_codes: [], commit: command.commit })];
      case "settle":
        return [
          draft("item_settled", {
            terminal_state: command.terminalState,
            reason_codes: [...command.reasonCodes],
            commit: null,
          }),
        ];
      default:
        throw new Error(`nothing answers ${command.type} of ${state.itemId}`);
    }
  }

  #audits({ attempt, round, lanes }: ItemCommand & { type: "run_audits" }): EventDraft[] {
    this.counts.audits += lanes.length;
    this.counts.worktrees += 1;
    const answered = lanes.map((lane) => {
      const good = laneAnswer({ lane });
      return this.choose([
        good,
        good,
        { ...good, ending: EXIT_1 },
        { ...good, ending: { kind: "timed_out", timeout_ms: 1 } as const },
        { ...good, ending: { kind: "cancelled" } as const },
        { ...good, survivors: [{ pid: 2, command: "x" }] },
        { ...good, facts: { kind: "rejected", why: "w" } as const },
        { ...good, facts: { ...NOTHING_FOUND, findings: [finding({ is_blocking: true })] } },
        {
          ...good,
          facts: { ...NOTHING_FOUND, verdict: "issues_found" as const, findings: [finding({ severity: "low" })] },
        },
      ]);
    });
    const checkout_changed = this.choose([false, false, false, true]);
    return [
      draft("audit_started", DETAILS.audit_started({ attempt, round })),
      draft("audit_finished", DETAILS.audit_finished({ attempt, round, lanes: answered, checkout_changed })),
    ];
  }

  isLost(): boolean {
    return this.#losesWorktrees && this.choose([false, false, true]);
  }

  #receipt(attempt: number, session: number, round: number) {
    const at = { attempt, session, round };
    const fine = DETAILS.session_finished(at);
    return this.choose([
      fine,
      fine,
      fine,
      fine,
      { ...fine, payload: payload("completed") },
      { ...fine, ending: { kind: "exited", exit_code: 75 } as const },
      { ...fine, payload: payload("handoff_required") },
      { ...fine, payload: payload("blocked") },
      { ...fine, payload: payload("failed") },
      { ...fine, ending: EXIT_1 },
      { ...fine, ending: { kind: "timed_out", timeout_ms: 1 } as const },
      { ...fine, ending: { kind: "cancelled" } as const },
      { ...fine, tamper: [{ kind: "refs" as const, detail: "d" }] },
      { ...fine, survivors: [{ pid: 2, command: "x" }] },
      { ...fine, execution: execution({ missing_artifacts: ["a"] }) },
    ]);
  }

  #candidate(attempt: number, round: number): EventDraft {
    this.counts.made += 1;
    const made = { attempt, round, tree: `tree-${this.counts.made}`, commit: `candidate-${this.counts.made}` };
    const kind = this.choose(["good", "good", "good", "unchanged", "void", "refused", "forged"]);
    if (kind === "refused" || kind === "forged") {
      const reason_code = kind === "forged" ? "GIT_TAMPERED" : "PATH_UNSAFE";
      return draft("candidate_refused", { attempt, round, reason_code, detail: "d" });
    }
    if (kind === "void") {
      const violations = [{ code: "SCOPE_VIOLATION" as const, path: "p", detail: "d" }];
      return draft("candidate_built", DETAILS.candidate_built({ ...made, commit: null, violations }));
    }
    if (kind === "unchanged") {
      return draft("candidate_built", DETAILS.candidate_built({ ...made, commit: null, changed_paths: 0 }));
    }
    return draft("candidate_built", DETAILS.candidate_built(made));
  }

  #verification({ attempt, round, commit }: ItemCommand & { type: "verify" }): EventDraft[] {
    this.counts.verifications += 1;
    this.counts.worktrees += 1;
    const ending = this.choose<ProcessEnding>([
      EXIT_1,
      EXIT_1,
      EXIT_0,
      { kind: "timed_out", timeout_ms: 1 },
      { kind: "cancelled" },
    ]);
    const commands = [{ command: "c", required: true, ending, log: "l" }];
    return [
      draft("verification_started", { attempt, round, commit }),
      draft("verification_finished", DETAILS.verification_finished({ attempt, round, commit, commands })),
    ];
  }
}

/** Runs one invocation until the machine has nothing to do or stops. A machine that goes on for ever fails. */
function invoke(start: ItemState, world: World, rules: ItemRules, see: (state: ItemState, event: EventDraft) => void) {
  let state = start;
  for (let steps = 0; ; steps += 1) {
    expect(steps).toBeLessThan(10 * (rules.sessionsPerItem + 2));
    const command = decideItem(state, rules);
    if (command.type === "nothing" || command.type === "stop") return state;
    for (const event of world.answer(command, state)) {
      see(state, event);
      state = evolveItem(state, event, rules);
    }
  }
}

const settings = fc.record({
  choices: fc.array(fc.nat(210), { minLength: 1, maxLength: 60 }),
  fixRounds: fc.nat(4),
  sessionsPerItem: fc.integer({ min: 1, max: 14 }),
});

const PLAN = buildPlan([{ required_commands: ["c"] }]);
const LANES = ["careful", "quick"].map((name) => ({ name, use: "command" as const, command: ["a"], env: [] }));

function configOf(fixRounds: number, sessionsPerItem: number): Config {
  const config = defaultConfig();
  return {
    ...config,
    limits: { ...config.limits, "fix-rounds": fixRounds, "sessions-per-item": sessionsPerItem },
    audits: { ...config.audits, lanes: LANES },
    prepare: { ...config.prepare, commands: [["p"]] },
  };
}

describe("whatever the world does", () => {
  it("one invocation ends, within the calls that a dry run promises", () => {
    const reached = { sessions: 0, verifications: 0 };
    fc.assert(
      fc.property(settings, ({ choices, fixRounds, sessionsPerItem }) => {
        const config = configOf(fixRounds, sessionsPerItem);
        const bound = boundCalls(PLAN, config, ["01"], false);
        const world = new World(choices, false);
        invoke(newItem("01"), world, rulesOf(config, PLAN), () => undefined);
        expect(world.counts.sessions).toBeLessThanOrEqual(bound.executorSessions);
        expect(world.counts.verifications).toBeLessThanOrEqual(bound.verificationCommands);
        expect(world.counts.audits).toBeLessThanOrEqual(bound.auditorSessions);
        // The base is prepared once, before the first item.
        expect(world.counts.worktrees + 1).toBeLessThanOrEqual(bound.prepareCommands);
        if (world.counts.sessions === bound.executorSessions) reached.sessions += 1;
        if (world.counts.verifications === bound.verificationCommands) reached.verifications += 1;
      }),
      { seed: 5, numRuns: 4000 },
    );
    // A bound that nothing comes near would promise nothing.
    expect(reached.sessions).toBeGreaterThan(20);
    expect(reached.verifications).toBeGreaterThan(20);
  });

  it("an item passes only with the commit of the very tree that passed verification", () => {
    let passed = 0;
    fc.assert(
      fc.property(settings, fc.boolean(), ({ choices, fixRounds, sessionsPerItem }, losesWorktrees) => {
        const rules = rulesOf(configOf(fixRounds, sessionsPerItem), PLAN);
        const world = new World(choices, losesWorktrees);
        const verified = new Set<string>();
        const trees = new Map<string, string>();
        let state = newItem("01");
        for (let invocation = 0; invocation < 8; invocation += 1) {
          state = invoke(state, world, rules, (before, event) => {
            if (event.type === "candidate_built" && event.details.commit !== null)
              trees.set(event.details.commit, event.details.tree);
            if (event.type === "verification_finished" && event.details.commands.every((c) => c.ending === EXIT_0))
              verified.add(trees.get(event.details.commit) ?? "none");
            if (event.type === "item_commit_prepared") expect(verified).toContain(event.details.tree);
            if (event.type === "item_settled" && event.details.terminal_state === "passed") {
              expect(before.commitPrepared?.commit).toBe(event.details.commit);
              const taken = before.attempts.at(-1)?.candidates.at(-1);
              expect(taken?.verdict).toEqual({ kind: "passed" });
              expect(taken?.packet?.commit).toBe(event.details.commit);
              expect(taken?.lanes.map(({ lane }) => lane).toSorted()).toEqual(["careful", "quick"]);
              for (const { outcome } of taken?.lanes ?? []) {
                expect(["pass", "findings"]).toContain(outcome.kind);
                expect(outcome.kind === "findings" && outcome.blocks).toBe(false);
              }
              passed += 1;
            }
          });
          expect(state.sessionsUsed).toBeLessThanOrEqual(sessionsPerItem);
          if (state.settled?.terminalState === "passed") break;
          const newAttempt = state.settled !== undefined || world.choose([false, false, true]);
          const resumed = DETAILS.run_resumed({ new_attempt: newAttempt ? "01" : null });
          state = evolveItem(state, draft("run_resumed", resumed, null), rules);
          expect(state.stop).toBeUndefined();
        }
      }),
      { seed: 6, numRuns: 6000 },
    );
    expect(passed).toBeGreaterThan(100);
  });

  it("a killed run loses only a session that was cut short", () => {
    fc.assert(
      fc.property(settings, fc.nat(40), ({ choices, fixRounds, sessionsPerItem }, killAt) => {
        const rules = rulesOf(configOf(fixRounds, sessionsPerItem), PLAN);
        const events: EventDraft[] = [];
        invoke(newItem("01"), new World(choices, false), rules, (_state, event) => events.push(event));
        const kept = events.slice(0, killAt);
        const killed = kept.reduce((state, event) => evolveItem(state, event, rules), newItem("01"));
        const resumed = evolveItem(killed, draft("run_resumed", DETAILS.run_resumed(), null), rules);
        const command = decideItem(resumed, rules);
        const last = kept.at(-1)?.type;
        if (last === "session_started") expect(command.type).toBe("lose_attempt");
        if (last === "verification_started") expect(command.type).toBe("verify");
        if (last === "audit_started") expect(command.type).toBe("run_audits");
        if (last === "item_commit_prepared") expect(command.type).toBe("advance_branch");
        if (last === "candidate_built") expect(command.type).not.toBe("build_candidate");
      }),
      { seed: 7, numRuns: 1000 },
    );
  });
});

/** The state after the first events of an item that passes. */
function after(type: EventDraft["type"] | "nothing", extra: readonly EventDraft[] = []): ItemState {
  const events = passingItem();
  const index = events.findIndex((event) => event.type === type);
  return [...events.slice(0, index + 1), ...extra].reduce(
    (state, event) => evolveItem(state, event, RULES),
    newItem("01"),
  );
}

const event = {
  started: draft("item_started", {}),
  attempt: draft("attempt_opened", DETAILS.attempt_opened()),
  attempt2: draft("attempt_opened", DETAILS.attempt_opened({ attempt: 2 })),
  session: draft("session_started", DETAILS.session_started()),
  session2: draft("session_started", DETAILS.session_started({ session: 2 })),
  session3: draft("session_started", DETAILS.session_started({ session: 3 })),
  finished: draft("session_finished", DETAILS.session_finished()),
  candidate: draft("candidate_built", DETAILS.candidate_built()),
  refused: draft("candidate_refused", { attempt: 1, round: 1, reason_code: "PATH_UNSAFE", detail: "d" }),
  verified: draft("verification_finished", DETAILS.verification_finished()),
  prepared: draft("item_commit_prepared", DETAILS.item_commit_prepared()),
  passed: draft("item_settled", { terminal_state: "passed", reason_codes: [], commit: "commit-1" }),
  escalated: draft("item_settled", { terminal_state: "escalated", reason_codes: [], commit: null }),
  lost: draft("attempt_lost", { attempt: 1, why: "worktree_gone" }),
  lost2: draft("attempt_lost", { attempt: 2, why: "worktree_gone" }),
  sealed: draft("handoff_sealed", { attempt: 1, session: 1, tree: "t", files: [] }),
};
const failing = draft(
  "verification_finished",
  DETAILS.verification_finished({ commands: [{ command: "c", required: true, ending: EXIT_1, log: "l" }] }),
);

describe("an event that cannot be throws ImpossibleEventError", () => {
  it.each([
    ["an attempt of an item that was not started", after("nothing"), event.attempt],
    ["a start of an item that was started", after("item_started"), event.started],
    ["a first attempt with number 2", after("item_started"), event.attempt2],
    ["a second attempt while the first is open", after("attempt_opened"), event.attempt2],
    ["a second attempt with number 1", after("attempt_opened", [event.lost]), event.attempt],
    ["a session without attempt", after("item_started"), event.session],
    ["a session in an attempt that was lost", after("attempt_opened", [event.lost]), event.session],
    ["a first session with number 2", after("attempt_opened"), event.session2],
    ["a second session with number 3", after("candidate_built"), event.session3],
    ["a session beside an open one", after("session_started"), event.session2],
    ["a receipt without session", after("attempt_opened"), event.finished],
    ["a second receipt", after("session_finished"), event.finished],
    [
      "a receipt of another session",
      after("session_started"),
      draft("session_finished", DETAILS.session_finished({ session: 2 })),
    ],
    [
      "a receipt of another round",
      after("session_started"),
      draft("session_finished", DETAILS.session_finished({ round: 2 })),
    ],
    [
      "a receipt of another attempt",
      after("session_started"),
      draft("session_finished", DETAILS.session_finished({ attempt: 2 })),
    ],
    ["a candidate without session", after("attempt_opened"), event.candidate],
    ["a candidate of an open session", after("session_started"), event.candidate],
    ["a second candidate of one session", after("candidate_built"), event.candidate],
    [
      "a candidate on another base",
      after("session_finished"),
      draft("candidate_built", DETAILS.candidate_built({ base_commit: "c".repeat(40) })),
    ],
    ["a refusal without session", after("attempt_opened"), event.refused],
    ["a verification without candidate", after("session_finished"), event.verified],
    [
      "a verification of another commit",
      after("verification_started"),
      draft("verification_finished", DETAILS.verification_finished({ commit: "other" })),
    ],
    ["a second verification", after("verification_started", [failing]), event.verified],
    ["a commit without verification", after("candidate_built"), event.prepared],
    ["a commit of a tree that failed", after("verification_started", [failing]), event.prepared],
    [
      "a commit of another tree",
      after("verification_finished"),
      draft("item_commit_prepared", DETAILS.item_commit_prepared({ tree: "other" })),
    ],
    ["a pass without anything", after("item_started"), event.passed],
    ["a pass without a prepared commit", after("verification_finished"), event.passed],
    [
      "a pass with another commit",
      after("item_commit_prepared"),
      draft("item_settled", { terminal_state: "passed", reason_codes: [], commit: "other" }),
    ],
    [
      "a pass without a commit",
      after("item_commit_prepared"),
      draft("item_settled", { terminal_state: "passed", reason_codes: [], commit: null }),
    ],
    [
      "an item given up with a commit",
      after("session_finished"),
      draft("item_settled", { terminal_state: "escalated", reason_codes: [], commit: "commit-1" }),
    ],
    [
      "a candidate of a commit that changes nothing",
      after("session_finished"),
      draft("candidate_built", DETAILS.candidate_built({ changed_paths: 0 })),
    ],
    ["a second settlement", after("item_settled"), event.escalated],
    ["an attempt of a settled item", after("item_settled"), event.attempt2],
    ["a loss of another attempt", after("attempt_opened"), event.lost2],
    ["a loss without attempt", after("item_started"), event.lost],
    ["a handoff of a session that finished", after("session_finished"), event.sealed],
    ["a handoff of an open session", after("session_started"), event.sealed],
    ["a handoff without session", after("attempt_opened"), event.sealed],
  ])("%s", (_what, state, impossible) => {
    expect(() => evolveItem(state, impossible, RULES)).toThrow(ImpossibleEventError);
  });

  it("events of the run leave an item as it is", () => {
    const state = after("candidate_built");
    expect(evolveItem(state, draft("stage_started", { stage: "closure" }, null), RULES)).toBe(state);
    expect(EVENT_OF["stage_started"] === "item").toBe(false);
  });
});

describe("what a session's receipt leads to", () => {
  const finished = (input: Parameters<typeof DETAILS.session_finished>[0]): ItemState =>
    evolveItem(after("session_started"), draft("session_finished", DETAILS.session_finished(input)), RULES);

  it("a timeout stops the run, a signal interrupts it", () => {
    expect(finished({ ending: { kind: "timed_out", timeout_ms: 1 } }).stop).toEqual({
      kind: "terminal",
      terminalState: "timeout",
      reasonCodes: ["PROCESS_TIMEOUT"],
    });
    expect(finished({ ending: { kind: "cancelled" } }).stop).toEqual({ kind: "interrupted", reasonCodes: [] });
    expect(finished({}).stop).toBeUndefined();
  });

  it("tampering outranks the clock", () => {
    const state = finished({
      ending: { kind: "timed_out", timeout_ms: 1 },
      tamper: [{ kind: "hooks", detail: "d" }],
    });
    expect(state.stop).toBeUndefined();
    expect(state.attempts[0]?.sessions[0]?.tamperKinds).toEqual(["hooks"]);
  });

  it("keeps the executor's words and counts the session", () => {
    const state = finished({ payload: payload("completed") });
    expect(state.sessionsUsed).toBe(1);
    expect(state.attempts[0]?.sessions[0]?.summary).toBe("it is completed");
  });

  it("fails when an expected artifact is missing or malformed", () => {
    const missing = finished({ execution: execution({ missing_artifacts: ["a"], malformed_artifacts: [] }) });
    expect(missing.attempts[0]?.sessions[0]?.outcome).toEqual({ kind: "failed", reasonCode: "ARTIFACT_MISSING" });
    const malformed = finished({ execution: execution({ malformed_artifacts: ["a"] }) });
    expect(malformed.attempts[0]?.sessions[0]?.outcome).toEqual({ kind: "failed", reasonCode: "ARTIFACT_MALFORMED" });
  });
});

describe("what the preparation of an attempt leads to", () => {
  const opened = (input: Parameters<typeof DETAILS.attempt_opened>[0]): ItemState =>
    evolveItem(after("item_started"), draft("attempt_opened", DETAILS.attempt_opened(input)), RULES);

  it.each([
    ["exit code 1", EXIT_1, { kind: "terminal", terminalState: "failed", reasonCodes: ["PREPARE_FAILED"] }],
    [
      "tracked files that changed",
      null,
      { kind: "terminal", terminalState: "failed", reasonCodes: ["PREPARE_FAILED"] },
    ],
    [
      "a timeout",
      { kind: "timed_out", timeout_ms: 1 } as const,
      { kind: "terminal", terminalState: "timeout", reasonCodes: ["PROCESS_TIMEOUT"] },
    ],
    ["a signal", { kind: "cancelled" } as const, { kind: "interrupted", reasonCodes: [] }],
  ])("%s: the attempt is lost and the run stops", (_what, prepare_ending, stop) => {
    const state = opened({ prepare_status: "failed", prepare_ending });
    expect(state.stop).toEqual(stop);
    expect(state.attempts[0]?.ended).toBe("lost");
  });

  it.each(["nothing_to_do", "ran", "cached"])("%s: the attempt is open", (prepare_status) => {
    const state = opened({ prepare_status });
    expect(state.stop).toBeUndefined();
    expect(state.attempts[0]?.ended).toBeUndefined();
    expect(state.attempts[0]?.baseCommit).toBe(BASE);
  });
});

describe("a worktree that is made again", () => {
  const restored = (input: Partial<EventDetails<"worktree_restored">>): EventDraft =>
    draft("worktree_restored", {
      attempt: 1,
      worktree: "01-1-restore",
      prepare_status: "ran",
      prepare_ending: null,
      executions: [],
      files: [],
      ...input,
    });

  it("takes the old one's place", () => {
    const state = evolveItem(after("candidate_built"), restored({}), RULES);
    expect(state.attempts[0]?.worktree).toBe("01-1-restore");
    expect(state.attempts[0]?.ended).toBeUndefined();
  });

  it.each([EXIT_1, null, { kind: "timed_out", timeout_ms: 1 } as const, { kind: "cancelled" } as const])(
    "does not when its preparation ended %j, and the run stops",
    (prepare_ending) => {
      const state = evolveItem(after("candidate_built"), restored({ prepare_status: "failed", prepare_ending }), RULES);
      expect(state.attempts[0]?.worktree).toBe("01-1-work");
      expect(state.stop).toBeDefined();
    },
  );

  it("is the current attempt's", () => {
    expect(() => evolveItem(after("candidate_built"), restored({ attempt: 2 }), RULES)).toThrow(ImpossibleEventError);
    expect(() => evolveItem(after("item_started"), restored({}), RULES)).toThrow(ImpossibleEventError);
  });
});

describe("what a candidate leads to", () => {
  const built = (input: Parameters<typeof DETAILS.candidate_built>[0]): ItemState =>
    evolveItem(after("session_finished"), draft("candidate_built", DETAILS.candidate_built(input)), RULES);

  it("a violation ends the attempt and is no unchanged session", () => {
    const violations = [{ code: "PATH_UNSAFE" as const, path: "p", detail: "d" }];
    const state = built({ commit: null, violations });
    expect([state.attempts[0]?.ended, state.unchangedInARow]).toEqual(["void", 0]);
  });

  it("no change is counted until there is one", () => {
    const unchanged = built({ commit: null, changed_paths: 0 });
    expect([unchanged.attempts[0]?.ended, unchanged.unchangedInARow]).toEqual([undefined, 1]);
    const more = [
      event.session2,
      draft("session_finished", DETAILS.session_finished({ session: 2 })),
      draft("candidate_built", DETAILS.candidate_built({ tree: "tree-2", commit: "candidate-2" })),
    ].reduce((state, each) => evolveItem(state, each, RULES), unchanged);
    expect(more.unchangedInARow).toBe(0);
  });

  it("a forged object is tampering, an unreadable path a void attempt", () => {
    const refusal = (reason_code: "GIT_TAMPERED" | "PATH_UNSAFE"): ItemState =>
      evolveItem(
        after("session_finished"),
        draft("candidate_refused", { attempt: 1, round: 1, reason_code, detail: "why" }),
        RULES,
      );
    expect(refusal("GIT_TAMPERED").attempts[0]?.sessions[0]?.tamperKinds).toEqual(["objects"]);
    expect(refusal("PATH_UNSAFE").attempts[0]).toMatchObject({
      ended: "void",
      candidates: [{ violations: [{ code: "PATH_UNSAFE", path: ".", detail: "why" }] }],
    });
  });
});

describe("what a verification leads to", () => {
  const verified = (ending: typeof EXIT_0 | { kind: "timed_out"; timeout_ms: number } | { kind: "cancelled" }) =>
    evolveItem(
      after("verification_started"),
      draft(
        "verification_finished",
        DETAILS.verification_finished({ commands: [{ command: "c", required: true, ending, log: "l" }] }),
      ),
      RULES,
    );

  it.each([
    ["timed_out", { kind: "timed_out", timeout_ms: 1 } as const, "terminal"],
    ["cancelled", { kind: "cancelled" } as const, "interrupted"],
  ])("%s: the run stops, the candidate is not judged and the verification counted", (_what, ending, kind) => {
    const state = verified(ending);
    expect(state.stop?.kind).toBe(kind);
    expect(state.attempts[0]?.candidates[0]).toMatchObject({ verifications: 1 });
    expect(state.attempts[0]?.candidates[0]?.verdict).toBeUndefined();
  });

  it("a verdict is kept", () => {
    expect(verified(EXIT_0).attempts[0]?.candidates[0]).toMatchObject({
      verifications: 1,
      verdict: { kind: "passed" },
    });
    expect(verified(EXIT_1).attempts[0]?.candidates[0]?.verdict).toMatchObject({ kind: "failed" });
  });
});

describe("a handoff", () => {
  const handoff = draft("session_finished", DETAILS.session_finished({ ending: { kind: "exited", exit_code: 75 } }));

  it("does not stop the run, is counted, and its tree remembered, the last two of them", () => {
    const state = after("session_started", [handoff, event.sealed]);
    expect(state.stop).toBeUndefined();
    expect(state.rollovers).toBe(1);
    expect(decideItem(state, RULES)).toMatchObject({ type: "run_session", attempt: 1, session: 2, round: 1 });
    expect(decideItem({ ...state, rollovers: RULES.rollovers + 1 }, RULES)).toMatchObject({
      type: "stop",
      stop: { kind: "terminal", terminalState: "blocked", reasonCodes: ["ROLLOVER_LIMIT"] },
    });
    expect(state.handoffTrees).toEqual(["t"]);
    expect(state.attempts[0]?.sessions[0]?.handoffTree).toBe("t");
    const again = { ...after("session_started", [handoff]), handoffTrees: ["a", "b"] };
    expect(evolveItem(again, event.sealed, RULES).handoffTrees).toEqual(["b", "t"]);
  });

  it("is forgotten when a session ends otherwise, and kept when it hands off again", () => {
    const before = { ...after("session_started"), handoffTrees: ["a"] };
    expect(evolveItem(before, event.finished, RULES).handoffTrees).toEqual([]);
    expect(evolveItem(before, handoff, RULES).handoffTrees).toEqual(["a"]);
  });
});

describe("a resume", () => {
  const resume = (state: ItemState, newAttempt: string | null): ItemState =>
    evolveItem(state, draft("run_resumed", DETAILS.run_resumed({ new_attempt: newAttempt }), null), RULES);
  const escalated = after("session_finished", [event.escalated]);

  it("takes away the stop and nothing else", () => {
    const stopped = after("session_started", [
      draft("session_finished", DETAILS.session_finished({ ending: { kind: "timed_out", timeout_ms: 1 } })),
    ]);
    const { stop, ...rest } = stopped;
    expect(stop).toBeDefined();
    expect(resume(stopped, null)).toEqual(rest);
    expect(resume(escalated, null)).toEqual(escalated);
    expect(resume(escalated, "02")).toEqual(escalated);
  });

  it("with a new attempt opens the item and counts anew", () => {
    const opened = resume({ ...escalated, unchangedInARow: 1, handoffTrees: ["t"], round: 3 }, "01");
    expect(opened.settled).toBeUndefined();
    expect(opened.attempts[0]?.ended).toBe("superseded");
    expect(opened).toMatchObject({ round: 1, sessionsUsed: 0, unchangedInARow: 0, handoffTrees: [] });
    expect(decideItem(opened, RULES)).toEqual({ type: "open_attempt", attempt: 2, round: 1 });
  });

  it("never opens an item that passed, or is about to", () => {
    const passed = after("item_settled");
    expect(resume(passed, "01")).toEqual(passed);
    const prepared = after("item_commit_prepared");
    expect(decideItem(resume(prepared, "01"), RULES).type).toBe("advance_branch");
    expect(resume(prepared, "01").attempts[0]?.ended).toBeUndefined();
  });

  it("of an item that nothing happened to changes nothing", () => {
    expect(resume(newItem("01"), "01")).toEqual(newItem("01"));
  });
});

it("the attempt of an item that settles is kept, one that ended before stays as it ended", () => {
  expect(after("item_settled").attempts[0]?.ended).toBe("kept");
  const lost = after("attempt_opened", [event.lost, event.escalated]);
  expect(lost.attempts[0]?.ended).toBe("lost");
});
