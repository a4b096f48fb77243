/** Quotes a word for a POSIX shell when it needs it, so that a command we print can be pasted. */
export function quoteShellWord(word: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
