import { cutText } from "../../domain/cut-text.ts";
import { html, NOTHING, showBlock, type Html, type HtmlPart } from "./html.ts";

/** What a colour says; there is always a word beside it. */
export type Tone = "good" | "bad" | "wait" | "plain";

/** Characters of one text of a plan or a program; the JSON report has all of them. */
const TEXT_MAX = 2000;
const LINE_MAX = 300;

/** A word in a coloured frame. */
export function pill(word: string, tone: Tone): Html {
  return html`<span class="pill ${tone}">${word}</span>`;
}

/** A text of a program on one line, cut when it is long. */
export function line(text: string): string {
  return cutText(text, LINE_MAX);
}

/** A text of a program with its paragraphs. */
export function prose(text: string, className = "prose"): Html {
  return text === "" ? NOTHING : html`<p class="${className}">${showBlock(cutText(text, TEXT_MAX))}</p>`;
}

export function code(text: string): Html {
  return html`<code>${line(text)}</code>`;
}

/** The first digits of a digest or a commit; the whole of it for who points at it, or copies it. */
export function short(digest: string): Html {
  return /^[0-9a-f]{40,64}$/.test(digest) ? html`<code title="${digest}">${digest.slice(0, 10)}</code>` : code(digest);
}

/** An instant as a person reads it, in UTC. */
export function when(instant: string): Html {
  return html`<time datetime="${instant}">${instant.slice(0, 10)} ${instant.slice(11, 19)}</time>`;
}

/** Codes as small frames. */
export function chips(codes: readonly string[]): Html {
  return codes.length === 0
    ? NOTHING
    : html`<span class="chips">${codes.map((each) => html`<code>${each}</code> `)}</span>`;
}

/** Rows that a table shows; the JSON report has all of them. */
const ROWS_MAX = 300;

/** A table in a box of its own, which scrolls where the page must not. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly HtmlPart[])[]): Html {
  const rest = rows.length - ROWS_MAX;
  return html`<div class="scroll" role="group" tabindex="0" aria-label="${caption}">
      <table>
        <caption class="vh">
          ${caption}
        </caption>
        <thead>
          <tr>
            ${head.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, ROWS_MAX).map(
            ([first, ...cells]) =>
              html`<tr>
                <th scope="row">${first ?? ""}</th>
                ${cells.map((cell) => html`<td>${cell}</td>`)}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    ${rest > 0 ? leftOut(`${rest} more rows`) : NOTHING}`;
}

/** Says that something is not on the page, and where it is. */
export function leftOut(what: string, where = "orchestrator_run_report.json"): Html {
  return html`<p class="cut">Left out here: ${what}. All of it is in ${code(where)}.</p>`;
}

/** A list of texts, cut when it is long. */
export function list(texts: readonly HtmlPart[], className = "plain"): Html {
  if (texts.length === 0) return NOTHING;
  const rest = texts.length - ROWS_MAX;
  return html`<ul class="${className}">
      ${texts.slice(0, ROWS_MAX).map((text) => html`<li>${text}</li> `)}
    </ul>
    ${rest > 0 ? leftOut(`${rest} more`) : NOTHING}`;
}

/** Something folded, under a line that says what it is. */
export function fold(summary: HtmlPart, content: HtmlPart, isOpen = false): Html {
  const open = isOpen ? html` open` : NOTHING;
  return html`<details${open}><summary>${summary}</summary><div class="in">${content}</div></details>
`;
}

/** `1 item`, `2 items`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** `awaiting_human_gate` as people write it. */
export function spaced(name: string): string {
  return name.replaceAll("_", " ");
}

/** Bytes for people. */
export function sayBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
