import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { decideItem, type ItemCommand } from "../../src/domain/item-decide.ts";
import { evolveItem } from "../../src/domain/item-evolve.ts";
import type { ItemDemands, ItemRules } from "../../src/domain/item-rules.ts";
import { lastAttempt, newItem, type ItemState } from "../../src/domain/item.ts";
import type { EventDraft } from "../../src/domain/journal.ts";
import type { RunStop } from "../../src/domain/run-stop.ts";
import { ItemWorld, PEOPLE, rulesFor, type Deeds } from "../support/item-world.ts";

/** Writes the transcripts anew instead of comparing them: `CONVEYOR_UPDATE_TRANSCRIPTS=1`. */
const UPDATE = process.env["CONVEYOR_UPDATE_TRANSCRIPTS"] === "1";
const FOLDER = fileURLToPath(new URL("transcripts", import.meta.url));

/** What the world does, in order; when a list is used up all goes well. */
interface Story {
  /** What the item asks for, and what the run allows. */
  readonly demands?: Partial<ItemDemands>;
  readonly rules?: Partial<Omit<ItemRules, "demands">>;
  readonly session?: ReturnType<Deeds["session"]>[];
  readonly candidate?: ReturnType<Deeds["candidate"]>[];
  readonly verification?: ReturnType<Deeds["verification"]>[];
  readonly red?: ReturnType<Deeds["red"]>[];
  readonly left?: ReturnType<Deeds["answer"]>[];
  readonly right?: ReturnType<Deeds["answer"]>[];
  readonly triage?: ReturnType<Deeds["triage"]>[];
  readonly handoffTree?: string[];
  /** What people do, one for each time the machine has nothing more to do. */
  readonly people?: (keyof typeof PEOPLE)[];
}

const STORIES: Record<string, Story> = {
  "one-item-passes": {},
  "finding-and-fix-round": { left: ["blocking finding"] },
  "both-lanes-block": { left: ["blocking finding", "high finding"], right: ["high finding", "blocking finding"] },
  "lanes-block-for-ever": {
    rules: { fixRounds: 1 },
    left: ["blocking finding", "blocking finding", "blocking finding"],
    right: ["pass", "low finding", "pass beside a blocking finding"],
  },
  "lane-engine-fails-then-recovers": { right: ["no answer", "exit 1"] },
  "lane-engine-failed-for-good": { right: ["inconclusive", "no answer", "exit 1"] },
  "scope-violation-void-then-passes": { candidate: ["outside the roots"] },
  "no-change-twice": { candidate: ["no change", "no change"] },
  "verification-fails-for-ever": { verification: ["fail", "fail", "fail", "fail"] },
  "handoffs-then-finishes": { session: ["handoff", "handoff", "handoff"], handoffTree: ["a", "b", "c"] },
  "handoffs-without-progress": { session: ["handoff", "handoff"], handoffTree: ["a", "a"] },
  "rollover-limit": {
    rules: { rollovers: 1 },
    session: ["handoff", "handoff"],
    handoffTree: ["a", "b"],
    people: ["resume"],
  },
  "manual-gate-approved": { demands: { manualGate: true }, people: ["resume", "approve", "resume"] },
  "manual-gate-rejected": {
    demands: { manualGate: true },
    people: ["reject", "resume", "reopen", "approve", "resume"],
  },
  "external-evidence": { demands: { externalEvidence: true }, people: ["resume", "supply evidence", "resume"] },
  "red-green-not-proven": {
    demands: { redGreen: true },
    red: ["no test files", "green on the base", "not found", "green on the base"],
  },
  "red-green-proven-in-the-fix": { demands: { redGreen: true }, red: ["green on the base"] },
  "triage-asks-for-human-judgment": {
    rules: { triageProgram: true },
    left: ["blocking finding"],
    triage: ["all for a person"],
    people: ["approve", "resume"],
  },
  "triage-says-all-is-fine": { rules: { triageProgram: true }, left: ["blocking finding"], triage: ["all fine"] },
  "timeout-and-resume": { session: ["timeout"], people: ["resume"] },
  "killed-session": { session: ["killed"], people: ["resume"] },
  "git-tampered": { session: ["tampers"], people: ["resume", "resume with a new attempt"] },
};

test.each(Object.entries(STORIES))("%s", (name, story) => {
  const text = tell(name, story);
  const file = join(FOLDER, `${name}.txt`);
  if (UPDATE) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, "utf8"));
});

test("every transcript that is kept has its story", () => {
  expect(readdirSync(FOLDER).sort()).toEqual(
    Object.keys(STORIES)
      .map((name) => `${name}.txt`)
      .sort(),
  );
});

/** Drives the machine through a story and writes down each step: command, event, and what changed in the state. */
function tell(name: string, story: Story): string {
  const rules = rulesFor(story.rules, story.demands);
  const world = new ItemWorld(deedsOf(story));
  const people = [...(story.people ?? [])];
  const lines = [`# ${name.replaceAll("-", " ")}`, describeRules(story), ""];
  let state = newItem("01");
  const step = (left: string, event: EventDraft): void => {
    const next = evolveItem(state, event, rules);
    lines.push(`${left.padEnd(44)} → ${event.type.padEnd(21)} ${describeChange(state, next)}`.trimEnd());
    state = next;
  };
  for (let steps = 0; steps < 200; steps += 1) {
    const command = decideItem(state, rules);
    const isWaiting = command.type === "nothing" || command.type === "stop";
    const events = isWaiting ? [] : world.answer(command, state);
    for (const [index, event] of events.entries()) step(index === 0 ? describeCommand(command) : "", event);
    const isKilled = events.at(-1)?.type === "session_started";
    if (!isWaiting && !isKilled) continue;
    lines.push(isKilled ? "(the run is killed)" : describeCommand(command));
    const deed = people.shift();
    if (deed === undefined) return `${lines.join("\n")}\n`;
    step(`person: ${deed}`, PEOPLE[deed](state));
  }
  throw new Error("the story does not end");
}

