/** What the kernel asks for to start programs, as types. Nothing here is a value. */
import type { AgentName, AgentSettings, Price } from "../domain/agent-config.ts";
import type { AgentAnswer } from "../domain/agent.ts";
import type { HeldKey } from "../domain/network-hosts.ts";
import type { ProcessEnding, ProcessReport } from "../domain/process-report.ts";
import type { SandboxLevel } from "../domain/run-choices.ts";
import type { SandboxFacts, SandboxTier } from "../domain/sandbox.ts";
import type { ArtifactCheck } from "../domain/verification.ts";
import type { Worktree } from "./git.ts";

/** One program to run. Nothing is inherited: what is not named here, the program does not get. */
export interface ProcessRequest {
  /** argv; the first is a path or a name that is looked up in `env.PATH`. Never a shell string. */
  readonly command: readonly [string, ...string[]];
  /** Absolute path. */
  readonly cwd: string;
  /** The whole environment. The runner adds `CONVEYOR_PROCESS_MARKER` alone. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Sum of stdout and stderr at which the program is ended. */
  readonly outputBytesMax: number;
  /** Absolute paths where head and tail of the output are kept. */
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** Absolute path of a file that is its standard input; without one there is none. */
  readonly stdinPath?: string | undefined;
  /** Ends the program when aborted: the ending is then `cancelled`. */
  readonly signal: AbortSignal;
  readonly confinement: Confinement;
  /** Called when it has said nothing for so long, once until it says something again; never decides anything. */
  readonly stallMs?: number | undefined;
  readonly onStall?: (() => void) | undefined;
  /** Called for each complete line of output, for people to follow; never decides anything. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** What a coding agent is to be started for. */
export interface AgentCall {
  readonly settings: AgentSettings;
  /** `write`: it works in the folder it is started in; `read`: it changes nothing anywhere. */
  readonly rights: "write" | "read";
  /** Absolute path of the folder it works in. */
  readonly cwd: string;
  /** Absolute path of the folder with what it is handed. */
  readonly scratch: string;
  /** JSON Schema of its answer. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The most that this session may cost, in USD, where the agent can hold itself to it. */
  readonly budgetUsd: number | undefined;
  /** What holds it: in tier 3 a sandbox of its own cannot be made, and is not needed. */
  readonly tier: SandboxTier;
  /** Where it sends its requests instead, by the variable of its key, when something else adds that key to them. */
  readonly keyUrls: Readonly<Record<string, string>>;
}

/** How a coding agent is started. Its prompt is its standard input. */
export interface AgentInvocation {
  readonly command: readonly [string, ...string[]];
  /** Variables that it gets besides those that configuration hands on. */
  readonly env: Readonly<Record<string, string>>;
  /** Files that must lie in the scratch folder before. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

/** Coding agents: how each is started, and what its output says. Pure; they are run like any other program. */
export interface Agents {
  buildInvocation(call: AgentCall): AgentInvocation;
  /** What a line of its output says to a person who follows; nothing when it is of no interest. */
  describeLine(agent: AgentName, line: string): string | undefined;
  /** Tokens that a model read for one request, when a line says so; the same request may be told of again. */
  countTokens(agent: AgentName, line: string): { readonly request: string; readonly read: number } | undefined;
  /** Reads the output that was kept of a session. */
  readAnswer(agent: AgentName, ending: ProcessEnding, stdout: Uint8Array, price: Price | undefined): AgentAnswer;
}

/** How far a program is let. What a tier cannot enforce, it does not: `judgeLayers` says which is which. */
export interface Confinement {
  readonly tier: SandboxTier;
  /** Absolute paths of folders that it may write, besides the HOME and TMPDIR of its environment. */
  readonly writable: readonly string[];
  /** Absolute paths that it may read wherever they lie. */
  readonly readable: readonly string[];
  /** Hosts that it may reach. */
  readonly network: readonly string[];
  readonly keys: readonly SuppliedKey[];
  readonly fileBytesMax: number;
  readonly processesMax: number;
}

/** A key that the proxy adds for a program; without a value of its own it is the orchestrator's variable. */
export interface SuppliedKey extends HeldKey {
  readonly value: string | undefined;
  /** Requests that the journal counts already. */
  readonly requestsUsed: number;
}

/** Finds out what the machine offers to hold programs with. */
export interface SandboxProbes {
  /** Tries tier 3 with one program, unless `level` makes that needless. */
  probe(level: SandboxLevel): Promise<SandboxFacts>;
}

/** Runs programs, one way, and says for exactly one reason how each ended. */
export interface Processes {
  run(request: ProcessRequest): Promise<ProcessReport>;
}

/** What `prepare` is asked to do in one worktree. */
export interface PrepareRequest {
  readonly worktree: Worktree;
  /** The commit the worktree was made from; `inputs` are read as they are in its tree. */
  readonly commit: string;
  readonly commands: readonly (readonly [string, ...string[]])[];
  /** Files whose content decides whether a cached result fits; none means the whole tree decides. */
  readonly inputs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
  /** Absolute path of the log of command `index`. */
  readonly logPath: (index: number, stream: "stdout" | "stderr") => string;
  readonly signal: AbortSignal;
  readonly confinement: Confinement;
}

/** What `prepare` did. */
export interface Preparation {
  /** `cached`: a copy of an earlier result was handed out, no command ran. */
  readonly status: "nothing_to_do" | "ran" | "cached" | "failed";
  /** Digest of commands and inputs: the name of the cached result. */
  readonly key: string;
  readonly executions: readonly { readonly command: readonly [string, ...string[]]; readonly report: ProcessReport }[];
  /** Files that it added: never part of a candidate. */
  readonly preparedPaths: readonly string[];
  /** Tracked files that it changed: a failure. */
  readonly trackedChanges: readonly string[];
}

/** Runs the configured prepare commands, or hands out a copy of their cached result. */
export interface Preparer {
  prepare(request: PrepareRequest): Promise<Preparation>;
  /** A digest of what names the content of prepared files in a worktree: equal ones mean that nobody wrote to them. */
  digestPrepared(worktree: Worktree, preparedPaths: readonly string[]): Promise<string>;
}

/** Environments, homes and temporary folders of programs, by allow-list. */
export interface Environments {
  /** A new environment whose HOME, TMPDIR and XDG folders are `name`'s own; `extra` is added last. */
  build(
    name: string,
    passNames: readonly string[],
    extra: Readonly<Record<string, string>>,
  ): Promise<Record<string, string>>;
  /** A folder for what is handed to and taken from a program: outside the checkout, the worktrees and the run folder. */
  openScratch(name: string): Promise<Scratch>;
}

/** A folder in which a program finds its prompt and leaves its result. */
export interface Scratch {
  readonly path: string;
  write(name: string, bytes: Uint8Array | string): Promise<string>;
  /** Bytes of a regular file in the folder, at most `bytesMax` and one more; nothing when there is none. */
  read(name: string, bytesMax: number): Promise<Uint8Array | undefined>;
}

/** Expected artifacts of a program, and required artifacts of an item. */
export interface Artifacts {
  /** Notes what stands at the paths now, so that an artifact counts only when it is written anew. */
  note(root: string, paths: readonly string[]): Promise<ArtifactNotes>;
  check(
    root: string,
    before: ArtifactNotes,
    paths: readonly string[],
  ): Promise<{ readonly missing: readonly string[]; readonly malformed: readonly string[] }>;
  /** The bytes of a file below the root; nothing when there is none, or more than `bytesMax`. */
  read(root: string, path: string, bytesMax: number): Promise<Uint8Array | undefined>;
  inspect(root: string, path: string): Promise<ArtifactCheck["status"]>;
}

/** What stood at the paths of expected artifacts before a program ran; only `check` reads it. */
export type ArtifactNotes = ReadonlyMap<string, string>;
