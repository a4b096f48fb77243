/**
 * The effects that the kernel may ask for, as types. `effects/` implements them, `compose/` builds them. Those with many
 * parts are in `ports/`. Nothing here is a value.
 */
import type { FileEnds } from "./domain/cut-text.ts";
import type { EventDraft, FileDigest, JournalEvent, StageExecution } from "./domain/journal.ts";
import type { SecretFinding } from "./domain/secret-findings.ts";
import type { RedactionFacts } from "./domain/secrets.ts";
import type { RunRepository, UserRepository } from "./ports/git.ts";
import type { Github, GithubDelivery } from "./ports/github.ts";
import type { Agents, Artifacts, Environments, Preparer, Processes, SandboxProbes } from "./ports/programs.ts";

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
  /** The first `headMax` and the last `tailMax` bytes of a file, however large it is; all of it when it is that short. */
  readonly readEnds: (path: string, headMax: number, tailMax: number) => Promise<FileEnds | undefined>;
  /** Syncs a file that a program wrote, before an event may name it, and gives its digest. */
  digest(path: string): Promise<FileDigest | undefined>;
  /** Digest of a file that an event names already, so that it has been synced. */
  digestSaved(path: string): Promise<FileDigest | undefined>;
  /** Makes the folder of a path. */
  makeFolder(path: string): Promise<void>;
  remove(path: string): Promise<void>;
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

/** What a run knows of secrets. What it prints and keeps is redacted where it is written, without being asked. */
export interface Secrets {
  /** The same without secrets, for what a decision is to be made from that must be made again from what is kept. */
  redact<T>(value: T): T;
  /** What this invocation has redacted so far. */
  facts(): RedactionFacts;
  /** Places where a patch adds a secret; what the patch takes away elsewhere is not new. */
  scan(patch: Uint8Array): Promise<readonly SecretFinding[]>;
}

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
  /** The repository on GitHub, for a run that is told to ask it. */
  readonly github: Github | undefined;
  /** GitHub as far as a run delivers itself there; nothing when it does not. */
  readonly delivery: GithubDelivery | undefined;
  readonly secrets: Secrets;
  /** Aborted when a person or a runner wants the run to end; `reason` is the signal's name. */
  readonly interrupt: AbortSignal;
  /** Follows the run for people; never decides anything. */
  readonly progress: (line: ProgressLine) => void;
}

/** One thing that happened, for a person to follow. */
export type ProgressLine =
  | { readonly kind: "event"; readonly event: JournalEvent }
  /** A program has said nothing for so many minutes. */
  | {
      readonly kind: "stall";
      readonly itemId: string | null;
      readonly purpose: StageExecution["purpose"];
      readonly minutes: number;
    }
  | { readonly kind: "output"; readonly itemId: string | null; readonly line: string };
