/** Finds the code spans (backtick runs of equal length) of one text. */
export interface CodeSpans {
  /** Offset after the span that the backticks at `at` open, or undefined when they open none. */
  readonly endOf: (at: number) => number | undefined;
  /** Number of backticks at `at`. */
  readonly runAt: (at: number) => number;
}

/**
 * Prepares the search for code spans. The last run of each length is known beforehand, so a run without a partner
 * costs nothing and a walk over the whole text stays linear.
 */
export function findCodeSpans(text: string): CodeSpans {
  const runAt = (at: number): number => {
    let end = at;
    while (text[end] === "`") {
      end += 1;
    }
    return end - at;
  };
  const lastRun = new Map<number, number>();
  for (let at = text.indexOf("`"); at !== -1;) {
    const length = runAt(at);
    lastRun.set(length, at);
    at = text.indexOf("`", at + length);
  }
  const endOf = (at: number): number | undefined => {
    const length = runAt(at);
    if ((lastRun.get(length) ?? -1) <= at) {
      return undefined;
    }
    for (let close = text.indexOf("`", at + length); close !== -1;) {
      const closing = runAt(close);
      if (closing === length) {
        return close + closing;
      }
      close = text.indexOf("`", close + closing);
    }
    return undefined;
  };
  return { endOf, runAt };
}
