import type { AuditFinding } from "../../src/domain/audit-report.ts";
import { defaultConfig } from "../../src/domain/config.ts";
import type { ItemCommand } from "../../src/domain/item-decide.ts";
import { mergedFindingsOf } from "../../src/domain/item-decide.ts";
import type { ItemDemands, ItemRules } from "../../src/domain/item-rules.ts";
import { lastAttempt, type ItemState } from "../../src/domain/item.ts";
import type { EventDraft } from "../../src/domain/journal.ts";
import type { MergedFinding } from "../../src/domain/merged-findings.ts";
import type { ProcessEnding } from "../../src/domain/process-report.ts";
import type { AskedDisposition } from "../../src/domain/triage.ts";
import { auditFinding } from "../domain/audit-fixtures.ts";
import { DETAILS, draft, execution, EXIT_0, EXIT_1, LOW_RISK, payload } from "../domain/run-fixtures.ts";

const TIMED_OUT: ProcessEnding = { kind: "timed_out", timeout_ms: 1000 };
const CANCELLED: ProcessEnding = { kind: "cancelled" };

export const PREPARATIONS = ["fine", "failed", "timeout"] as const;
export const SESSIONS = [
  "work",
  "handoff",
  "blocked",
  "failed",
  "exit 1",
  "timeout",
  "cancelled",
  "tampers",
  "leaves a process",
  "lacks an artifact",
  "killed",
] as const;
export const CANDIDATES = ["change", "no change", "outside the roots", "unreadable path", "forged object"] as const;
export const VERIFICATIONS = ["pass", "fail", "timeout", "cancelled"] as const;
export const REDS = ["red", "no test files", "green on the base", "not found", "timeout", "cancelled"] as const;
export const ANSWERS = [
  "pass",
  "blocking finding",
  "high finding",
  "low finding",
  "pass beside a blocking finding",
  "no answer",
  "exit 1",
  "inconclusive",
  "timeout",
  "cancelled",
] as const;
export const TRIAGES = [
  "all actionable",
  "all fine",
  "all for a person",
  "all external",
  "broken",
  "exit 1",
  "timeout",
  "cancelled",
] as const;

/** What the world does whenever the machine asks it for something. */
export interface Deeds {
  prepare(): (typeof PREPARATIONS)[number];
  session(): (typeof SESSIONS)[number];
  handoffTree(): string;
  candidate(): (typeof CANDIDATES)[number];
  verification(): (typeof VERIFICATIONS)[number];
  red(): (typeof REDS)[number];
  answer(lane: string): (typeof ANSWERS)[number];
  triage(): (typeof TRIAGES)[number];
}

/** How often the world was asked for each: what a bound of the calls is about. */
export interface Counts {
  sessions: number;
  verifications: number;
  reds: number;
  audits: number;
  triages: number;
  worktrees: number;
}

/** Rules of the item machine with two lanes, as the defaults of a configuration are. */
export function rulesFor(
  input: Partial<Omit<ItemRules, "demands">> = {},
  demands: Partial<ItemDemands> = {},
): ItemRules {
  return {
    fixRounds: 2,
    remediationRounds: 1,
    sessionsPerItem: 12,
    rollovers: 5,
    contextRemainingFloor: 2000,
    lanes: ["left", "right"],
    executorRetries: 2,
    auditRetries: 2,
    agentLanes: [],
    keyRequestsMax: new Map(),
    agentTriage: false,
    triageProgram: false,
    approvalPolicy: defaultConfig().policy,
    admission: LOW_RISK,
    ...input,
    demands: new Map([
      ["01", { manualGate: false, redGreen: false, externalEvidence: false, allowNoChange: false, ...demands }],
    ]),
  };
}

/** The world around one item: answers each command with the events that the kernel would have recorded. */
export class ItemWorld {
  readonly counts: Counts = { sessions: 0, verifications: 0, reds: 0, audits: 0, triages: 0, worktrees: 0 };
  readonly #deeds: Deeds;
  #made = 0;

