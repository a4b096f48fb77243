import { cutText } from "../../domain/cut-text.ts";
import type { PageText } from "../../domain/report-page.ts";
import { parsePatch, type PatchFile, type PatchLine } from "../../domain/patch.ts";
import { placesOf } from "../../domain/reported-findings.ts";
import type { RunReport } from "../../domain/report.ts";
import { html, NOTHING, showBlock, type Html } from "./html.ts";
import { code, count, leftOut, line, pill, sayBytes } from "./words.ts";
import { severityTone } from "./findings.ts";

type Finding = RunReport["audit"]["items"][number]["rounds"][number]["findings"][number];

/** Lines of one patch that are shown, and files of it that stand open. */
const LINES_MAX = 2500;
const OPEN_FILES_MAX = 12;
const OPEN_LINES_MAX = 400;
const CODE_MAX = 600;

/** Shows what a candidate changes, file by file, with what was found in it beside the lines. */
export function renderDiff(path: string, text: PageText | undefined, findings: readonly Finding[]): Html {
  if (text === undefined) return leftOut("the changes", path);
  const patch = parsePatch(text.head, LINES_MAX);
  const isCut = patch.isCut || text.leftOut > 0;
  const placed = findings.flatMap((finding) =>
    placesOf(finding.file_paths, finding.evidence).map((place) => ({ ...place, finding })),
  );
  const added = patch.files.reduce((sum, file) => sum + file.added, 0);
  const deleted = patch.files.reduce((sum, file) => sum + file.deleted, 0);
  return html`<p class="muted">
      ${count(patch.files.length, "file")}${isCut ? " and more" : ""}, ${sayLines(added, deleted)}
    </p>
    ${patch.files.map((file, index) =>
      renderFile(
        file,
        placed.filter(({ path: at }) => at === file.path),
        index < OPEN_FILES_MAX && file.added + file.deleted <= OPEN_LINES_MAX,
      ),
    )}${isCut ? leftOut(`the rest of a patch of ${sayBytes(text.bytes)}`, path) : NOTHING}`;
}

interface Placed {
  readonly line: number | null;
  readonly finding: Finding;
}

function renderFile(file: PatchFile, found: readonly Placed[], isOpen: boolean): Html {
  const lines = new Set(file.hunks.flatMap((hunk) => hunk.lines.flatMap((each) => each.new ?? [])));
  const above = found.filter((each) => each.line === null || !lines.has(each.line));
  const open = isOpen || found.length > 0 ? html` open` : NOTHING;
  return html`<details class="file" ${open}>
    <summary>
      <span class="path">${line(file.path)}</span>${
        file.kind === "changed" ? NOTHING : html` <span class="muted">${file.kind}</span>`
      } <span class="nums">${sayLines(file.added, file.deleted)}</span>${
        found.length === 0 ? NOTHING : html` ${pill(count(found.length, "finding"), "wait")}`
      }
    </summary>
    ${file.remarks.map((remark) => html`<p class="remark">${line(remark)}</p>`)}${above.map(renderNote)}${
      file.hunks.length === 0 ? NOTHING : renderHunks(file, found)
    }
  </details> `;
}

function renderHunks({ path, hunks }: PatchFile, found: readonly Placed[]): Html {
  return html`<table class="diff">
    <caption class="vh">
      Changed lines of ${line(path)}
    </caption>
    <colgroup>
      <col class="n" />
      <col class="n" />
      <col />
    </colgroup>
    <thead class="vh">
      <tr>
        <th scope="col">before</th>
        <th scope="col">after</th>
        <th scope="col">line</th>
      </tr>
    </thead>
    ${hunks.map(
      (hunk) =>
        html`<tbody>
          <tr class="h">
            <td colspan="3">${hunk.heading === "" ? "⋯" : line(hunk.heading)}</td>
          </tr>
          ${hunk.lines.map((each) =>
            renderLine(
              each,
              found.filter((one) => one.line !== null && one.line === each.new),
            ),
          )}
        </tbody>`,
    )}
  </table>`;
}

const MARKS: Readonly<Record<PatchLine["kind"], string>> = { context: " ", added: "+", deleted: "-", note: "\\" };
const CLASSES: Readonly<Record<PatchLine["kind"], string>> = { context: "c", added: "a", deleted: "d", note: "n" };

function renderLine(each: PatchLine, found: readonly Placed[]): Html {
  const text = showBlock(`${MARKS[each.kind]}${cutText(each.text, CODE_MAX)}`);
  return html`<tr class="${CLASSES[each.kind]}">
      <td>${each.old ?? ""}</td>
      <td>${each.new ?? ""}</td>
      <td>${text}</td>
    </tr>
    ${found.map(
      (one) =>
        html`<tr class="f">
          <td colspan="3">${renderNote(one)}</td>
        </tr> `,
    )}`;
}

function renderNote({ line: at, finding }: Placed): Html {
  const who = finding.sources.map((source) => (source.kind === "lane" ? source.lane : "the orchestrator"));
  return html`<div class="note ${severityTone(finding)}">
    <p>${pill(finding.severity, severityTone(finding))} <b>${line(finding.title)}</b></p>
    <p class="muted">${line([...new Set(who)].join(", "))}${at === null ? "" : `, line ${at}`}</p>
    ${finding.recommended_action === "" ? NOTHING : html`<p>${line(finding.recommended_action)}</p>`}
  </div> `;
}

function sayLines(added: number, deleted: number): Html {
  return html`<span class="plus">+${added}</span> <span class="minus">−${deleted}</span>`;
}

/** Where the changes are, for a page that has no room for them. */
export function nameDiff(path: string): Html {
  return html`<p class="cut">Changes: ${code(path)}</p>`;
}
