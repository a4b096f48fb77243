import type { Allowance } from "../domain/doors.ts";
import type { GateSignals } from "../domain/gates.ts";
import type { PublicationAnchors } from "../domain/publication.ts";
import { DEFAULT_CONFIG_PATH, type Mode, type SandboxLevel } from "../domain/run-choices.ts";
import type { GATE_SOURCES } from "../domain/signals.ts";

/** What the Action can be asked for. */
export const COMMANDS = ["run", "preflight", "publish", "gate"] as const;
export type ActionCommand = (typeof COMMANDS)[number];

export const DELIVERIES = ["none", "branch"] as const;
/** Terminal states that can make the step red: `done` never does. */
export const RED_STATES = ["blocked", "failed", "timeout"] as const;

/** Which commands read an input, and the value that counts as not given. `action.yml` says the same. */
export interface InputSpec {
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
export type InputName = keyof typeof INPUTS;
export const INPUT_NAMES = Object.keys(INPUTS) as InputName[];

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
