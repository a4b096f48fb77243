/**
 * The effects that the kernel may ask for, as types. `effects/` implements them, `compose.ts` builds them.
 * Nothing here is a value.
 */
import type { AgentAnswer } from "./domain/agent.ts";
import type { AgentName, AgentSettings, Price } from "./domain/agent-config.ts";
import type { HeldKey } from "./domain/network-hosts.ts";
import type { ProcessEnding, ProcessReport } from "./domain/process-report.ts";
import type { SandboxFacts, SandboxLevel, SandboxTier } from "./domain/sandbox.ts";
import type { EventDraft, FileDigest, JournalEvent } from "./domain/journal.ts";
import type { TamperFinding, TreeChange } from "./domain/candidate.ts";
import type { ArtifactCheck } from "./domain/verification.ts";

/** Time, injected so that tests are deterministic. */
export interface Clock {
  /** ISO 8601 in UTC with milliseconds. */
  now(): string;
  /** Milliseconds that only ever grow, for durations. */
  monotonicMs(): number;
  /** Waits, at most until the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Randomness, injected. */
export interface Randomness {
  /** `bytes` random bytes as lower-case hexadecimal digits. */
  hex(bytes: number): string;
}

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

/** A worktree of the run's private repository. */
export interface Worktree {
  /** Name under `worktrees/` of the private repository. */
  readonly name: string;
  /** Absolute path of its folder. */
  readonly path: string;
}

/** Opaque facts about git metadata before a session, to be compared after it. */
export interface TamperSnapshot {
  readonly opaque: unique symbol;
}

/** What a session left, as one tree that the orchestrator built itself, or why none can be built. */
export type CandidateTree =
  | {
      readonly kind: "built";
      readonly tree: string;
      readonly changes: readonly TreeChange[];
      /** All paths tracked at the commit that the worktree was made from. */
      readonly trackedPaths: readonly string[];
    }
  /** `GIT_TAMPERED`: an object that the session stored is not what its name promises. `DIFF_LIMIT_EXCEEDED`: a flood. */
  | {
      readonly kind: "refused";
      readonly code: "GIT_TAMPERED" | "PATH_UNSAFE" | "DIFF_LIMIT_EXCEEDED";
      readonly detail: string;
    };

/** How much a worktree may hold beyond its commit before it is refused unread; far above what scope allows. */
export interface CandidateLimits {
  readonly filesMax: number;
  readonly bytesMax: number;
}

/** The private bare repository of a run and its worktrees. */
export interface RunRepository {
  /** Opens or makes a worktree, detached at `commit`, byte-exact. An existing folder of that name is removed first. */
  openWorktree(name: string, commit: string): Promise<Worktree>;
  /** The worktree of that name when folder and metadata both still exist. */
  findWorktree(name: string): Promise<Worktree | undefined>;
  /** Makes these files of a worktree what they are at a commit; what is not there is removed. */
  copyPaths(worktree: Worktree, commit: string, paths: readonly string[]): Promise<void>;
  /** Makes the files of a worktree those of `tree`, HEAD and index staying at its commit. */
  restoreTree(worktree: Worktree, tree: string): Promise<void>;
  /** Has git forget a worktree that nothing is built on any more; its folder stays until the run is done. */
  forgetWorktree(worktree: Worktree): Promise<void>;
  /** Removes every worktree of the run, folders included. */
  removeWorktrees(): Promise<void>;
  /** Records HEAD, refs, hooks, config, info, alternates, index flags and stored objects. */
  snapshot(worktree: Worktree): Promise<TamperSnapshot>;
  /**
   * What differs from before, empty when nothing does. New objects that a session added to the private store are
   * removed, so that none of them can stand in for one that the orchestrator is about to write.
   */
  compareSnapshot(before: TamperSnapshot, worktree: Worktree): Promise<readonly TamperFinding[]>;
  /**
   * Builds the candidate tree of a worktree with the orchestrator's own index: tracked changes, and untracked files
   * that the ignore rules of `baseCommit` do not ignore and that `excluded` does not list. With `limits`, a worktree that
   * holds more is refused before any of it is read.
   */
  buildCandidate(
    worktree: Worktree,
    baseCommit: string,
    excluded: readonly string[],
    limits?: CandidateLimits,
  ): Promise<CandidateTree>;
  /** Whether a worktree is still exactly the checkout of `commit` and what `excluded` lists. */
  isUntouched(
    worktree: Worktree,
    commit: string,
    excluded: readonly string[],
    limits?: CandidateLimits,
  ): Promise<boolean>;
  /** Files that are untracked in a worktree: what its `prepare` added. */
  listUntracked(worktree: Worktree): Promise<readonly string[]>;
  /** Paths of tracked files whose content differs from `commit`. */
  listTrackedChanges(worktree: Worktree, commit: string): Promise<readonly string[]>;
  /** Makes a commit of exactly `tree`; no hook, no index, no branch moves. */
  commitTree(input: { tree: string; parent: string; message: string; at: string }): Promise<string>;
  /** Makes the tree of `base` with these files in it; a file without text is taken out of it. */
  buildTree(base: string, files: readonly { readonly path: string; readonly text: string | null }[]): Promise<string>;
  /** The patch from one commit or tree to another, with nothing hidden by attributes. */
  buildPatch(from: string, to: string): Promise<Uint8Array>;
  /** Changes between two trees or commits, one for each path. */
  listChanges(from: string, to: string): Promise<readonly TreeChange[]>;
  /** The same for many pairs of trees in one go; nothing for a pair that cannot be read whole. */
  listChangesOfPairs(
    pairs: readonly { readonly from: string; readonly to: string }[],
  ): Promise<(readonly TreeChange[] | undefined)[]>;
  /** The commit a ref of the private repository names. */
  readRef(ref: string): Promise<string | undefined>;
  /** Moves a ref from `from` to `to` by compare-and-swap; `undefined` means that the ref must not exist. */
  swapRef(ref: string, from: string | undefined, to: string): Promise<"moved" | "refused">;
  /** Type, or nothing when the object does not exist or its bytes are not those its name promises. */
  readTreeOf(commit: string): Promise<string | undefined>;
  readParentsOf(commit: string): Promise<readonly string[] | undefined>;
  /** Bytes of a file at a commit or tree, or nothing. */
  readFileAt(commit: string, path: string): Promise<Uint8Array | undefined>;
  /** Ids of objects in the private store whose bytes are not those their names promise. */
  findForgedObjects(): Promise<readonly string[]>;
  /** All paths tracked at a commit. */
  listFilesAt(commit: string): Promise<readonly string[]>;
}

/** The repository the user works in; read at the start, written once. */
export interface UserRepository {
  /** Absolute path of the top folder. */
  readonly root: string;
  /** The commit that HEAD names. */
  readonly headCommit: string;
  /** Full ref name the checkout is on, or nothing when HEAD is detached. */
  readonly headRef: string | undefined;
  /** The commit a ref names now, or nothing. */
  readRef(ref: string): Promise<string | undefined>;
  isAncestor(commit: string, of: string): Promise<boolean>;
  readFileAt(commit: string, path: string): Promise<Uint8Array | undefined>;
  /** Tracked files whose content is not committed. */
  listUncommitted(): Promise<readonly string[]>;
  listFilesAt(commit: string): Promise<readonly string[]>;
  /** What makes a run impossible here: submodules, LFS, a partial clone. Empty when nothing does. */
  listUnsupported(commit: string): Promise<readonly string[]>;
  /** Makes `refs/conveyor/base/<RUN_ID>` name the base, so that no gc prunes it while the run lives. */
  pinBase(runId: string, commit: string): Promise<void>;
  /** Copies the objects of `head` that `base` lacks and makes `branch` name it by compare-and-swap. */
  deliverBranch(input: {
    privateGitDir: string;
    branch: string;
    base: string;
    head: string;
    from: string | undefined;
  }): Promise<"moved" | "refused">;
}

/** Files of the run folder. Paths are relative to it, with `/`. */
export interface RunFiles {
  /** Absolute path of the run folder. */
  readonly root: string;
  resolve(path: string): string;
  /**
   * Writes atomically (temporary file, fsync, rename) and gives the digest to journal; the folder is synced before the
   * next event is, so that the name is as durable as the bytes when an event tells of it.
   */
  write(path: string, bytes: Uint8Array | string): Promise<FileDigest>;
  read(path: string): Promise<Uint8Array | undefined>;
  /** Syncs a file that a program wrote, before an event may name it, and gives its digest. */
  digest(path: string): Promise<FileDigest | undefined>;
  /** Digest of a file that an event names already, so that it has been synced. */
  digestSaved(path: string): Promise<FileDigest | undefined>;
  /** Makes the folder of a path. */
  makeFolder(path: string): Promise<void>;
  remove(path: string): Promise<void>;
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

/** Appends to the journal of one run, under one lock. */
export interface JournalWriter {
  /** Appends and fsyncs one event; throws `StateWriteError` when that fails, and never tries again. */
  append(draft: EventDraft): JournalEvent;
  /** SHA-256 of the last line. */
  readonly head: string;
  /** Replaces the checkpoint; `durable` also syncs file and folder, as a run does when it stops. */
  writeCheckpoint(bytes: string, durable: boolean): void;
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

/** Everything the kernel may ask of the world during a run. */
export interface Ports {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly journal: JournalWriter;
  readonly files: RunFiles;
  readonly repository: RunRepository;
  readonly user: UserRepository;
  readonly processes: Processes;
  readonly agents: Agents;
  readonly sandbox: SandboxProbes;
  readonly preparer: Preparer;
  readonly environments: Environments;
  readonly artifacts: Artifacts;
  /** Aborted when a person or a runner wants the run to end; `reason` is the signal's name. */
  readonly interrupt: AbortSignal;
  /** Follows the run for people; never decides anything. */
  readonly progress: (line: ProgressLine) => void;
}

/** One thing that happened, for a person to follow. */
export type ProgressLine =
  | { readonly kind: "event"; readonly event: JournalEvent }
  | { readonly kind: "output"; readonly itemId: string | null; readonly line: string };
