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
