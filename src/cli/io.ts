import type { Door } from "../invocation/door.ts";

/** What the command line itself says, before a command was found. */
export interface Terminal {
  readonly version: string;
  /** Machine output and answers. */
  out(text: string): void;
  /** Progress, warnings and refusals. */
  note(text: string): void;
}

/** What a command reads and writes besides files: made once in `main.ts`, so that commands can be read without guessing. */
export interface Io extends Terminal, Door {
  readonly cwd: string;
  /** True when a person watches stderr. */
  readonly watched: boolean;
  /** Colours and styles text for stderr; plain when nobody watches or NO_COLOR is set. */
  style(format: "bold" | "dim" | "red" | "green" | "yellow", text: string): string;
  /** Asks the person at the terminal one question; undefined when nobody is there to answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Does something when the command has ended, however it ended. */
  atEnd(act: () => Promise<void>): void;
}

/** Output forms of every command that prints something. */
export type Format = "text" | "json";

/** Output forms of `plans lint`. */
export const LINT_FORMATS = ["text", "json", "sarif"] as const;
export type LintFormat = (typeof LINT_FORMATS)[number];
