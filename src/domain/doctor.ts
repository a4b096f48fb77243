import type { CheckpointVerdict } from "./checkpoint.ts";
import { GIT_MIN_TEXT, isGitTooOld } from "./git-version.ts";
import { encodeName } from "./ids.ts";
import type { ReasonCode } from "./reason-codes.ts";
import type { RunState } from "./run.ts";
import { decideSandbox, type SandboxFacts, type SandboxWish } from "./sandbox.ts";
import { judgeLayers, STRENGTHS } from "./sandbox-layers.ts";
import type { SavedRunFault } from "./saved-run.ts";

/**
 * Repairs that need no judgement: each makes again what the journal alone says, or removes what nothing will ever read.
 * In the order in which they are done.
 */
const SAFE_REPAIRS = [
  "processes",
  "torn_tail",
  "temporary_files",
  "leftover_files",
  "checkpoint",
  "sealing",
  "base_pin",
  "worktrees",
] as const;
export type SafeRepair = (typeof SAFE_REPAIRS)[number];

/** One thing that doctor looked at. */
export interface DoctorFinding {
  readonly area: "environment" | "repository" | "configuration" | "plan" | "run";
  readonly level: "ok" | "warning" | "error";
  readonly code: string | null;
  readonly message: string;
  /** `safe`: `--fix-safe` does it; `unsafe`: a person has to look; `none`: there is nothing to mend in the run folder. */
  readonly repair: "safe" | "unsafe" | "none";
  /** Which safe repair. */
  readonly act: SafeRepair | null;
}

/** What doctor reads of the machine. */
export interface EnvironmentFacts {
  readonly node: string;
  readonly git: string | undefined;
  readonly bash: string | undefined;
  readonly platform: string;
  readonly parentDeath: boolean;
  readonly ambientAgentConfig: readonly string[];
}

/** Judges the machine: Node, git, bash, the platform, and settings of agents that lie about (AMBIENT_AGENT_CONFIG). */
export function judgeEnvironment(facts: EnvironmentFacts): DoctorFinding[] {
  const say = (level: DoctorFinding["level"], message: string, code: ReasonCode | null = null): DoctorFinding =>
    buildFinding("environment", level, message, { code });
  return [
    say("ok", `Node ${facts.node}`),
    facts.git === undefined
      ? say("error", `git is missing: install git ${GIT_MIN_TEXT} or newer`)
      : isGitTooOld(facts.git)
        ? say("error", `git ${facts.git} is too old: install ${GIT_MIN_TEXT} or newer`)
        : say("ok", `git ${facts.git}`),
    facts.bash === undefined
      ? say("error", "bash is missing: required commands are run by it")
      : say("ok", `bash at ${facts.bash}`),
    facts.platform === "linux"
      ? say("ok", "Linux is supported whole")
      : say("warning", `${facts.platform}: what only Linux enforces is advisory here`),
    facts.parentDeath
      ? say("ok", "programs die with the orchestrator (setpriv)")
      : say("warning", "no setpriv: programs may outlive an orchestrator that is killed; a resume ends them"),
    ...facts.ambientAgentConfig.map((path) =>
      say("warning", `${path} could change what an agent does`, "AMBIENT_AGENT_CONFIG"),
    ),
  ];
}

/**
 * Judges what the machine offers to hold programs with: the tier, and what each protection is worth in it. Reason code:
 * SANDBOX_UNAVAILABLE, as a run would be refused.
 */
export function judgeSandbox(facts: SandboxFacts, wish: SandboxWish): DoctorFinding[] {
  const { tier, why, refusal } = decideSandbox(facts, wish);
  const layers = judgeLayers(tier, facts, wish.held_keys);
  const levels = { 1: wish.level === "off" ? "ok" : "warning", 3: "ok" } as const;
  const standing =
    refusal === undefined
      ? buildFinding("environment", levels[tier], `sandbox tier ${tier}: ${why}`)
      : buildFinding("environment", "error", refusal, { code: "SANDBOX_UNAVAILABLE" });
  const groups = STRENGTHS.map((strength) => ({
    strength,
    of: layers.filter((layer) => layer.strength === strength),
  })).filter(({ of }) => of.length > 0);
  return [
    standing,
    ...groups.map(({ strength, of }) =>
      buildFinding("environment", "ok", `sandbox, ${strength}: ${of.map(({ layer }) => layer).join(", ")}`),
    ),
  ];
}

