/** A folder or file of the machine, and where a program sees it. Both are absolute, without links. */
export interface Mount {
  readonly source: string;
  readonly target: string;
}

/** What a program in tier 3 sees of the machine besides its system, which it reads. */
export interface SandboxView {
  /** Real folders in whose place is an empty one. */
  readonly hidden: readonly string[];
  readonly readable: readonly Mount[];
  readonly writable: readonly Mount[];
  /** Read-only although they lie in something writable: a worktree's `.git`. */
  readonly guarded: readonly Mount[];
  readonly cwd: string;
}

/** The one folder that is in place of a hidden one and may be written: programs expect to write there. */
export const SHARED_TMP = "/tmp";

/** Bytes of memory that an empty folder in place of a hidden one may hold. */
const TMP_BYTES_MAX = 536_870_912;
const COVER_BYTES_MAX = 1_048_576;

/**
 * Builds the arguments of bubblewrap for a program, without the program. The environment is the one that bubblewrap is
 * started with: on its command line every user of the machine could read it. A folder is mounted before what lies in
 * it, so the order of the view does not matter.
 */
export function buildBubblewrapArgs(view: SandboxView): string[] {
  const covers = view.hidden.filter((path) => path !== "/");
  const steps = new Map<string, readonly string[]>();
  for (const { source, target } of view.readable) steps.set(target, ["--ro-bind", source, target]);
  for (const path of covers) {
    const bytes = path === SHARED_TMP ? TMP_BYTES_MAX : COVER_BYTES_MAX;
    steps.set(path, ["--size", String(bytes), "--tmpfs", path]);
  }
  for (const { source, target } of view.writable) steps.set(target, ["--bind", source, target]);
  for (const { source, target } of view.guarded) steps.set(target, ["--ro-bind", source, target]);
  const writable = new Set(view.writable.map(({ target }) => target));
  return [
    "--unshare-all",
    "--cap-drop",
    "ALL",
    "--die-with-parent",
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    ...[...steps.entries()].sort(byDepth).flatMap(([, step]) => step),
    // Last: places for what is mounted inside had to be made in them.
    ...covers.filter((path) => path !== SHARED_TMP && !writable.has(path)).flatMap((path) => ["--remount-ro", path]),
    "--chdir",
    view.cwd,
  ];
}

function byDepth([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  const depth = left.split("/").length - right.split("/").length;
  return depth !== 0 ? depth : left < right ? -1 : 1;
}

/** Whether a path is a folder or lies in it. Both are absolute and without `..`. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/**
 * Whether a path may be shown although the folder that it lies in is hidden: only strictly inside, and never in a way
 * that shows a hidden folder whole.
 */
export function mayShow(path: string, hidden: readonly string[]): boolean {
  return !hidden.some((folder) => isWithin(folder, path));
}

/**
 * The folders that need an empty one in their place: one inside another hidden folder is hidden with it. Inside the one
 * that may be written each gets its own, so that what is hidden there cannot be written even in memory.
 */
export function outermost(paths: readonly string[]): string[] {
  const open: ReadonlySet<string> = new Set(["/", SHARED_TMP]);
  return [...new Set(paths)].filter(
    (path) => path !== "/" && !paths.some((other) => !open.has(other) && other !== path && isWithin(path, other)),
  );
}

/** Limits of a program, in the words of prlimit. */
export interface ProcessLimits {
  readonly fileBytes: number;
  readonly openFiles: number;
  /** Left out where the number of the user's other processes would count too. */
  readonly processes: number | undefined;
}

/** Builds the arguments of prlimit, without the program. */
export function buildPrlimitArgs({ fileBytes, openFiles, processes }: ProcessLimits): string[] {
  return [
    `--fsize=${fileBytes}`,
    `--nofile=${openFiles}`,
    "--core=0",
    ...(processes === undefined ? [] : [`--nproc=${processes}`]),
    "--",
  ];
}
