/**
 * Control characters, bidi controls, zero-width and other ignorable characters, line and paragraph separators:
 * whatever a reviewer cannot see, or what makes a terminal show something else than is there.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const INVISIBLE_ALL = new RegExp(INVISIBLE.source, "gu");
const SHOWN_MAX = 60;

/** Offset of the first character that cannot be seen, -1 when there is none. A tab is one of them. */
export function invisibleIndex(text: string): number {
  return text.search(INVISIBLE);
}

/** Writes what cannot be seen as `\u{200B}`, so that a text shows what it holds and steers no terminal. */
export function showText(text: string): string {
  return text.replaceAll(INVISIBLE_ALL, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16).toUpperCase()}}`;
  });
}

/**
 * Takes out of a text whatever cannot be seen, but for line breaks (all written as `\n`) and tabs. For texts that a
 * program wrote and that people and other programs will read. Half a surrogate pair becomes U+FFFD.
 */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
    .replaceAll(INVISIBLE_ALL, (character) => (character === "\n" || character === "\t" ? character : ""))
    .trim();
}

/** The same for a text that stands on one line: every run of white space becomes one space. */
export function cleanLine(text: string): string {
  return cleanText(text).replaceAll(/\s+/g, " ");
}

/** Quotes a text for a message: visible, and cut when it is long. */
export function quoteText(text: string): string {
  // Cut before the code points are counted: the text may be a megabyte, and the message is written for each problem.
  const characters = Array.from(text.slice(0, 2 * SHOWN_MAX + 2));
  const shown = characters.length > SHOWN_MAX ? `${characters.slice(0, SHOWN_MAX).join("")}…` : characters.join("");
  return `"${showText(shown)}"`;
}

/** Trims spaces and tabs. `String.trim` would also drop U+FEFF, which has to be seen and refused. */
export function trimBlanks(text: string): { readonly text: string; readonly start: number } {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) {
    start += 1;
  }
  while (end > start && isBlank(text.charCodeAt(end - 1))) {
    end -= 1;
  }
  return { text: text.slice(start, end), start };
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