/** What doctor reads of a run that can be read. */
export interface DoctorRunFacts {
  readonly state: RunState;
  /** Who holds the run now. */
  readonly holder: string | undefined;
  readonly checkpoint: CheckpointVerdict;
  readonly tornBytes: number;
  /** Plain files that no event names. */
  readonly leftoverFiles: readonly string[];
  /** Files that were being written when somebody was killed. */
  readonly temporaryFiles: readonly string[];
  /** What a resume would refuse to build on. */
  readonly refused: SavedRunFault | undefined;
  /** What `verify` found. */
  readonly mismatches: readonly { readonly where: string; readonly message: string }[];
  /** What `refs/conveyor/base/<RUN_ID>` names in the user's repository. */
  readonly basePin: string | undefined;
  readonly baseExists: boolean;
  /** Names of worktrees, and of what git knows about worktrees. */
  readonly worktrees: readonly string[];
  /** Programs of the run that are alive. */
  readonly processes: number;
}

/**
 * Judges a run: what contradicts the journal is unsafe to mend and left to a person; what a killed process left, and
 * what the journal alone makes again, is safe. Reason codes: LOCKED and those of `checkSavedRun`.
 */
export function judgeDoctorRun(facts: DoctorRunFacts): DoctorFinding[] {
  const { state, holder } = facts;
  const held: DoctorFinding[] =
    holder === undefined
      ? []
      : [onRun("ok", `${state.runId} is held by ${holder}`, { repair: "unsafe", code: "LOCKED" })];
  // Its files change while they are looked at: what a process is doing cannot be told from what one left.
  if (held.length > 0 && !state.sealed) return held;
  const found = [...judgeContradictions(facts), ...judgeRemains(facts), ...judgeSurroundings(facts)];
  return [...held, ...found, ...judgeStanding(state, [...held, ...found])];
}

/** The repairs to be done, in their order; none while anything of the run is unsafe: it would cover the traces. */
export function planRepairs(findings: readonly DoctorFinding[]): SafeRepair[] {
  if (findings.some((finding) => finding.area === "run" && finding.repair === "unsafe")) return [];
  return SAFE_REPAIRS.filter((repair) => findings.some((finding) => finding.act === repair));
}

type Rest = Partial<Pick<DoctorFinding, "code" | "repair" | "act">>;

/** Builds a finding; unless told, there is nothing to mend in a run folder. */
export function buildFinding(
  area: DoctorFinding["area"],
  level: DoctorFinding["level"],
  message: string,
  rest: Rest = {},
): DoctorFinding {
  return { area, level, code: null, message, repair: "none", act: null, ...rest };
}

/** Builds a finding about a run that cannot be read, or contradicts itself: only a person can say what happened. */
export function buildUnsafe(code: string, where: string, message: string): DoctorFinding {
  return onRun("error", `${where}: ${message}`, { code, repair: "unsafe" });
}

function onRun(level: DoctorFinding["level"], message: string, rest: Rest = {}): DoctorFinding {
  return buildFinding("run", level, message, rest);
}

/** The commit that `refs/conveyor/base/<RUN_ID>` keeps from being pruned. */
export function pinnedBase(state: RunState): string {
  return state.baseCommit;
}

/**
 * Worktrees that nothing will go on in: those of items that have passed, and all of them when every item has. An item's
 * name can begin with another's and a number, so a name counts only when no other item could have made it.
 */
export function findSettledWorktrees(state: RunState, names: readonly string[]): string[] {
  const isPassed = (item: RunState["items"][number]): boolean => item.settled?.terminalState === "passed";
  if (state.stop !== undefined && state.items.every(isPassed)) return [...names];
  const prefixes = (passed: boolean): string[] =>
    state.items
      .filter((item) => isPassed(item) === passed)
      .flatMap((item) => item.attempts.map(({ attempt }) => `${encodeName(item.itemId)}-${attempt}-`));
  const [settled, others] = [prefixes(true), prefixes(false)];
  const begins = (name: string, with_: readonly string[]): boolean => with_.some((prefix) => name.startsWith(prefix));
  return names.filter((name) => begins(name, settled) && !begins(name, others));
}