function deedsOf(story: Story): Deeds {
  const next = <T>(list: readonly T[] | undefined, usual: T): (() => T) => {
    const left = [...(list ?? [])];
    return () => left.shift() ?? usual;
  };
  const lanes = { left: next(story.left, "pass"), right: next(story.right, "pass") };
  return {
    prepare: () => "fine",
    session: next(story.session, "work"),
    handoffTree: next(story.handoffTree, "handed-off"),
    candidate: next(story.candidate, "change"),
    verification: next(story.verification, "pass"),
    red: next(story.red, "red"),
    answer: (lane) => (lane === "left" ? lanes.left() : lanes.right()),
    triage: next(story.triage, "all actionable"),
  };
}

function describeRules({ demands = {}, rules = {} }: Story): string {
  const asked = Object.keys(demands);
  const allowed = Object.entries(rules).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [
    `the item asks for ${asked.length === 0 ? "nothing special" : asked.join(", ")}`,
    ...(allowed.length === 0 ? [] : [allowed.join(", ")]),
  ].join("; ");
}

function describeCommand(command: ItemCommand): string {
  switch (command.type) {
    case "open_attempt":
      return `open_attempt ${command.attempt}, round ${command.round}`;
    case "run_session":
      return `run_session ${command.session} (${command.kind}, round ${command.round})`;
    case "run_audits":
      return `run_audits ${command.lanes.join(", ")}${command.failures === 0 ? "" : `, failed ${command.failures} times`}`;
    case "request_gate":
      return `request_gate ${command.gateType}`;
    case "settle":
      return `settle ${command.terminalState}`;
    case "stop":
      return `stop ${describeStop(command.stop)}`;
    case "nothing":
      return "(nothing more to do)";
    default:
      return command.type;
  }
}

function describeStop(stop: RunStop): string {
  return [stop.kind === "terminal" ? stop.terminalState : stop.kind, ...stop.reasonCodes].join(" ");
}

/** What of the state a person wants to see change, in the order in which it happens. */
function summarize(state: ItemState): Record<string, string> {
  const attempt = lastAttempt(state);
  const session = attempt?.sessions.at(-1);
  const candidate = attempt?.candidates.at(-1);
  const shown: Record<string, string | number | undefined> = {
    started: state.started ? "yes" : undefined,
    evidence: state.evidence.length === 0 ? undefined : state.evidence.join(", "),
    attempt: attempt?.attempt,
    "attempt ended": attempt?.ended,
    round: attempt === undefined ? undefined : state.round,
    sessions: state.sessionsUsed === 0 ? undefined : state.sessionsUsed,
    session: session === undefined ? undefined : describeOutcome(session.outcome),
    tampered: session?.tamperKinds.join(", "),
    handoffs: state.rollovers === 0 ? undefined : state.rollovers,
    "trees handed off": state.handoffTrees.join(", "),
    candidate: candidate === undefined ? undefined : (candidate.commit ?? "none"),
    refused: candidate?.violations.map(({ code }) => code).join(", "),
    "unchanged in a row": state.unchangedInARow === 0 ? undefined : state.unchangedInARow,
    verified: candidate?.verdict?.kind,
    "red/green": candidate?.redGreenGap === "" ? "proven" : candidate?.redGreenGap,
    "packet of": candidate?.packet?.commit,
    ...Object.fromEntries(
      (candidate?.lanes ?? []).map(({ lane, outcome, failures, findings }) => [
        `lane ${lane}`,
        [
          outcome.kind === "findings" && outcome.blocks ? "findings that block" : outcome.kind,
          ...(findings.length === 0 ? [] : [`(${findings.map(({ title }) => title).join("; ")})`]),
          ...(failures === 0 ? [] : [`after ${failures} failures`]),
        ].join(" "),
      ]),
    ),
    findings: candidate?.findingsSha256 === undefined ? undefined : "merged",
    triage: candidate?.triage === undefined ? undefined : describeTriage(candidate.triage),
    gate:
      state.gate === undefined ? undefined : `${state.gate.gateType} ${state.gate.decision} ${state.gate.by}`.trim(),
    "to be taken": state.commitPrepared?.commit,
    stop: state.stop === undefined ? undefined : describeStop(state.stop),
    settled:
      state.settled === undefined ? undefined : [state.settled.terminalState, ...state.settled.reasonCodes].join(" "),
  };
  return Object.fromEntries(
    Object.entries(shown).flatMap(([key, value]) =>
      value === undefined || value === "" ? [] : [[key, String(value)]],
    ),
  );
}

function describeOutcome(outcome: NonNullable<ItemState["attempts"][number]["sessions"][number]>["outcome"]): string {
  return outcome.kind === "failed" ? `failed ${outcome.reasonCode}` : outcome.kind;
}

function describeTriage(triage: NonNullable<ItemState["attempts"][number]["candidates"][number]["triage"]>): string {
  return triage.kind === "rejected" ? "rejected" : triage.dispositions.map(({ disposition }) => disposition).join(", ");
}

function describeChange(before: ItemState, after: ItemState): string {
  const [old, now] = [summarize(before), summarize(after)];
  const changed = Object.entries(now).flatMap(([key, value]) => (old[key] === value ? [] : [`${key}: ${value}`]));
  const gone = Object.keys(old).flatMap((key) => (key in now ? [] : [`no ${key}`]));
  return [...changed, ...gone].join(" · ");
}
