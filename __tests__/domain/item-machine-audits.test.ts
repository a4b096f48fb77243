import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundCalls } from "../../src/domain/call-bound.ts";
import { defaultConfig, type Config } from "../../src/domain/config.ts";
import { decideItem } from "../../src/domain/item-decide.ts";
import { evolveItem } from "../../src/domain/item-evolve.ts";
import { rulesOf, type ItemRules } from "../../src/domain/item-rules.ts";
import { newItem, type ItemState } from "../../src/domain/item.ts";
import type { EventDetails, EventDraft } from "../../src/domain/journal.ts";
import {
  ANSWERS,
  CANDIDATES,
  ItemWorld,
  laneAnswer,
  PEOPLE,
  PREPARATIONS,
  REDS,
  rulesFor,
  SESSIONS,
  TRIAGES,
  VERIFICATIONS,
  type Deeds,
} from "../support/item-world.ts";
import { anyInputs } from "./audit-fixtures.ts";
import { buildPlan, draft, EXIT_0, passingItem } from "./run-fixtures.ts";

/** Numbers that decide what the world does next; they repeat, so they never end a story. Small ones are good luck. */
class Luck {
  #at = 0;
  readonly #numbers: readonly number[];
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  next(): number {
    this.#at += 1;
    return this.#numbers[(this.#at - 1) % this.#numbers.length] ?? 0;
  }

  /** The first, which is how things go well, as often as `weight` of the others. */
  choose<T>([first, ...others]: readonly T[], weight: number): T {
    const choice = this.next() % (others.length + weight);
    return others[choice - weight] ?? (first as T);
  }

  deeds(): Deeds {
    return {
      prepare: () => this.choose(PREPARATIONS, 20),
      session: () => this.choose([...SESSIONS, ...Array.from({ length: 8 }, () => "handoff" as const)], 14),
      handoffTree: () => this.choose(["t", "u", "v", "w"], 1),
      candidate: () => this.choose(CANDIDATES, 8),
      verification: () => this.choose(VERIFICATIONS, 5),
      red: () => this.choose(REDS, 6),
      answer: () => this.choose(ANSWERS, 7),
      triage: () => this.choose(TRIAGES, 1),
    };
  }
}

const anySettings = fc.record({
  numbers: fc.array(fc.nat(5000), { minLength: 1, maxLength: 80 }),
  fixRounds: fc.nat(3),
  remediationRounds: fc.nat(2),
  rollovers: fc.nat(3),
  sessionsPerItem: fc.integer({ min: 1, max: 16 }),
  retries: fc.nat(2),
  lanes: fc.constantFrom(2, 3),
  triageProgram: fc.boolean(),
  manualGate: fc.boolean(),
  redGreen: fc.boolean(),
  externalEvidence: fc.boolean(),
});
type Settings = typeof anySettings extends fc.Arbitrary<infer T> ? T : never;

function configOf(settings: Settings): Config {
  const config = defaultConfig();
  const lane = (name: string) => ({ name, use: "command" as const, command: ["a"], env: [] });
  return {
    ...config,
    limits: {
      ...config.limits,
      "fix-rounds": settings.fixRounds,
      "remediation-rounds": settings.remediationRounds,
      "sessions-per-item": settings.sessionsPerItem,
      rollovers: settings.rollovers,
    },
    audits: {
      ...config.audits,
      retries: settings.retries,
      lanes: ["left", "right", "third"].slice(0, settings.lanes).map(lane),
    },
    triage: settings.triageProgram
      ? { use: "command", command: ["t"], "timeout-minutes": 1, env: [] }
      : { use: "rules" },
    prepare: { ...config.prepare, commands: [["p"]] },
  };
}

function planOf(settings: Settings) {
  return buildPlan([
    {
      required_commands: ["c"],
      requires_red_green: settings.redGreen,
      manual_gate: settings.manualGate ? "signoff" : "none",
      external_check: settings.externalEvidence ? "human_supplied_evidence_required" : "none",
    },
  ]);
}

