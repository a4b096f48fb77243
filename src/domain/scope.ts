import { z } from "zod";
import type { TreeChange } from "./candidate.ts";
import type { Config } from "./config.ts";
import { buildPathMatcher } from "./globs.ts";
import type { PlanItem, RiskTier } from "./plan.ts";
import { foldPath, isInside, normalizePath } from "./paths.ts";
import { findBareRepositories, findLinkLoops } from "./scope-shapes.ts";
import { invisibleIndex, showText } from "./visible-text.ts";

export const scopeViolationSchema = z.strictObject({
  code: z.enum(["SCOPE_VIOLATION", "PROTECTED_PATH_CHANGED", "PATH_UNSAFE", "DIFF_LIMIT_EXCEEDED", "SECRET_IN_DIFF"]),
  path: z.string(),
  detail: z.string(),
});
/** One reason why a candidate may not be used. */
export type ScopeViolation = z.infer<typeof scopeViolationSchema>;

/** The violations that are kept in an event; a change of a million files must not make a journal of a million lines. */
export const VIOLATIONS_MAX = 100;

/** Paths that no item may change, compared without regard to case; configuration only extends it. */
const PROTECTED_FLOOR = [
  ".github",
  "**/CODEOWNERS",
  "action.yml",
  "action.yaml",
  "**/.gitattributes",
  "**/.gitmodules",
  "**/.npmrc",
  ".husky",
  ".githooks",
  // A folder `hooks` may hold anything; a file of one of these names in it is what git runs.
  "**/hooks/{applypatch-msg,commit-msg,fsmonitor-watchman,post-*,pre-*,prepare-commit-msg,proc-receive,push-to-checkout,reference-transaction,sendemail-validate,update}",
  "**/AGENTS*.md",
  "**/CLAUDE*.md",
  "**/.claude",
  "**/.codex",
  "**/.mcp.json",
  ".cursor",
  ".gemini",
  ".conveyor",
];

/** What scope is judged by. */
export interface ScopeRules {
  readonly item: Pick<PlanItem, "write_roots">;
  readonly planPath: string;
  readonly configPath: string;
  readonly config: Pick<Config, "paths" | "policy" | "limits">;
  /** Effective risk of the plan: nobody approved that a plan of less than high risk changes a sensitive path. */
  readonly tier: RiskTier;
  /**
   * Protected paths that a person allowed this item to change: what `findProtectedException` found. It opens a path
   * only when the item lists a protected path of that name or above as a write root.
   */
  readonly protectedException: readonly string[];
  /** All paths tracked at the candidate's base, for twins that differ in case alone. */
  readonly trackedPaths: readonly string[];
}

/**
 * Judges what a candidate changed: outside the roots, or in a sensitive path when the plan's risk is not high,
 * SCOPE_VIOLATION; the floor and listed paths
 * PROTECTED_PATH_CHANGED; symlinks that leave the tree, names, submodules, control characters, case twins, folders that are
 * repositories, links in a circle PATH_UNSAFE;
 * line, file and byte limits DIFF_LIMIT_EXCEEDED. Empty when all is well.
 */
