import { InvalidArgumentError, Option } from "commander";
import type { Io } from "./io.ts";

/** Makes a command's action of what loads a function that gives an exit code. */
export type Act = <A extends unknown[]>(
  load: () => Promise<(io: Io, ...args: A) => Promise<number>>,
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

/** What RUN may be, for the help of every command that takes one. */
export const RUN = "run id, run folder or packed folder";

/** `--pack-sha256 HEX`: the packed folder that is meant, as somebody vouches for it. */
export function packSha256Option(): Option {
  return new Option(
    "--pack-sha256 <hex>",
    "refuse a packed folder unless this is the SHA-256 of its SHA256SUMS, as pack printed it",
  ).argParser((value: string) => {
    if (/^[0-9a-f]{64}$/.test(value)) return value;
    throw new InvalidArgumentError("expected 64 lower-case hexadecimal digits.");
  });
}