/** Runs one invocation until the machine waits or the run is killed. */
function invoke(
  start: ItemState,
  world: ItemWorld,
  rules: ItemRules,
  see: (event: EventDraft) => void = () => undefined,
): ItemState {
  let state = start;
  // A round has at most some dozen steps, and each of its sessions is counted.
  const stepsMax = (rules.sessionsPerItem + 2) * (12 + rules.auditRetries);
  for (let steps = 0; ; steps += 1) {
    expect(steps, "steps of one invocation").toBeLessThan(stepsMax);
    const command = decideItem(state, rules);
    if (command.type === "nothing" || command.type === "stop") return state;
    const events = world.answer(command, state);
    for (const event of events) {
      see(event);
      state = evolveItem(state, event, rules);
    }
    if (events.at(-1)?.type === "session_started") return state;
  }
}

/** What people do next about an item that waits; often enough the right thing. */
function humanDeed(state: ItemState, luck: Luck): keyof typeof PEOPLE {
  if (state.settled?.terminalState === "awaiting_human_gate") {
    const { decision } = state.gate ?? {};
    if (decision === "none") return luck.choose(["approve", "reject", "resume"] as const, 1);
    if (decision === "rejected") return luck.choose(["reopen", "resume", "resume with a new attempt"] as const, 1);
  }
  if (state.settled?.terminalState === "blocked_external" && state.evidence.length === 0)
    return luck.choose(["supply evidence", "resume"] as const, 2);
  return luck.choose(["resume", "resume with a new attempt"] as const, 1);
}

/** Everything that was seen of an item, kept apart from the machine: what a pass must be able to show. */
class Ledger {
  readonly candidates = new Map<string, string>();
  readonly verifiedTrees = new Set<string>();
  readonly redProven = new Set<string>();
  readonly packets = new Map<string, { sha256: string; tree: string; base: string }>();
  readonly answers = new Map<string, EventDetails<"audit_finished">["lanes"][number]>();
  readonly judgedByPeople = new Set<string>();
  readonly approved = new Set<string>();
  hasEvidence = false;
  #packet = "";

