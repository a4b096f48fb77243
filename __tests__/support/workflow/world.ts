import type { ArtifactStore } from "./artifacts.ts";

/** What caused a workflow run. */
export interface Trigger {
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Inputs of a `workflow_dispatch`. */
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** Everything around a workflow run that GitHub would be. */
export interface WorkflowWorld {
  /** `owner/name` of the repository that the workflow belongs to. */
  readonly repository: string;
  /** What `actions/checkout` clones, by `owner/name`. */
  readonly repositories: Readonly<Record<string, string>>;
  readonly defaultBranch: string;
  /** The commit that the event is about. */
  readonly sha: string;
  /** Repository and commit of a called workflow: its checkout holds what this working tree holds, built. */
  readonly source: { readonly repository: string; readonly sha: string };
  readonly secrets?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, string>>;
  readonly artifacts: ArtifactStore;
  readonly runId: number;
  readonly apiUrl: string;
  readonly serverUrl: string;
  /** `${{ github.token }}` of one job: good for what its permissions say, and nothing else. */
  issueToken(permissions: Permissions): string;
  /** What only actions get, and no `run:` step: addresses and token of the artifact service. */
  readonly runtime?: Readonly<Record<string, string>>;
  /** Variables of the runner's image, besides `PATH` and `HOME`. */
  readonly image?: Readonly<Record<string, string>>;
  /** `RUNNER_ENVIRONMENT`; a runner that GitHub hosts when left out. */
  readonly runnerEnvironment?: string;
  /** A folder of programs that the image has in place of the machine's. */
  readonly bin?: string;
  /** Called with each process of a step as it starts, for tests that cancel. */
  readonly onStart?: (step: { readonly job: string; readonly id: string }, pid: number) => void;
}

export type Permissions = Readonly<Record<string, "read" | "write">>;

/** How one step ended. */
export interface StepRun {
  readonly id: string;
  readonly name: string;
  readonly outcome: "success" | "failure" | "skipped";
  readonly outputs: Readonly<Record<string, string>>;
  readonly log: string;
  readonly summary: string;
  /** The whole environment of its process; empty for what the harness does itself. */
  readonly env: Readonly<Record<string, string>>;
}

/** How one job ended. */
export interface JobRun {
  readonly result: "success" | "failure" | "skipped";
  readonly outputs: Readonly<Record<string, string>>;
  readonly steps: readonly StepRun[];
  readonly permissions: Permissions;
  readonly token: string;
  readonly workspace: string;
  readonly temp: string;
}

/** How a workflow run ended; jobs of a called workflow are named `caller / called`. */
export interface WorkflowRun {
  readonly jobs: Readonly<Record<string, JobRun>>;
  readonly outputs: Readonly<Record<string, string>>;
}