export function judgeScope(changes: readonly TreeChange[], rules: ScopeRules): ScopeViolation[] {
  const isProtected = buildProtectedMatcher(rules.config, [rules.planPath, rules.configPath]);
  const matchesSensitive = buildPathMatcher(rules.config.policy["sensitive-paths"]);
  // The roots of a plan need not name a sensitive path for a change below them to lie in one.
  const isSensitive = (path: string): boolean =>
    rules.tier !== "high" && (matchesSensitive(path) || matchesSensitive(foldPath(path)));
  // A root above a protected path does not list it, so `.` opens nothing.
  const excepted = rules.protectedException.filter(
    (root) => rules.item.write_roots.includes(root) && isProtected(root),
  );
  const isExcepted = (change: TreeChange): boolean =>
    !touchesSymlink(change) && excepted.some((root) => isInside(root, change.path));
  const violations = changes.flatMap((change): ScopeViolation[] => {
    const found: ScopeViolation[] = unsafeReasons(change).map((detail) => ({
      code: "PATH_UNSAFE",
      path: change.path,
      detail,
    }));
    if (isProtected(change.path) && !isExcepted(change)) {
      found.push({ code: "PROTECTED_PATH_CHANGED", path: change.path, detail: "this path is protected" });
    }
    if (!rules.item.write_roots.some((root) => isInside(root, change.path))) {
      const roots = rules.item.write_roots.join(", ");
      found.push({ code: "SCOPE_VIOLATION", path: change.path, detail: `outside the write roots ${roots}` });
    }
    if (isSensitive(change.path)) {
      const detail = `lies in a sensitive path, which a plan of ${rules.tier} risk may not change`;
      found.push({ code: "SCOPE_VIOLATION", path: change.path, detail });
    }
    return found;
  });
  return [
    ...violations,
    ...findLinkLoops(changes),
    ...findBareRepositories(changes, rules.trackedPaths),
    ...findCaseTwins(changes, rules.trackedPaths),
    ...judgeLimits(changes, rules.config.limits),
  ];
}

/**
 * Builds a predicate that is true for protected paths: the floor, the conveyor's own folders, what the policy lists,
 * and single files such as the plan. Compared as a file system may fold it.
 */
export function buildProtectedMatcher(
  config: Pick<Config, "paths" | "policy">,
  files: readonly string[],
): (path: string) => boolean {
  const matches = matcherOf(config);
  // Names of places, not patterns: a bracket in one stands for itself.
  const places = listProtectedPlaces(config, files).map((path) => foldPath(normalizePath(path)));
  return (path) => {
    const folded = foldPath(path);
    return matches(path) || matches(folded) || places.some((place) => isInside(place, folded));
  };
}

/** Matchers by the configuration they were made of: its globs are the same for every item of a run. */
const matchers = new WeakMap<Pick<Config, "policy">, (path: string) => boolean>();

function matcherOf(config: Pick<Config, "policy">): (path: string) => boolean {
  const known = matchers.get(config);
  if (known !== undefined) return known;
  const matcher = buildPathMatcher([...PROTECTED_FLOOR, ...config.policy["protected-paths"]]);
  matchers.set(config, matcher);
  return matcher;
}

/** The same for people and prompts: the floor, and what configuration adds to it. */
export function listProtectedPaths(
  config: Pick<Config, "paths" | "policy">,
  files: readonly string[],
): { readonly floor: readonly string[]; readonly configured: readonly string[] } {
  const configured = [...config.policy["protected-paths"], ...listProtectedPlaces(config, files)];
  return { floor: PROTECTED_FLOOR, configured: [...new Set(configured)] };
}

function listProtectedPlaces(config: Pick<Config, "paths">, files: readonly string[]): string[] {
  return [...files, ...Object.values(config.paths)];
}

/**
 * The protected paths that an item may change: those among its write roots, and only when the plan's risk is high and
 * a person approved it as that. Nothing in every other case.
 */
export function findProtectedException(facts: {
  readonly item: Pick<PlanItem, "write_roots">;
  readonly planPath: string;
  readonly configPath: string;
  readonly config: Pick<Config, "paths" | "policy">;
  readonly tier: RiskTier;
  readonly isHighApproved: boolean;
}): string[] {
  if (facts.tier !== "high" || !facts.isHighApproved) return [];
  return facts.item.write_roots.filter(buildProtectedMatcher(facts.config, [facts.planPath, facts.configPath]));
}

/** A symlink at a protected path would hand that path's meaning to a file that nobody protects. */
function touchesSymlink(change: TreeChange): boolean {
  return change.link_target !== undefined || [change.old_mode, change.new_mode].includes("120000");
}