  see(event: EventDraft): void {
    switch (event.type) {
      case "candidate_built":
        if (event.details.commit !== null) this.candidates.set(event.details.commit, event.details.tree);
        break;
      case "verification_finished":
        if (event.details.commands.every(({ ending }) => ending === EXIT_0))
          this.verifiedTrees.add(this.candidates.get(event.details.commit) ?? "none");
        break;
      case "red_green_judged":
        if (event.details.test_paths.length > 0 && event.details.red.some(({ ending }) => isRed(ending)))
          this.redProven.add(this.candidates.get(event.details.commit) ?? "none");
        break;
      case "packet_frozen":
        this.#packet = event.details.packet_sha256;
        this.packets.set(event.details.commit, {
          sha256: this.#packet,
          tree: event.details.tree,
          base: event.details.parent,
        });
        break;
      case "audit_finished":
        for (const lane of event.details.lanes) this.answers.set(`${event.details.packet_sha256} ${lane.lane}`, lane);
        break;
      case "triage_finished":
        if (
          event.details.ending === EXIT_0 &&
          event.details.facts.kind === "read" &&
          event.details.facts.dispositions.some(({ disposition }) => disposition === "requires_human_judgment")
        )
          this.judgedByPeople.add(this.#packet);
        break;
      case "gate_decided":
        if (event.details.decision === "approved") this.approved.add(event.details.commit);
        break;
      case "evidence_supplied":
        this.hasEvidence = true;
        break;
      default:
    }
  }

  /** Checks that the commit may pass, from what was seen alone. */
  checkPass(commit: string | null, settings: Settings): void {
    const packet = this.packets.get(commit ?? "") ?? expect.fail("no packet was frozen of the commit");
    expect(this.verifiedTrees, "verified").toContain(packet.tree);
    if (settings.redGreen) expect(this.redProven, "red and green").toContain(packet.tree);
    if (settings.manualGate) expect(this.approved, "approved").toContain(commit);
    if (settings.externalEvidence) expect(this.hasEvidence, "evidence").toBe(true);
    const answers = [...this.answers].filter(([key]) => key.startsWith(packet.sha256)).map(([, answer]) => answer);
    expect(answers).toHaveLength(settings.lanes);
    for (const { ending, facts } of answers) {
      expect(ending).toBe(EXIT_0);
      if (facts.kind !== "read") return expect.fail("a lane without an answer was waved through");
      expect(["pass", "issues_found"]).toContain(facts.verdict);
      const blocking = facts.findings.filter((finding) => finding.is_blocking);
      if (blocking.length > 0) {
        expect(this.judgedByPeople, "a blocking finding is for a person").toContain(packet.sha256);
        expect(this.approved, "and the person approved").toContain(commit);
      }
      const isSorted = settings.triageProgram;
      if (!isSorted) expect(facts.findings.filter(({ severity }) => severity === "high")).toEqual([]);
    }
  }
}

function isRed(ending: EventDetails<"red_green_judged">["red"][number]["ending"]): boolean {
  return ending.kind === "exited" && ending.exit_code > 0 && ending.exit_code < 126;
}

describe("whatever programs and people do", () => {
  it("one invocation ends within the calls that a dry run promises, of every kind", () => {
    const reached = { sessions: 0, verifications: 0, reds: 0, audits: 0, triages: 0, worktrees: 0 };
    fc.assert(
      fc.property(anySettings, (settings) => {
        const config = configOf(settings);
        const plan = planOf(settings);
        const bound = boundCalls(plan, config, ["01"], false);
        const world = new ItemWorld(new Luck(settings.numbers).deeds());
        const started = evolveItem(newItem("01"), draft("item_started", {}), rulesOf(config, plan));
        const evidence = settings.externalEvidence ? { evidence: ["evidence/01/measured.txt"] } : {};
        invoke({ ...started, ...evidence }, world, rulesOf(config, plan));
        const limits = {
          sessions: bound.executorSessions,
          verifications: bound.verificationCommands,
          reds: bound.redCommands,
          audits: bound.auditorSessions,
          triages: bound.triageSessions,
          // The base is prepared once, before the first item.
          worktrees: bound.prepareCommands - 1,
        };
        for (const kind of Object.keys(limits) as (keyof typeof limits)[]) {
          expect(world.counts[kind], kind).toBeLessThanOrEqual(limits[kind]);
          if (limits[kind] > 0 && world.counts[kind] === limits[kind]) reached[kind] += 1;
        }
      }),
      { seed: 5, numRuns: 4000 },
    );
    // A bound that nothing comes near would promise nothing. All worktrees at once take void and judged rounds alike,
    // which exclude each other; each part of that sum is reached by its own count.
    const { worktrees: _worktrees, ...kinds } = reached;
    for (const [kind, times] of Object.entries(kinds)) expect(times, kind).toBeGreaterThan(10);
  });

  it("the bound is reached: every handoff, in every round a session without change, lanes that answer at the last moment", () => {
    const settings: Settings = {
      numbers: [0],
      fixRounds: 1,
      remediationRounds: 1,
      rollovers: 2,
      sessionsPerItem: 16,
      retries: 2,
      lanes: 2,
      triageProgram: true,
      manualGate: false,
      redGreen: true,
      externalEvidence: false,
    };
    const [config, plan] = [configOf(settings), planOf(settings)];
    const handoffs = ["t", "u"];
    let built = 0;
    // Both lanes fail as often as they may, and answer at the last moment.
    let asked = 0;
    const late = new ItemWorld({
      ...new Luck([0]).deeds(),
      session: () => (handoffs.length > 0 ? "handoff" : "work"),
      handoffTree: () => handoffs.shift() ?? "none",
      candidate: () => ((built += 1) % 2 === 1 ? "no change" : "change"),
      answer: (lane) =>
        (asked += 1) % 6 === 5 || asked % 6 === 0 ? "blocking finding" : lane === "left" ? "exit 1" : "no answer",
    });
    const state = invoke(newItem("01"), late, rulesOf(config, plan));
    expect(state.settled?.reasonCodes).toEqual(["FIX_BUDGET_EXHAUSTED", "AUDIT_BLOCKING_FINDING"]);
    const bound = boundCalls(plan, config, ["01"], false);
    expect(late.counts).toEqual({
      sessions: bound.executorSessions,
      verifications: bound.verificationCommands,
      reds: bound.redCommands,
      audits: bound.auditorSessions,
      triages: bound.triageSessions,
      // One attempt for all rounds; void candidates would each have opened another, and been neither proven nor audited.
      worktrees: bound.prepareCommands - 1 - (3 - 1),
    });
  });

  it("an item passes only with what was verified, proven, audited and approved, commit by commit", () => {
    const passed = { all: 0, gate: 0, redGreen: 0, evidence: 0, judged: 0 };
    fc.assert(
      fc.property(anySettings, (settings) => {
        const rules = rulesOf(configOf(settings), planOf(settings));
        const luck = new Luck(settings.numbers);
        // A triage that asks for a person is what brings an item without a gate to one, so it is made likelier here.
        const triages = [...TRIAGES, ...Array.from({ length: 8 }, () => "all for a person" as const)];
        const world = new ItemWorld({ ...luck.deeds(), triage: () => luck.choose(triages, 1) });
        const ledger = new Ledger();
        let state = newItem("01");
        for (let invocation = 0; invocation < 12; invocation += 1) {
          state = invoke(state, world, rules, (event) => {
            ledger.see(event);
            if (event.type === "item_settled" && event.details.terminal_state === "passed") {
              ledger.checkPass(event.details.commit, settings);
              passed.all += 1;
              if (settings.manualGate) passed.gate += 1;
              if (settings.redGreen) passed.redGreen += 1;
              if (settings.externalEvidence) passed.evidence += 1;
              if (!settings.manualGate && ledger.approved.has(event.details.commit ?? "")) passed.judged += 1;
            }
          });
          if (state.settled?.terminalState === "passed") break;
          const deed = PEOPLE[humanDeed(state, luck)](state);
          ledger.see(deed);
          state = evolveItem(state, deed, rules);
        }
      }),
      { seed: 6, numRuns: 2500 },
    );
    for (const [kind, times] of Object.entries(passed)) expect(times, kind).toBeGreaterThan(10);
  });

  it("a run that is killed anywhere and resumed decides what it would have decided, but for an open session", () => {
    fc.assert(
      fc.property(anySettings, fc.nat(60), (settings, killAt) => {
        const rules = rulesOf(configOf(settings), planOf(settings));
        const events: EventDraft[] = [];
        invoke(newItem("01"), new ItemWorld(new Luck(settings.numbers).deeds()), rules, (event) => events.push(event));
        const kept = events.slice(0, killAt);
        const killed = kept.reduce((state, event) => evolveItem(state, event, rules), newItem("01"));
        const resumed = decideItem(evolveItem(killed, PEOPLE.resume(), rules), rules);
        const last = kept.at(-1)?.type;
        if (last === "session_started") expect(resumed.type).toBe("lose_attempt");
        else if (killed.stop === undefined && killed.rollovers <= rules.rollovers)
          expect(resumed).toEqual(decideItem(killed, rules));
        if (last === "audit_started") expect(resumed.type).toBe("run_audits");
        if (last === "triage_started") expect(resumed.type).toBe("run_triage");
        if (last === "gate_requested") expect(resumed.type).toBe("settle");
        if (last === "item_commit_prepared") expect(resumed.type).toBe("advance_branch");
      }),
      { seed: 7, numRuns: 2000 },
    );
  });
});

describe("the order in which things are seen", () => {
  const rulesOfThree = (triageProgram: boolean): ItemRules =>
    rulesFor({ lanes: ["left", "right", "third"], triageProgram });

  /** An item whose packet is frozen, and what it would next be asked with these answers. */
  function frozen(rules: ItemRules): ItemState {
    const events = passingItem();
    const verified = events.slice(0, events.findIndex(({ type }) => type === "verification_finished") + 1);
    const packet = draft("packet_frozen", {
      attempt: 1,
      round: 1,
      packet_sha256: "1".repeat(64),
      commit: "audited",
      tree: "tree-1",
      parent: "base",
      files: [],
    });
    return [...verified, packet].reduce((state, event) => evolveItem(state, event, rules), newItem("01"));
  }

  const audit = (lanes: EventDetails<"audit_finished">["lanes"]): EventDraft =>
    draft("audit_finished", {
      attempt: 1,
      round: 1,
      packet_sha256: "1".repeat(64),
      lanes,
      tamper: [],
      checkout_changed: false,
      executions: [],
      files: [],
    });
  const merged = draft("findings_merged", { attempt: 1, round: 1, findings_sha256: "2".repeat(64), files: [] });
  const shuffled = <T>(list: readonly T[], order: readonly number[]): T[] =>
    list
      .map((entry, index) => ({ entry, at: order[index % order.length] ?? 0 }))
      .sort((a, b) => a.at - b.at)
      .map(({ entry }) => entry);

  const anyOrder = fc.array(fc.nat(), { minLength: 3, maxLength: 12 });
  const anyAnswer = fc.constantFrom(...ANSWERS);

  it("of lanes, of their findings and of a triage's answers decides nothing", () => {
    const decided = new Set<string>();
    fc.assert(
      fc.property(
        fc.tuple(anyAnswer, anyAnswer, anyAnswer),
        anyInputs,
        fc.option(fc.constantFrom("actionable", "false_positive", "requires_human_judgment", "blocked_external")),
        anyOrder,
        (answers, { lanes: findings }, disposition, order) => {
          const rules = rulesOfThree(disposition !== null);
          const lanes = rules.lanes.map((lane, index) => {
            const { ending, facts } = laneAnswer(answers[index] ?? "pass");
            const more = findings[index]?.findings ?? [];
            return {
              lane,
              nonce: lane,
              ending,
              survivors: [],
              facts: facts.kind === "read" ? { ...facts, findings: [...facts.findings, ...more] } : facts,
            };
          });
          const turned = shuffled(lanes, order).map((lane) => ({
            ...lane,
            facts:
              lane.facts.kind === "read"
                ? { ...lane.facts, findings: shuffled(lane.facts.findings, order) }
                : lane.facts,
          }));
          const follow = (seen: typeof lanes, inOrder: (ids: string[]) => string[]): string[] => {
            let state = evolveItem(frozen(rules), audit(seen), rules);
            const commands = [decideItem(state, rules)];
            if (commands.at(-1)?.type === "merge_findings") {
              state = evolveItem(state, merged, rules);
              commands.push(decideItem(state, rules));
            }
            if (commands.at(-1)?.type === "run_triage" && disposition !== null) {
              const [, finished] = new ItemWorld({
                ...new Luck([0]).deeds(),
                triage: () =>
                  (
                    {
                      actionable: "all actionable",
                      false_positive: "all fine",
                      requires_human_judgment: "all for a person",
                      blocked_external: "all external",
                    } as const
                  )[disposition],
              }).answer(commands.at(-1) ?? { type: "nothing" }, state);
              if (finished?.type !== "triage_finished" || finished.details.facts.kind !== "read")
                throw new Error("none");
              const { facts } = finished.details;
              const ids = inOrder(facts.dispositions.map(({ finding_id }) => finding_id));
              const answered = ids.flatMap((id) => facts.dispositions.filter(({ finding_id }) => finding_id === id));
              const details = { ...finished.details, facts: { ...facts, dispositions: answered } };
              state = evolveItem(state, draft("triage_finished", details), rules);
              commands.push(decideItem(state, rules));
            }
            decided.add(commands.at(-1)?.type ?? "");
            return commands.map((command) => JSON.stringify(command));
          };
          expect(follow(turned, (ids) => shuffled(ids, order))).toEqual(follow(lanes, (ids) => ids));
        },
      ),
      { seed: 8, numRuns: 2000 },
    );
    // All the ways on were gone.
    expect([...decided].sort()).toEqual(
      ["merge_findings", "prepare_commit", "request_gate", "run_audits", "run_session", "settle", "stop"].filter(
        (type) => type !== "merge_findings",
      ),
    );
  });

  it("in which lanes answer, all in one turn or one after the other, decides nothing", () => {
    fc.assert(
      fc.property(fc.tuple(anyAnswer, anyAnswer, anyAnswer), anyOrder, (answers, order) => {
        const rules = rulesOfThree(false);
        const lanes = rules.lanes.map((lane, index) => ({
          lane,
          nonce: lane,
          ...laneAnswer(answers[index] ?? "pass"),
        }));
        const waits = lanes.some(({ ending }) => ending.kind === "timed_out" || ending.kind === "cancelled");
        fc.pre(!waits);
        const together = evolveItem(frozen(rules), audit(lanes), rules);
        const apart = shuffled(lanes, order).reduce(
          (state, lane) => evolveItem(state, audit([lane]), rules),
          frozen(rules),
        );
        expect(decideItem(apart, rules)).toEqual(decideItem(together, rules));
      }),
      { seed: 9, numRuns: 500 },
    );
  });
});
