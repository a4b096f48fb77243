import { ALLOWANCE_WORDS, isAllowance, type Allowance } from "../domain/doors.ts";
import { findNearest } from "../domain/did-you-mean.ts";
import type { GateSignals } from "../domain/gates.ts";
import { normalizePath, pathProblem } from "../domain/paths.ts";
import { RUN_ID } from "../domain/ids.ts";
import type { PublicationAnchors } from "../domain/publication.ts";
import { err, ok, type Result } from "../domain/result.ts";
import {
  DEFAULT_CONFIG_PATH,
  COST_USD_MAX,
  MINUTES_PER_RUN_MAX,
  MODES,
  SANDBOX_LEVELS,
  type Mode,
  type SandboxLevel,
} from "../domain/run-choices.ts";
import { CI_SIGNALS, GATE_SOURCES, NO_SIGNALS, POLICY_SIGNALS, REVIEW_SIGNALS } from "../domain/signals.ts";

/** What the Action can be asked for. */
export const COMMANDS = ["run", "preflight", "publish", "gate"] as const;
export type ActionCommand = (typeof COMMANDS)[number];

const DELIVERIES = ["none", "branch"] as const;
/** Terminal states that can make the step red: `done` never does. */
const RED_STATES = ["blocked", "failed", "timeout"] as const;

const RETENTION_DAYS_MAX = 400;
const SHA256 = /^[0-9a-f]{64}$/;
const SHA256_SAID = "64 hexadecimal digits in lower case";

/** Which commands read an input, and the value that counts as not given. `action.yml` says the same. */
interface InputSpec {
  readonly readBy: readonly ActionCommand[];
  readonly fallback: string;
}

const all = (fallback: string): InputSpec => ({ readBy: COMMANDS, fallback });
const only = (readBy: readonly ActionCommand[], fallback = ""): InputSpec => ({ readBy, fallback });

/** Every input (source document: contracts, "The Action"). */
export const INPUTS = {
  command: all("run"),
  plan: only(["run", "preflight", "gate"]),
  // Preflight reads what a resumed run cannot be given, to say so before a runner is paid for.
  items: only(["run", "preflight"]),
  mode: only(["run", "preflight", "gate"]),
  config: all(DEFAULT_CONFIG_PATH),
  "resume-from": only(["run", "preflight", "publish", "gate"]),
  "resume-artifact": only(["run", "preflight", "publish", "gate"]),
  "artifact-digest": only(["run", "preflight", "publish", "gate"]),
  "pack-sha256": only(["publish"]),
  "run-id": only(["publish"]),
  "plan-id": only(["publish"]),
  "head-sha": only(["publish"]),
  "rerun-report": only(["publish"]),
  gates: only(["run"], "github"),
  "policy-status": only(["run"]),
  "ci-status": only(["run"]),
  "review-status": only(["run"]),
  "pull-request": only(["gate"]),
  deliver: only(["run"], "none"),
  "max-minutes": only(["run"]),
  "max-cost-usd": only(["run"]),
  sandbox: only(["run"]),
  "upload-artifact": only(["run", "gate"], "true"),
  "retention-days": only(["run", "gate"]),
  "fail-on": only(["run"], "failed,timeout"),
  allow: all(""),
  // Its default is an expression of the workflow: whether a token was given cannot be told.
  "github-token": all(""),
  "app-client-id": only(["publish"]),
  "app-private-key": only(["publish"]),
  "dry-run": only(["run"], "false"),
  "working-directory": all("."),
  paused: all(""),
} as const satisfies Record<string, InputSpec>;
type InputName = keyof typeof INPUTS;
const INPUT_NAMES = Object.keys(INPUTS) as InputName[];

