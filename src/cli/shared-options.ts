import { Option } from "commander";
import type { Io } from "./io.ts";

/** Makes a command's action of a function that gives an exit code. */
export type Act = <A extends unknown[]>(
  command: (io: Io, ...args: A) => Promise<number>,
) => (...args: A) => Promise<void>;

/** `--format text|json`, of every command that prints something. */
export function formatOption(description = "output form"): Option {
  return new Option("--format <format>", description).choices(["text", "json"]).default("text");
}

/** Collects the values of an option that may be given more than once. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** The example at the end of a command's help. */
export function example(command: string): string {
  return `\nExample:\n  ${command}\n`;
}
