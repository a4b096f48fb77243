import { showText } from "../../domain/visible-text.ts";

/** A piece of a page in which nothing is active that `html` did not write itself. */
export class Html {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  toString(): string {
    return this.#text;
  }
}

export type HtmlPart = Html | string | number | readonly HtmlPart[];

/**
 * Makes a piece of a page. Every text that is put in is escaped and shows what cannot be seen, in content and in quoted
 * attributes alike; only what `html` itself has made goes in as it is.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  const [first = "", ...rest] = tidy(strings);
  return new Html(parts.reduce<string>((text, part, index) => text + renderPart(part) + (rest[index] ?? ""), first));
}

/** The indentation of the source is for who reads the source: in the page it is one line break. */
function tidy(strings: TemplateStringsArray): readonly string[] {
  const known = tidied.get(strings);
  if (known !== undefined) return known;
  const made = strings.map((text) => text.replaceAll(/\s*\n\s*/g, "\n"));
  tidied.set(strings, made);
  return made;
}

const tidied = new WeakMap<TemplateStringsArray, readonly string[]>();

/** Nothing at all. */
export const NOTHING = html``;

/** A text with its line breaks and tabs, for `pre` and the like; colours of a terminal are gone, whatever else it had is shown. */
export function showBlock(text: string): Html {
  const lines = text
    .replaceAll("\r\n", "\n")
    .replaceAll(COLOURS, "")
    .split("\n")
    .map((line) => line.split("\t").map(escapeHtml).join("\t"));
  return new Html(lines.join("\n"));
}

/** What only colours a terminal, as long as redaction looks through it; it hides nothing here. */
const COLOURS = /\u001b\[[0-9;]{0,20}m/g;

function renderPart(part: HtmlPart): string {
  if (part instanceof Html) return part.toString();
  if (typeof part === "number") return String(part);
  return typeof part === "string" ? escapeHtml(part) : part.map(renderPart).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return showText(text.toWellFormed()).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
