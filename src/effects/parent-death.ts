/** What ends a program when the orchestrator itself is killed and can end nothing any more. */
export type ParentDeath =
  | { readonly kind: "setpriv"; readonly path: string }
  /** Nothing does: the program may go on until it ends by itself. */
  | { readonly kind: "advisory"; readonly reason: string };

/** Looked for in the system's own folders alone: `PATH` may lead to a file that somebody else wrote. */
export const SETPRIV_PATHS: readonly string[] = [
  "/usr/bin/setpriv",
  "/bin/setpriv",
  "/run/current-system/sw/bin/setpriv",
];

/** The kernel clears the parent-death signal when a set-user-id program starts, so `--no-new-privs` comes with it. */
const SETPRIV_OPTIONS = ["--pdeathsig", "KILL", "--no-new-privs", "--"] as const;

/** Tries, with `succeeds`, whether a setpriv of this machine can do it (util-linux 2.33 and later can). */
export async function probeParentDeath(
  paths: readonly string[],
  succeeds: (file: string, args: readonly string[]) => Promise<boolean>,
): Promise<ParentDeath> {
  if (process.platform !== "linux") return { kind: "advisory", reason: "only Linux can bind a program's life to ours" };
  for (const path of paths) {
    if (await succeeds(path, [...SETPRIV_OPTIONS, path, "--version"])) return { kind: "setpriv", path };
  }
  return { kind: "advisory", reason: `no setpriv that knows --pdeathsig, looked for ${paths.join(", ")}` };
}

/** The argv that starts `program` with `args` under that protection; `program` is an absolute path. */
export function bindToParent(
  parentDeath: ParentDeath,
  program: string,
  args: readonly string[],
): readonly [string, readonly string[]] {
  if (parentDeath.kind === "advisory") return [program, args];
  return [parentDeath.path, [...SETPRIV_OPTIONS, program, ...args]];
}

/** Exit codes by which setpriv and prlimit say that they could not start the program. */
const startFailures: ReadonlySet<number> = new Set([126, 127]);

/**
 * What setpriv or prlimit said when it could not start the program after all (its interpreter is missing, it is being
 * written to …), or nothing. A program can pretend it; it gains nothing by that, since both are failures.
 */
export function readStartFailure(program: string, exitCode: number, stderr: string): string | undefined {
  if (!startFailures.has(exitCode)) return undefined;
  const [line = ""] = stderr.split("\n");
  const said = /^(?:setpriv|prlimit): (.*)$/.exec(line)?.[1];
  return said?.includes(program) === true ? said : undefined;
}

/**
 * The guard: a shell that waits for its input to end, which happens when we do, however we do, and then kills whatever
 * carries a marker that begins as told, until nothing does. The parent-death signal reaches only the program itself;
 * this reaches what the program started. A program of the same user could end the guard: it protects from accidents.
 */
export function buildGuard(marker: string): readonly [string, readonly string[]] {
  return ["/bin/sh", ["-c", GUARD_SCRIPT, "conveyor-guard", marker]];
}

const GUARD_ROUNDS_MAX = 200;

const GUARD_SCRIPT = `
while read -r line; do :; done
round=0
while [ "$round" -lt ${GUARD_ROUNDS_MAX} ]; do
  found=$(grep -Fls -- "$1" /proc/[0-9]*/environ)
  [ -n "$found" ] || exit 0
  for file in $found; do
    pid=\${file#/proc/}
    kill -KILL "\${pid%/environ}" 2>/dev/null
  done
  round=$((round + 1))
done
`;
