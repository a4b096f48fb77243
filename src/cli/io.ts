/** What a command reads and writes besides files: made once in `main.ts`, so that commands can be read without guessing. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Machine output and answers. */
  out(text: string): void;
  /** Progress, warnings and refusals. */
  note(text: string): void;
  /** True when a person watches stderr. */
  readonly watched: boolean;
  /** Colours and styles text for stderr; plain when nobody watches or NO_COLOR is set. */
  style(format: "bold" | "dim" | "red" | "green" | "yellow", text: string): string;
  /** Aborted by SIGINT or SIGTERM; the reason is the signal's name. */
  readonly interrupt: AbortSignal;
}

/** Output forms of every command that prints something. */
export type Format = "text" | "json";

/** The disk refused what a start had to write, before there was a run. */
export class NothingBegunError extends Error {}
