import { showText } from "../domain/visible-text.ts";

/**
 * Text that came from a plan or a program, as one line in which nothing is active. GitHub looks for mentions, issues and
 * addresses in the text that is left after Markdown, where a backslash is gone; an empty comment between their parts
 * still stands there.
 */
export function escapeText(text: string): string {
  return showText(text.replaceAll(/\s+/g, " "))
    .replaceAll(/[\\`*_{}[\]<>#|!&~]/g, "\\$&")
    .replaceAll(/@|:(?=\/\/)|www(?=\.)|\\#(?=\d)|GH-(?=\d)/gi, "$&<!-- -->");
}

/** The same in a cell of a table. */
export function escapeCell(text: string): string {
  return escapeText(text);
}

/** Text between backticks. */
export function escapeCode(text: string): string {
  return showText(text.replaceAll(/[`\s]+/g, " "));
}