/** The inputs of one step, checked. What the command does not read has its default. */
export interface Inputs {
  readonly command: ActionCommand;
  /** Empty when none was given, which a resumed run allows. */
  readonly plan: string;
  readonly items: readonly string[];
  readonly mode: Mode | undefined;
  readonly config: string;
  /** Id of the workflow run to go on with. */
  readonly resumeFrom: number | undefined;
  readonly resumeArtifact: string | undefined;
  readonly artifactDigest: string | undefined;
  /** SHA-256 of the packed folder's list of digests, as the job that packed it said. */
  readonly packSha256: string | undefined;
  /** What the job that executed the run said of it. */
  readonly anchors: PublicationAnchors;
  /** What `verify --rerun` said, as JSON: with it publishing demands that all passed. */
  readonly rerunReport: string | undefined;
  readonly gates: (typeof GATE_SOURCES)[number];
  readonly signals: GateSignals;
  readonly pullRequest: number | undefined;
  readonly deliver: (typeof DELIVERIES)[number];
  readonly maxMinutes: number | undefined;
  readonly maxCostUsd: number | undefined;
  readonly sandbox: SandboxLevel | undefined;
  readonly uploadArtifact: boolean;
  readonly retentionDays: number | undefined;
  readonly failOn: readonly (typeof RED_STATES)[number][];
  readonly allow: readonly Allowance[];
  readonly githubToken: string;
  readonly app: { readonly clientId: string; readonly privateKey: string } | undefined;
  readonly dryRun: boolean;
  readonly workingDirectory: string;
  readonly paused: boolean;
}

/**
 * Parses all inputs of a step at once. `env` is the environment that the runner made: an input `max-minutes` is
 * `INPUT_MAX-MINUTES`. The error lists everything that is wrong, one sentence each: expected, found, example.
 */
export function parseInputs(env: Readonly<Record<string, string | undefined>>): Result<Inputs, readonly string[]> {
  const reader = new InputReader(env);
  const command = reader.choice("command", COMMANDS, "run") ?? "run";
  const inputs: Inputs = {
    command,
    plan: reader.path("plan"),
    items: reader.list("items"),
    mode: reader.choice("mode", MODES),
    config: reader.path("config"),
    resumeFrom: reader.wholeNumber("resume-from", Number.MAX_SAFE_INTEGER, "the id of a workflow run", "16923456789"),
    resumeArtifact: reader.matching(
      "resume-artifact",
      /^conveyor-[A-Za-z0-9_.-]{1,200}$/,
      "the name of an artifact that begins with conveyor-",
      "conveyor-RUN_20260325T120000Z_deadbeef-leg1",
    ),
    artifactDigest: reader.matching("artifact-digest", SHA256, SHA256_SAID),
    packSha256: reader.matching("pack-sha256", SHA256, SHA256_SAID),
    anchors: {
      runId: reader.matching("run-id", RUN_ID, "the id of a run", "RUN_20260325T120000Z_deadbeef"),
      planId: reader.given("plan-id") || undefined,
      headSha: reader.matching("head-sha", /^[0-9a-f]{40}$/, "the 40 hexadecimal digits of a commit"),
    },
    rerunReport: reader.given("rerun-report") || undefined,
    gates: reader.choice("gates", GATE_SOURCES) ?? "github",
    signals: {
      policy: reader.choice("policy-status", POLICY_SIGNALS) ?? NO_SIGNALS.policy,
      ci: reader.choice("ci-status", CI_SIGNALS) ?? NO_SIGNALS.ci,
      review: reader.choice("review-status", REVIEW_SIGNALS) ?? NO_SIGNALS.review,
    },
    pullRequest: reader.wholeNumber("pull-request", Number.MAX_SAFE_INTEGER, "the number of a pull request", "17"),
    deliver: reader.choice("deliver", DELIVERIES) ?? "none",
    maxMinutes: reader.amount("max-minutes", MINUTES_PER_RUN_MAX, "minutes", "50"),
    maxCostUsd: reader.amount("max-cost-usd", COST_USD_MAX, "US dollars", "2.50"),
    sandbox: reader.choice("sandbox", SANDBOX_LEVELS),
    uploadArtifact: reader.flag("upload-artifact"),
    retentionDays: reader.wholeNumber("retention-days", RETENTION_DAYS_MAX, "a number of days", "14"),
    failOn: reader.redStates(),
    allow: reader.allowances(),
    githubToken: reader.given("github-token"),
    app: reader.app(),
    dryRun: reader.flag("dry-run"),
    workingDirectory: reader.path("working-directory"),
    paused: reader.flag("paused"),
  };
  reader.judgeTogether(inputs);
  return reader.problems.length === 0 ? ok(inputs) : err(reader.problems);
}

