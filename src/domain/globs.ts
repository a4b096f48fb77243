import picomatch from "picomatch";

/**
 * Builds a predicate that is true for paths matching one of the globs. Case is ignored, because on some file systems
 * `.GitHub/x` *is* `.github/x`; names beginning with a dot match like others. A pattern that names a folder matches
 * all beneath it.
 */
export function buildPathMatcher(patterns: readonly string[]): (path: string) => boolean {
  const matchers = patterns.map((pattern) => {
    const bare = pattern.replace(/\/+$/, "");
    return picomatch([bare, `${bare}/**`], { dot: true, nocase: true, nonegate: true });
  });
  return (path) => matchers.some((matches) => matches(path));
}

/**
 * Builds a predicate that is true when a file or folder lies in what one of the globs matches, or is a folder above a
 * place where a glob begins: `src` lies above `src/auth/**` and above `src/*.key`.
 *
 * A glob that begins anywhere, such as `**` + `/auth/**`, lies beneath every folder there is; for it a folder counts
 * when it is in, or named like, what follows the stars. Otherwise one such glob would cover every path of the world.
 */
export function buildOverlapMatcher(patterns: readonly string[]): (path: string) => boolean {
  const isIn = buildPathMatcher(patterns);
  const above = patterns.flatMap(foldersOf).map((folder) => picomatch(folder, { dot: true, nocase: true }));
  return (path) => isIn(path) || isIn(`${path}/x`) || above.some((matches) => matches(path));
}

/** What is wrong with a glob that would silently match nothing, or whose folders cannot be told; undefined if good. */
export function globProblem(glob: string): string | undefined {
  if (glob.trim() === "") return "an empty glob matches nothing";
  if (glob.startsWith("!")) return "a glob cannot be negated";
  if (glob.includes("\\")) return "a glob has / between names and no backslash";
  if (/^[/~]|^[A-Za-z]:/.test(glob)) return "a glob is relative to the root of the repository";
  const names = glob.replace(/\/+$/, "").split("/");
  if (names.some((name) => name === "" || name === "." || name === "..")) return "a glob has no empty name, . or ..";
  if (/[{([][^\])}]*\//.test(glob)) return "a / stands in brackets, where it cannot be judged; write two globs";
  return undefined;
}

/** The folders above a glob, as globs; those that end in stars for any number of folders are left out. */
function foldersOf(pattern: string): string[] {
  const names = pattern.replace(/\/+$/, "").split("/");
  return names.flatMap((name, index) => (name === "**" ? [] : [names.slice(0, index + 1).join("/")]));
}
