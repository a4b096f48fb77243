/** Quotes a word for a POSIX shell when it needs it, so that a command we print can be pasted. */
export function quoteShellWord(word: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * A file of the repository as a word for a shell: it is found from every folder of the checkout, and from a copy of it.
 * `path` is relative to the repository's root.
 */
export function quoteRepositoryPath(path: string): string {
  return `"$(git rev-parse --show-toplevel)"/${quoteShellWord(path)}`;
}
