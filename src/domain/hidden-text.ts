import { cleanText } from "./visible-text.ts";

/**
 * What steers a terminal, with its parameters: a sequence without its first character would leave `[31m` behind. An
 * operating system command goes whole when it has an end on its line; without one only its first character goes,
 * because elsewhere than in a terminal what follows can be read.
 */
const TERMINAL_SEQUENCES =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0080-\u009f\n]*(?:\u0007|\u001b\\|\u009c)|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|\u001b[ -/]*[0-Z\\^-~]?/g;

/**
 * Takes out of a text what a reviewer of the rendered Markdown does not see: terminal sequences, control, bidi and
 * zero-width characters, HTML comments. In this order, because a character that cannot be seen may stand in the middle
 * of a comment's mark. Also what stands in a comment in a code span goes: where a code span begins is a matter of the
 * renderer, and this must not be.
 */
export function dropHiddenText(text: string): string {
  return dropComments(cleanText(text.replaceAll(TERMINAL_SEQUENCES, ""))).trim();
}

/** The same for a text that stands on one line. */
export function dropHiddenLine(text: string): string {
  return dropHiddenText(text).replaceAll(/\s+/g, " ");
}

/**
 * Takes out comments as HTML reads them: the first end closes, `<!-->` is a whole one, one without an end reaches to
 * the end of the text. What a removal puts side by side is looked at again, so that no comment is made of the remains;
 * one pass over the text does it, however deeply somebody nests.
 */
function dropComments(text: string): string {
  const kept: string[] = [];
  let at = 0;
  while (at < text.length) {
    kept.push(text[at] ?? "");
    at += 1;
    if (kept.at(-1) !== "-" || kept.slice(-4).join("") !== "<!--") continue;
    kept.length -= 4;
    at = endOfComment(text, at);
  }
  return kept.join("");
}

/** Where the text goes on after a comment whose `<!--` ends at `start`. */
function endOfComment(text: string, start: number): number {
  const empty = /^-?>/.exec(text.slice(start, start + 2));
  if (empty !== null) return start + empty[0].length;
  const end = /--!?>/g;
  end.lastIndex = start;
  return end.test(text) ? end.lastIndex : text.length;
}
