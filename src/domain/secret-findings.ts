import { buildPathMatcher } from "./globs.ts";
import type { PatchedFile } from "./patch-lines.ts";
import type { ScopeViolation } from "./scope.ts";

/** A place in a candidate where a secret is added. What it is stands nowhere. */
export interface SecretFinding {
  readonly path: string;
  /** Number of the line in the new file; 0 when it is in the file's name. */
  readonly line: number;
  readonly rule: string;
}

/** The rule for values of the orchestrator's environment: they are exact, so that nothing is ever allowed here. */
export const ENVIRONMENT_RULE = "environment";

/** A match of a rule in a text. */
export interface SecretMatch {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Finds what the library does not: tokens of GitHub of any length (their form has changed, and will again), and private
 * keys whose end is missing.
 */
export function matchOwnRules(text: string): SecretMatch[] {
  return OWN_RULES.flatMap(({ rule, pattern }) =>
    [...text.matchAll(pattern)].map((match) => ({ rule, start: match.index, end: match.index + match[0].length })),
  );
}

const OWN_RULES = [
  { rule: "github", pattern: /(?<![\p{L}\d_])(?:gh[opsur]|github_pat)_[A-Za-z0-9_.-]{20,}/gu },
  {
    rule: "privatekey",
    pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\\nr"'+,]*[A-Za-z0-9+/=]{32,}/g,
  },
];

/** The added lines of a file as one text, and what gives the number of the line at an offset in it. */
export function addedText({ added }: Pick<PatchedFile, "added">): { text: string; lineAt: (offset: number) => number } {
  const starts: number[] = [];
  let length = 0;
  for (const { text } of added) {
    starts.push(length);
    length += text.length + 1;
  }
  return {
    text: added.map(({ text }) => text).join("\n"),
    lineAt: (offset) => added[starts.findLastIndex((start) => start <= offset)]?.line ?? 0,
  };
}

/** An exception that the configuration of the trust ref makes: these rules count for nothing at these paths. */
export interface SecretAllowance {
  readonly paths: readonly string[];
  readonly rules: readonly string[];
}

/** Findings as violations of scope, one for each line and rule, without those that the policy allows. SECRET_IN_DIFF. */
export function judgeSecrets(findings: readonly SecretFinding[], allow: readonly SecretAllowance[]): ScopeViolation[] {
  const allowances = allow.map(({ paths, rules }) => ({ matches: buildPathMatcher(paths), rules }));
  const isAllowed = ({ path, rule }: SecretFinding): boolean =>
    rule !== ENVIRONMENT_RULE && allowances.some((each) => each.rules.includes(rule) && each.matches(path));
  const violations = new Map<string, ScopeViolation>();
  for (const finding of findings) {
    if (isAllowed(finding)) continue;
    const { path, line, rule } = finding;
    const where = line === 0 ? "in its name" : `in line ${line}`;
    const detail = `a secret ${where}, by rule ${rule}`;
    violations.set(`${path}\n${detail}`, { code: "SECRET_IN_DIFF", path, detail });
  }
  return [...violations.values()];
}
