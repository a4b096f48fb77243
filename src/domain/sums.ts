import { err, ok, type Result } from "./result.ts";

/** One line of `SHA256SUMS`. */
export interface FileSum {
  readonly path: string;
  readonly sha256: string;
}

/** Writes digests as `sha256sum -c` reads them, sorted by name, so that equal files give equal bytes. */
export function renderSums(files: readonly FileSum[]): string {
  const sorted = files.toSorted((left, right) => (left.path < right.path ? -1 : 1));
  return sorted.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join("");
}

/** Reads what `renderSums` writes and nothing else: one name each, sorted, whole lines. */
export function parseSums(text: string): Result<readonly FileSum[], string> {
  const files: FileSum[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const [, sha256, path] = /^([0-9a-f]{64}) {2}([A-Za-z0-9_][A-Za-z0-9_.-]*)$/.exec(line) ?? [];
    if (sha256 === undefined || path === undefined) return err("expected lines of a digest, two spaces and a name");
    files.push({ path, sha256 });
  }
  const names = new Set(files.map(({ path }) => path));
  if (names.size < files.length) return err("names a file twice");
  return renderSums(files) === text ? ok(files) : err("is not sorted by name, or does not end with a newline");
}