/** Reads one input after the other and keeps what is wrong with them. */
class InputReader {
  readonly problems: string[] = [];
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
    for (const name of listGivenNames(env)) {
      if (INPUT_NAMES.some((known) => known === name)) continue;
      const near = findNearest(name, INPUT_NAMES);
      this.problems.push(`${show(name)} is no input${near === undefined ? "" : `; did you mean ${near}?`}`);
    }
  }

  /** The value as given, trimmed; empty stands for not given, as callers that pass inputs through write it. */
  given(name: InputName): string {
    return (this.#env[variableOf(name)] ?? "").trim();
  }

  choice<T extends string>(name: InputName, words: readonly T[], fallback?: T): T | undefined {
    const value = this.given(name) || INPUTS[name].fallback;
    if (value === "") return fallback;
    const found = words.find((word) => word === value);
    if (found === undefined) this.#refuse(name, `one of ${words.join(", ")}`, value);
    return found;
  }

  words<T extends string>(name: InputName, known: readonly T[]): T[] {
    const found = this.list(name);
    for (const word of found) {
      if (!known.some((each) => each === word)) this.#refuse(name, `words out of ${known.join(", ")}`, word);
    }
    return known.filter((word) => found.includes(word));
  }

  /** Values separated by commas or line ends. */
  list(name: InputName): string[] {
    const parts = (this.given(name) || INPUTS[name].fallback).split(/[,\n]/).map((part) => part.trim());
    const filled = parts.filter((part) => part !== "");
    const twice = filled.find((part, index) => filled.indexOf(part) !== index);
    if (twice !== undefined) this.problems.push(`${name}: ${show(twice)} stands there twice`);
    return filled;
  }

  allowances(): Allowance[] {
    const found = this.list("allow");
    for (const word of found)
      if (!isAllowance(word)) this.#refuse("allow", `words out of ${ALLOWANCE_WORDS.join(", ")}`, word);
    return found.filter(isAllowance);
  }

  redStates(): Inputs["failOn"] {
    return this.given("fail-on") === "none" ? [] : this.words("fail-on", RED_STATES);
  }

  /** A path below the top of the checkout, or of the workspace. */
  path(name: InputName): string {
    const value = this.given(name) || INPUTS[name].fallback;
    if (value === "" || value === ".") return value;
    const path = normalizePath(value);
    const problem = pathProblem(path);
    if (problem !== undefined)
      this.#refuse(name, "a path inside the repository", value, "docs/exec-plans/active/plan.md");
    return path;
  }

  flag(name: InputName): boolean {
    const value = this.given(name) || INPUTS[name].fallback;
    if (["true", "True", "TRUE"].includes(value)) return true;
    if (!["", "false", "False", "FALSE"].includes(value)) this.#refuse(name, "true or false", value);
    return false;
  }

  wholeNumber(name: InputName, most: number, what: string, example: string): number | undefined {
    const value = this.given(name);
    if (value === "") return undefined;
    const number = /^[1-9]\d{0,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number <= most) return number;
    this.#refuse(name, most === Number.MAX_SAFE_INTEGER ? what : `${what}, at most ${most}`, value, example);
    return undefined;
  }

  amount(name: InputName, most: number, unit: string, example: string): number | undefined {
    const value = this.given(name);
    if (value === "") return undefined;
    const number = /^\d{1,9}(\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN;
    if (number > 0 && number <= most) return number;
    this.#refuse(name, `${unit} above 0, at most ${most}`, value, example);
    return undefined;
  }

  matching(name: InputName, shape: RegExp, what: string, example?: string): string | undefined {
    const value = this.given(name);
    if (value === "") return undefined;
    if (shape.test(value)) return value;
    this.#refuse(name, what, value, example);
    return undefined;
  }

  app(): Inputs["app"] {
    const [clientId, privateKey] = [this.given("app-client-id"), this.given("app-private-key")];
    if (clientId === "" && privateKey === "") return undefined;
    if (clientId === "") this.problems.push("app-private-key: app-client-id is missing; give both or none");
    else if (privateKey === "") this.problems.push("app-client-id: app-private-key is missing; give both or none");
    else if (!/^-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+-----END [A-Z ]*PRIVATE KEY-----$/.test(privateKey))
      // The value is a secret: what was found is never repeated.
      this.problems.push(
        "app-private-key: expected a private key in PEM, beginning with -----BEGIN RSA PRIVATE KEY-----",
      );
    return { clientId, privateKey };
  }

  /** What is wrong with inputs that are right one by one. */
  judgeTogether(inputs: Inputs): void {
    const { command } = inputs;
    for (const name of INPUT_NAMES) {
      const spec: InputSpec = INPUTS[name];
      const value = this.given(name);
      if (spec.readBy.includes(command) || value === "" || value === spec.fallback) continue;
      this.problems.push(
        `${name}: command ${command} does not read it; ${spec.readBy.join(" and ")} ${spec.readBy.length > 1 ? "do" : "does"}`,
      );
    }
    const needsPlan = command === "preflight" || command === "run";
    if (needsPlan && inputs.plan === "" && inputs.resumeFrom === undefined)
      this.problems.push(
        "plan: expected the path of a committed plan, for example docs/exec-plans/active/add-login.md",
      );
    if (inputs.plan !== "" && !inputs.plan.endsWith(".md"))
      this.#refuse("plan", "a Markdown file", inputs.plan, "docs/exec-plans/active/add-login.md");
    if (command === "run" && inputs.gates === "github" && !inputs.dryRun && inputs.githubToken === "")
      this.problems.push("github-token: expected a token to ask GitHub about the gates with; or set gates to inputs");
    if (inputs.gates === "github") {
      for (const name of ["policy-status", "ci-status", "review-status"] as const)
        if (this.given(name) !== "")
          this.problems.push(`${name}: it is read with gates: inputs alone; gates is github`);
    }
    if (inputs.resumeFrom === undefined && command !== "publish") {
      for (const name of ["resume-artifact", "artifact-digest"] as const)
        if (this.given(name) !== "") this.problems.push(`${name}: there is nothing to resume; give resume-from too`);
    }
    if (inputs.resumeFrom !== undefined && inputs.items.length > 0)
      this.problems.push("items: a resumed run goes on with the items it was started with; leave items out");
    if (command === "gate") this.#judgeGate(inputs.resumeFrom !== undefined);
    if (!inputs.uploadArtifact && inputs.retentionDays !== undefined)
      this.problems.push("retention-days: nothing is uploaded; leave it out or set upload-artifact to true");
    if (inputs.config !== DEFAULT_CONFIG_PATH)
      this.#refuse(
        "config",
        `${DEFAULT_CONFIG_PATH}, the one place where configuration is protected and trusted`,
        inputs.config,
      );
  }

  /** The gate of a pull request and the final report of a run read different inputs. */
  #judgeGate(isOfRun: boolean): void {
    const [names, why] = isOfRun
      ? ([["mode", "pull-request"], "with resume-from it is the run's own; leave it out"] as const)
      : ([["upload-artifact", "retention-days"], "the gate of a pull request uploads nothing; leave it out"] as const);
    for (const name of names)
      if (this.given(name) !== "" && this.given(name) !== INPUTS[name].fallback) this.problems.push(`${name}: ${why}`);
  }

  #refuse(name: InputName, expected: string, found: string, example?: string): void {
    this.problems.push(
      `${name}: expected ${expected}, found ${show(found)}${example === undefined ? "" : `, for example ${example}`}`,
    );
  }
}

/** The variable in which a runner hands an input over. */
function variableOf(name: string): string {
  return `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
}

/** Inputs that a step gave a value, by the names a workflow gives them. */
function listGivenNames(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith("INPUT_") && value !== undefined && value !== "")
    .map(([name]) => name.slice("INPUT_".length).toLowerCase());
}

/** A value as a message may show it: on one line, and not longer than a line. */
function show(text: string): string {
  const line = JSON.stringify(text);
  return line.length <= SHOWN_LENGTH_MAX ? line : `${line.slice(0, SHOWN_LENGTH_MAX)}…`;
}

const SHOWN_LENGTH_MAX = 80;