function unsafeReasons(change: TreeChange): string[] {
  if (change.status === "deleted") return [];
  const reasons: string[] = [];
  const names = change.path.split("/");
  if (change.path_hex !== undefined) reasons.push("the name is not UTF-8");
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(change.path)) reasons.push("the name has control characters");
  else if (invisibleIndex(change.path) !== -1) reasons.push("the name has invisible characters");
  if (names.some(isGitLike)) reasons.push("the name stands for .git on some file system");
  if (/^0+$/.test(change.new_oid)) reasons.push("git takes no path of this name into a tree");
  if (change.new_mode === "160000") reasons.push("a submodule or nested repository");
  if (change.link_target !== undefined && leavesTree(change.path, change.link_target)) {
    reasons.push(`a symlink that leaves the tree: ${showText(change.link_target)}`);
  }
  return reasons;
}

/** True for names that NTFS or HFS+ take for `.git`: other case, trailing dots and spaces, ignored characters, short names. */
function isGitLike(name: string): boolean {
  const folded = name
    .normalize("NFC")
    .replaceAll(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "")
    .toLowerCase()
    .replace(/:.*$/s, "")
    .replace(/[. ]+$/, "");
  return folded === ".git" || /^git~\d+$/.test(folded);
}

/**
 * True when a symlink's target is absolute, climbs out of the root, or passes through a `.git`. `..` may stand at the
 * beginning alone: after a name it climbs from wherever that name leads, and the name may be a symlink too.
 */
function leavesTree(path: string, target: string): boolean {
  if (target.startsWith("/") || target.includes("\\") || target.includes("\0")) return true;
  const names = target.split("/").filter((name) => name !== "" && name !== ".");
  const down = names.findIndex((name) => name !== "..");
  const climbs = down === -1 ? names.length : down;
  if (climbs > path.split("/").length - 1) return true;
  return names.slice(climbs).some((name) => name === ".." || isGitLike(name));
}

/** Twins that differ in case alone fall together on some file systems; folders count as well as files. */
function findCaseTwins(changes: readonly TreeChange[], trackedPaths: readonly string[]): ScopeViolation[] {
  const deleted = new Set(changes.filter((change) => change.status === "deleted").map((change) => change.path));
  const added = changes.filter((change) => change.status === "added").map((change) => change.path);
  if (added.length === 0) return [];
  const spellings = new Map<string, string>();
  const twins: ScopeViolation[] = [];
  for (const path of trackedPaths)
    if (!deleted.has(path)) for (const name of foldersAndFile(path)) spellings.set(fold(name), name);
  for (const path of added) {
    const twin = foldersAndFile(path).find((name) => (spellings.get(fold(name)) ?? name) !== name);
    if (twin !== undefined) {
      twins.push({
        code: "PATH_UNSAFE",
        path,
        detail: `differs in case alone from ${showText(spellings.get(fold(twin)) ?? "")}`,
      });
    }
    for (const name of foldersAndFile(path)) if (!spellings.has(fold(name))) spellings.set(fold(name), name);
  }
  return twins;
}

function foldersAndFile(path: string): string[] {
  const names = path.split("/");
  return names.map((_name, index) => names.slice(0, index + 1).join("/"));
}

function fold(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

function judgeLimits(changes: readonly TreeChange[], limits: Config["limits"]): ScopeViolation[] {
  const lines = changes.reduce((sum, change) => sum + change.added_lines + change.deleted_lines, 0);
  const bytes = changes.reduce((sum, change) => sum + change.new_bytes, 0);
  const over = (what: string, found: number, limit: number): ScopeViolation[] =>
    found > limit
      ? [{ code: "DIFF_LIMIT_EXCEEDED", path: ".", detail: `${found} ${what}, the limit is ${limit}` }]
      : [];
  return [
    ...over("changed lines", lines, limits["diff-lines"]),
    ...over("changed files", changes.length, limits["diff-files"]),
    ...over("bytes in changed files", bytes, limits["diff-bytes"]),
  ];
}