function judgeContradictions({ checkpoint, refused, mismatches, ...facts }: DoctorRunFacts): DoctorFinding[] {
  // Remains have a finding of their own, which says what mends them.
  const remains = new Set([
    ...facts.leftoverFiles,
    ...facts.temporaryFiles,
    ...(checkpoint.kind === "rebuild" ? ["orchestrator_checkpoint.json"] : []),
    ...(facts.tornBytes > 0 ? ["run-events.jsonl"] : []),
  ]);
  return [
    ...(refused === undefined ? [] : [buildUnsafe(refused.code, refused.path, refused.message)]),
    ...mismatches
      .filter(({ where }) => !remains.has(where) && where !== refused?.path)
      .map(({ where, message }) => buildUnsafe("ARTIFACT_TAMPERED", where, message)),
  ];
}

/** What a killed process left in the run folder. */
function judgeRemains({ state, checkpoint, ...facts }: DoctorRunFacts): DoctorFinding[] {
  const safe = (act: SafeRepair, message: string): DoctorFinding => onRun("warning", message, { repair: "safe", act });
  return [
    ...(facts.tornBytes === 0
      ? []
      : [safe("torn_tail", `${facts.tornBytes} bytes of a torn last line follow the journal`)]),
    ...(facts.temporaryFiles.length === 0
      ? []
      : [safe("temporary_files", `files that were being written: ${list(facts.temporaryFiles)}`)]),
    ...(facts.leftoverFiles.length === 0
      ? []
      : [safe("leftover_files", `files that no event names: ${list(facts.leftoverFiles)}`)]),
    ...(checkpoint.kind === "rebuild" ? [safe("checkpoint", checkpoint.why)] : []),
    ...(state.stop !== undefined && !state.sealed
      ? [safe("sealing", "it has stopped, and its reports were not written to the end")]
      : []),
  ];
}

/** What lies around the run folder. */
function judgeSurroundings({ state, basePin, baseExists, worktrees, processes }: DoctorRunFacts): DoctorFinding[] {
  const base = pinnedBase(state);
  const ref = `refs/conveyor/base/${state.runId}`;
  const settled = findSettledWorktrees(state, worktrees);
  const found: DoctorFinding[] = [];
  if (processes > 0) {
    const message = `${processes} program${processes === 1 ? "" : "s"} of it still running, and nobody holds the run`;
    found.push(onRun("warning", message, { repair: "safe", act: "processes" }));
  }
  // A run that is done needs its base no more: the delivered branch holds it.
  if (state.stop?.terminalState !== "done" && basePin !== base) {
    if (basePin !== undefined) found.push(onRun("error", `${ref} names ${basePin}, not ${base}`, { repair: "unsafe" }));
    else if (!baseExists)
      found.push(onRun("error", `its base ${base} is not in this repository`, { repair: "unsafe" }));
    else found.push(onRun("warning", `${ref} is missing`, { repair: "safe", act: "base_pin" }));
  }
  if (settled.length > 0) {
    const message = `worktrees that nothing will go on in: ${list(settled)}`;
    found.push(onRun("ok", message, { repair: "safe", act: "worktrees" }));
  }
  return found;
}

/** How the run stands, when nothing was found that says so already. */
function judgeStanding(state: RunState, found: readonly DoctorFinding[]): DoctorFinding[] {
  if (found.some((finding) => finding.level === "error" || finding.code === "LOCKED")) return [];
  if (state.stop === undefined)
    return [onRun("warning", `${state.runId} was cut short: conveyor resume goes on with it`)];
  return found.some((finding) => finding.level !== "ok")
    ? []
    : [onRun("ok", `${state.runId} is sealed and agrees with its journal`)];
}

const LISTED_MAX = 10;

function list(names: readonly string[]): string {
  const more = names.length - LISTED_MAX;
  return `${names.slice(0, LISTED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
