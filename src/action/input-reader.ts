import { findNearest } from "../domain/did-you-mean.ts";
import { normalizePath, pathProblem } from "../domain/paths.ts";
import { INPUT_NAMES, INPUTS, type InputName } from "./input-specs.ts";

/** Reads one input after the other and keeps what is wrong with them. */
export class InputReader {
  readonly problems: string[] = [];
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
    for (const name of listGivenNames(env)) {
      if (INPUT_NAMES.some((known) => known === name)) continue;
      const near = findNearest(name, INPUT_NAMES);
      this.problems.push(`${show(name)} is no input${near === undefined ? "" : `; did you mean ${near}?`}`);
    }
  }

  /** The value as given, trimmed; empty stands for not given, as callers that pass inputs through write it. */
  given(name: InputName): string {
    return (this.#env[variableOf(name)] ?? "").trim();
  }

  choice<T extends string>(name: InputName, words: readonly T[], fallback?: T): T | undefined {
    const value = this.given(name) || INPUTS[name].fallback;
    if (value === "") return fallback;
    const found = words.find((word) => word === value);
    if (found === undefined) this.refuse(name, `one of ${words.join(", ")}`, value);
    return found;
  }

  words<T extends string>(name: InputName, known: readonly T[]): T[] {
    const found = this.list(name);
    for (const word of found) {
      if (!known.some((each) => each === word)) this.refuse(name, `words out of ${known.join(", ")}`, word);
    }
    return known.filter((word) => found.includes(word));
  }

  /** Values separated by commas or line ends. */
  list(name: InputName): string[] {
    const parts = (this.given(name) || INPUTS[name].fallback).split(/[,\n]/).map((part) => part.trim());
    const filled = parts.filter((part) => part !== "");
    const twice = filled.find((part, index) => filled.indexOf(part) !== index);
    if (twice !== undefined) this.problems.push(`${name}: ${show(twice)} stands there twice`);
    return filled;
  }

  /** A path below the top of the checkout, or of the workspace. */
  path(name: InputName): string {
    const value = this.given(name) || INPUTS[name].fallback;
    if (value === "" || value === ".") return value;
    const path = normalizePath(value);
    const problem = pathProblem(path);
    if (problem !== undefined)
      this.refuse(name, "a path inside the repository", value, "docs/exec-plans/active/plan.md");
    return path;
  }

  flag(name: InputName): boolean {
    const value = this.given(name) || INPUTS[name].fallback;
    if (["true", "True", "TRUE"].includes(value)) return true;
    if (!["", "false", "False", "FALSE"].includes(value)) this.refuse(name, "true or false", value);
    return false;
  }

  wholeNumber(name: InputName, most: number, what: string, example: string): number | undefined {
    const value = this.given(name);
    if (value === "") return undefined;
    const number = /^[1-9]\d{0,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number <= most) return number;
    this.refuse(name, most === Number.MAX_SAFE_INTEGER ? what : `${what}, at most ${most}`, value, example);
    return undefined;
  }

  amount(name: InputName, most: number, unit: string, example: string): number | undefined {
    const value = this.given(name);
    if (value === "") return undefined;
    const number = /^\d{1,9}(\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN;
    if (number > 0 && number <= most) return number;
    this.refuse(name, `${unit} above 0, at most ${most}`, value, example);
    return undefined;
  }

  matching(name: InputName, shape: RegExp, what: string, example?: string): string | undefined {
    const value = this.given(name);
    if (value === "") return undefined;
    if (shape.test(value)) return value;
    this.refuse(name, what, value, example);
    return undefined;
  }

  /** Notes what is wrong with an input: expected, found, example. */
  refuse(name: InputName, expected: string, found: string, example?: string): void {
    this.problems.push(
      `${name}: expected ${expected}, found ${show(found)}${example === undefined ? "" : `, for example ${example}`}`,
    );
  }
}

/** The variable in which a runner hands an input over. */
function variableOf(name: string): string {
  return `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
}

/** Inputs that a step gave a value, by the names a workflow gives them. */
function listGivenNames(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith("INPUT_") && value !== undefined && value !== "")
    .map(([name]) => name.slice("INPUT_".length).toLowerCase());
}

/** A value as a message may show it: on one line, and not longer than a line. */
function show(text: string): string {
  const line = JSON.stringify(text);
  return line.length <= SHOWN_LENGTH_MAX ? line : `${line.slice(0, SHOWN_LENGTH_MAX)}…`;
}

const SHOWN_LENGTH_MAX = 80;
