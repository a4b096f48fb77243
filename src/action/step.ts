import { error, info, notice, setOutput, setSecret, summary, warning } from "@actions/core";
import { tameRunnerCommands } from "../render/runner-commands.ts";

/** Where an annotation points: lines and columns count from 1. */
export interface AnnotationPlace {
  readonly title?: string;
  readonly file?: string;
  readonly startLine?: number;
  readonly endLine?: number;
}

/** What a step says to its runner, and through it to people and later steps. */
export interface Step {
  /** A line in the log. Whatever stands in it, the runner takes it for no command. */
  log(text: string): void;
  /** A line as it stands, for what was rendered for a runner already. */
  write(line: string): void;
  annotate(level: "error" | "warning" | "notice", message: string, place?: AnnotationPlace): void;
  /** Has the runner mask a value in every log from here on. */
  mask(value: string): void;
  /** Hands a value on; the runner's file gets it behind a delimiter that nobody can guess. */
  output(name: string, value: string): void;
  /** Appends Markdown to the job summary. */
  summarize(markdown: string): Promise<void>;
}

const ANNOTATE = { error, warning, notice } as const;

/** The step of the runner that started this process. */
export const runnerStep: Step = {
  log: (text) => info(tameRunnerCommands(text)),
  write: (line) => info(line),
  annotate: (level, message, place = {}) => ANNOTATE[level](message, place),
  mask: (value) => setSecret(value),
  output: (name, value) => setOutput(name, value),
  summarize: async (markdown) => {
    // Outside of a runner, and in one that is too old for it, there is no summary to write to.
    await summary
      .addRaw(markdown, true)
      .write()
      .catch(() => undefined);
  },
};