  constructor(deeds: Deeds) {
    this.#deeds = deeds;
  }

  /** The events that a command leads to. The last one is missing when the run was killed on the way. */
  answer(command: ItemCommand, state: ItemState): EventDraft[] {
    switch (command.type) {
      case "start_item":
        return [draft("item_started", {})];
      case "open_attempt":
        return [this.#openAttempt(command)];
      case "run_session":
        return this.#runSession(command);
      case "lose_attempt":
        return [draft("attempt_lost", { attempt: command.attempt, why: command.why })];
      case "seal_handoff": {
        const { attempt, session } = command;
        return [draft("handoff_sealed", { attempt, session, tree: this.#deeds.handoffTree(), files: [] })];
      }
      case "build_candidate":
        return [this.#buildCandidate(command)];
      case "verify":
        return this.#verify(command);
      case "prove_red":
        return [this.#proveRed(command)];
      case "freeze_packet": {
        const { attempt, round, tree, parent } = command;
        const packet_sha256 = digest(`packet ${tree} of attempt ${attempt} round ${round}`);
        return [
          draft("packet_frozen", { attempt, round, packet_sha256, commit: `audited-${tree}`, tree, parent, files: [] }),
        ];
      }
      case "run_audits":
        return this.#audit(command);
      case "merge_findings": {
        const { attempt, round } = command;
        const ids = findingsOf(state).map(({ id }) => id);
        return [draft("findings_merged", { attempt, round, findings_sha256: digest(ids.join()), files: [] })];
      }
      case "run_triage":
        return this.#triage(command, findingsOf(state));
      case "request_gate": {
        const { attempt, round, commit, packet_sha256, finding_ids } = command;
        const gate_type = command.gateType === "own" ? "signoff" : "custom";
        const what = { gate_type, reason: "a person decides", required_evidence: "a record" } as const;
        const about = { attempt, round, commit, packet_sha256, finding_ids: [...finding_ids] };
        return [draft("gate_requested", { ...about, ...what })];
      }
      case "prepare_commit": {
        const { attempt, commit, tree, parent } = command;
        return [draft("item_commit_prepared", { attempt, commit, tree, parent })];
      }
      case "advance_branch":
        return [draft("item_settled", { terminal_state: "passed", reason_codes: [], commit: command.commit })];
      case "settle": {
        const { terminalState: terminal_state, reasonCodes } = command;
        return [draft("item_settled", { terminal_state, reason_codes: [...reasonCodes], commit: null })];
      }
      case "stop":
      case "nothing":
        throw new Error(`nothing answers ${command.type}`);
    }
  }

  #openAttempt({ attempt, round }: ItemCommand & { type: "open_attempt" }): EventDraft {
    this.counts.worktrees += 1;
    const prepared = this.#deeds.prepare();
    const endings = { fine: null, failed: EXIT_1, timeout: TIMED_OUT };
    return draft(
      "attempt_opened",
      DETAILS.attempt_opened({
        attempt,
        round,
        worktree: `01-${attempt}-work`,
        prepare_status: prepared === "fine" ? "ran" : "failed",
        prepare_ending: endings[prepared],
      }),
    );
  }

  #runSession({ attempt, session, round, kind }: ItemCommand & { type: "run_session" }): EventDraft[] {
    this.counts.sessions += 1;
    const intent = draft("session_started", DETAILS.session_started({ attempt, session, round, kind }));
    const fine = DETAILS.session_finished({ attempt, session, round });
    const done = this.#deeds.session();
    const receipts = {
      work: fine,
      handoff: { ...fine, ending: { kind: "exited", exit_code: 75 } as const },
      blocked: { ...fine, payload: payload("blocked") },
      failed: { ...fine, payload: payload("failed") },
      "exit 1": { ...fine, ending: EXIT_1 },
      timeout: { ...fine, ending: TIMED_OUT },
      cancelled: { ...fine, ending: CANCELLED },
      tampers: { ...fine, tamper: [{ kind: "refs" as const, detail: "d" }] },
      "leaves a process": { ...fine, survivors: [{ pid: 2, command: "x" }] },
      "lacks an artifact": { ...fine, execution: execution({ missing_artifacts: ["a"] }) },
    };
    return done === "killed" ? [intent] : [intent, draft("session_finished", receipts[done])];
  }

  #buildCandidate({ attempt, round }: ItemCommand & { type: "build_candidate" }): EventDraft {
    this.#made += 1;
    const made = { attempt, round, tree: `tree-${this.#made}`, commit: `candidate-${this.#made}` };
    const built = (input: Parameters<typeof DETAILS.candidate_built>[0]): EventDraft =>
      draft("candidate_built", DETAILS.candidate_built({ ...made, ...input }));
    const refused = (reason_code: "PATH_UNSAFE" | "GIT_TAMPERED"): EventDraft =>
      draft("candidate_refused", { attempt, round, reason_code, detail: "d" });
    switch (this.#deeds.candidate()) {
      case "change":
        return built({});
      case "no change":
        return built({ commit: null, changed_paths: 0 });
      case "outside the roots":
        return built({ commit: null, violations: [{ code: "SCOPE_VIOLATION", path: "p", detail: "d" }] });
      case "unreadable path":
        return refused("PATH_UNSAFE");
      case "forged object":
        return refused("GIT_TAMPERED");
    }
  }

  #verify({ attempt, round, commit }: ItemCommand & { type: "verify" }): EventDraft[] {
    this.counts.verifications += 1;
    this.counts.worktrees += 1;
    const endings = { pass: EXIT_0, fail: EXIT_1, timeout: TIMED_OUT, cancelled: CANCELLED };
    const commands = [{ command: "c", required: true, ending: endings[this.#deeds.verification()], log: "l" }];
    return [
      draft("verification_started", { attempt, round, commit }),
      draft("verification_finished", DETAILS.verification_finished({ attempt, round, commit, commands })),
    ];
  }

  #proveRed({ attempt, round, commit }: ItemCommand & { type: "prove_red" }): EventDraft {
    this.counts.reds += 1;
    this.counts.worktrees += 1;
    const seen = this.#deeds.red();
    const endings: Record<Exclude<typeof seen, "no test files">, ProcessEnding> = {
      red: EXIT_1,
      "green on the base": EXIT_0,
      "not found": { kind: "exited", exit_code: 127 },
      timeout: TIMED_OUT,
      cancelled: CANCELLED,
    };
    return draft("red_green_judged", {
      attempt,
      round,
      commit,
      test_paths: seen === "no test files" ? [] : ["test/a.js"],
      prepare_ending: null,
      red: seen === "no test files" ? [] : [{ command: "c", ending: endings[seen], log: "l" }],
      tamper: [],
      executions: [],
      files: [],
    });
  }

  #audit({ attempt, round, packet_sha256, lanes }: ItemCommand & { type: "run_audits" }): EventDraft[] {
    this.counts.worktrees += 1;
    this.counts.audits += lanes.length;
    const asked = lanes.map((lane) => ({ lane, nonce: `nonce-${lane}` }));
    const about = { attempt, round, packet_sha256 };
    return [
      draft("audit_started", { ...about, lanes: asked }),
      draft("audit_finished", {
        ...about,
        lanes: asked.map((lane) => ({ ...lane, ...laneAnswer(this.#deeds.answer(lane.lane)) })),
        tamper: [],
        checkout_changed: false,
        executions: [],
        files: [],
      }),
    ];
  }

  #triage(command: ItemCommand & { type: "run_triage" }, findings: readonly MergedFinding[]): EventDraft[] {
    this.counts.triages += 1;
    const { attempt, round, findings_sha256 } = command;
    const sorted = this.#deeds.triage();
    const dispositions: Partial<Record<typeof sorted, AskedDisposition>> = {
      "all actionable": "actionable",
      "all fine": "false_positive",
      "all for a person": "requires_human_judgment",
      "all external": "blocked_external",
    };
    const endings: Partial<Record<typeof sorted, ProcessEnding>> = {
      "exit 1": EXIT_1,
      timeout: TIMED_OUT,
      cancelled: CANCELLED,
    };
    const disposition = dispositions[sorted];
    const answers = findings.map(({ id }) => ({
      finding_id: id,
      disposition: disposition ?? "false_positive",
      reason: "r",
    }));
    const at = { attempt, round, nonce: "nonce-triage" };
    return [
      draft("triage_started", { ...at, findings_sha256 }),
      draft("triage_finished", {
        ...at,
        ending: endings[sorted] ?? EXIT_0,
        survivors: [],
        facts:
          sorted === "broken"
            ? { kind: "rejected", why: "no JSON" }
            : { kind: "read", dispositions: answers, notes: "" },
        tamper: [],
        execution: execution(),
        files: [],
      }),
    ];
  }
}

type LaneAnswer = Pick<
  Extract<EventDraft, { type: "audit_finished" }>["details"]["lanes"][number],
  "ending" | "survivors" | "facts"
>;

/** What a lane's program did and wrote. */
export function laneAnswer(answer: (typeof ANSWERS)[number]): LaneAnswer {
  const says = (verdict: "pass" | "issues_found" | "inconclusive", findings: AuditFinding[] = []): LaneAnswer => ({
    ending: EXIT_0,
    survivors: [],
    facts: { kind: "read", verdict, summary: "s", limitations: [], findings },
  });
  const low = auditFinding({ title: "A low one", severity: "low" });
  const high = auditFinding({ title: "A high one", severity: "high" });
  const blocking = auditFinding({ title: "A blocking one", is_blocking: true });
  switch (answer) {
    case "pass":
      return says("pass");
    case "blocking finding":
      return says("issues_found", [blocking]);
    case "high finding":
      return says("issues_found", [high]);
    case "low finding":
      return says("issues_found", [low]);
    case "pass beside a blocking finding":
      return says("pass", [low, blocking]);
    case "no answer":
      return { ending: EXIT_0, survivors: [], facts: { kind: "rejected", why: "no report was written" } };
    case "exit 1":
      return { ...says("pass"), ending: EXIT_1 };
    case "inconclusive":
      return says("inconclusive");
    case "timeout":
      return { ...says("pass"), ending: TIMED_OUT };
    case "cancelled":
      return { ...says("pass"), ending: CANCELLED };
  }
}

/** What people may do about an item that waits. */
export const PEOPLE = {
  approve: (state: ItemState): EventDraft => decision(state, "approved"),
  reject: (state: ItemState): EventDraft => decision(state, "rejected"),
  reopen: (state: ItemState): EventDraft => decision(state, "reopened"),
  "supply evidence": (): EventDraft =>
    draft("evidence_supplied", { files: [{ path: "evidence/01/measured.txt", sha256: digest("e"), bytes: 1 }] }),
  resume: (): EventDraft => draft("run_resumed", DETAILS.run_resumed(), null),
  "resume with a new attempt": (): EventDraft => draft("run_resumed", DETAILS.run_resumed({ new_attempt: "01" }), null),
} as const;

function decision(state: ItemState, decided: "approved" | "rejected" | "reopened"): EventDraft {
  const { gate } = state;
  if (gate === undefined) throw new Error("no gate was asked for");
  return draft("gate_decided", {
    decision: decided,
    by: "Ada",
    note: "seen",
    authority: "local-unverified",
    commit: gate.commit,
    packet_sha256: gate.packetSha256,
    files: [],
  });
}

function findingsOf(state: ItemState): readonly MergedFinding[] {
  const candidate = lastAttempt(state)?.candidates.at(-1);
  return candidate === undefined ? [] : mergedFindingsOf(candidate);
}

/** A digest that says nothing but is one: the world's packets differ when what they are of differs. */
function digest(text: string): string {
  return [...text]
    .map((character) => (character.codePointAt(0) ?? 0).toString(16))
    .join("")
    .padEnd(64, "0")
    .slice(0, 64);
}
