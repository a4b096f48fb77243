/** Names that a program must never get, because they carry credentials or change what other programs load. */
const forbiddenNames: ReadonlySet<string> = new Set([
  "NODE_OPTIONS",
  "BASH_ENV",
  "ENV",
  "SHELLOPTS",
  "BASHOPTS",
  "GH_TOKEN",
  "GH_ENTERPRISE_TOKEN",
  "CONVEYOR_PROCESS_MARKER",
  // Files by which a step tells the runner what later steps get: variables, PATH, outputs.
  "GITHUB_ENV",
  "GITHUB_PATH",
  "GITHUB_OUTPUT",
  "GITHUB_STATE",
  "GITHUB_STEP_SUMMARY",
]);

/** The same, by how the name starts. `DYLD_` is the `LD_` of macOS; `ORCH_` is what the orchestrator itself says. */
const forbiddenPrefixes = ["ACTIONS_", "INPUT_", "LD_", "DYLD_", "GIT_", "BASH_FUNC_", "ORCH_"] as const;

/**
 * Whether an environment variable may never be handed on to a program, even when configuration lists it. Case does not
 * matter. A name that no environment can hold (empty, with `=` or NUL) is forbidden too.
 */
export function isForbiddenEnvName(name: string): boolean {
  if (name === "" || name.includes("=") || name.includes("\0")) return true;
  const upper = name.toUpperCase();
  if (forbiddenNames.has(upper)) return true;
  if (upper.startsWith("GITHUB_") && upper.endsWith("TOKEN")) return true;
  return forbiddenPrefixes.some((prefix) => upper.startsWith(prefix));
}

/** Names whose values the orchestrator makes for each program, so that nobody else has a say in them. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "TMPDIR",
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
]);

/** Whether a variable may be set for a program from outside: neither forbidden nor the orchestrator's own to say. */
export function isSettableEnvName(name: string): boolean {
  return !isForbiddenEnvName(name) && !OWN_NAMES.has(name);
}
