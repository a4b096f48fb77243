import { sayDuration } from "../../domain/durations.ts";
import { parseInstant } from "../../domain/instants.ts";
import type { StageExecution } from "../../domain/journal.ts";
import type { RunReport } from "../../domain/report.ts";
import { listStageSpans, sumStageTimes } from "../../domain/stage-times.ts";
import { html, NOTHING, type Html, type HtmlPart } from "./html.ts";
import { code, count, fold, line, pill, spaced, table, type Tone } from "./words.ts";

/** Width of the time axis in units of the drawing. */
const AXIS = 1000;
/** A bar that is too short to be seen is drawn this wide. */
const BAR_MIN = 3;

/** Time of the orchestrator's work, without what it waited for somebody between two invocations. */
interface Axis {
  readonly totalMs: number;
  /** Where an instant lies on it, in units of the drawing. */
  at(ms: number): number;
  /** Where the run stopped and was resumed later. */
  readonly pauses: readonly { readonly at: number; readonly waitedMs: number }[];
}

/** When each stage and each program ran, as bars beside the words and numbers that say the same. */
export function renderTimeline(report: RunReport): Html {
  const axis = buildAxis(report);
  const spans = listStageSpans(report);
  const rows = sumStageTimes(report).map(({ stage, duration_ms: ms, state }) => [
    html`${spaced(stage)}`,
    pill(
      state === "not_reached" ? "not reached" : state,
      state === "done" ? "good" : state === "open" ? "wait" : "plain",
    ),
    bar(
      axis,
      spans.flatMap((span) => (span.stage === stage ? [{ from: span.from_ms, to: span.to_ms, tone: "stage" }] : [])),
    ),
    html`<span class="num">${state === "not_reached" ? "–" : sayDuration(ms)}</span>`,
  ]);
  const programs = report.stage_executions.filter(({ purpose }) => purpose !== "stage");
  const waits = axis.pauses.map(({ waitedMs }) => sayDuration(waitedMs));
  return html`<p class="muted">
      ${sayDuration(axis.totalMs)} of work in
      ${count(report.invocations.length, "invocation")}${
        waits.length === 0
          ? ""
          : `; the run waited ${waits.slice(0, 10).join(", ")} in between, which the bars leave out`
      }.
    </p>
    ${tableOfBars("Stages and how long they took", ["stage", "state", "when", "time"], rows)}
    ${
      programs.length === 0
        ? html`<p>No program was started.</p>`
        : fold(
            html`${count(programs.length, "program")}, one after the other`,
            table(
              "Programs",
              ["program", "item", "status", "when", "time", "command"],
              programs.map((program) => renderProgram(program, axis)),
            ),
          )
    }`;
}

function renderProgram(program: StageExecution, axis: Axis): HtmlPart[] {
  const from = program.started_at === null ? undefined : parseInstant(program.started_at);
  const tone = program.status === "success" ? "good" : program.status === "skipped" ? "plain" : "bad";
  const exit = program.exit_code === null ? "" : `, exit ${program.exit_code}`;
  return [
    spaced(program.purpose),
    program.item_id === null ? "–" : line(program.item_id),
    html`${pill(spaced(program.status), tone)}${program.error === null ? NOTHING : html` <span class="muted">${line(program.error)}</span>`}${
      program.error === null && tone === "bad" ? exit : ""
    }`,
    from === undefined ? "–" : bar(axis, [{ from, to: from + program.duration_ms, tone }]),
    html`<span class="num">${sayDuration(program.duration_ms)}</span>`,
    code([program.command, ...program.args].join(" ")),
  ];
}

/** The table of stages is narrow enough for a phone, so that it needs no box that scrolls. */
function tableOfBars(caption: string, head: readonly string[], rows: readonly (readonly HtmlPart[])[]): Html {
  return html`<table class="stages">
    <caption class="vh">
      ${caption}
    </caption>
    <thead>
      <tr>
        ${head.map((name) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ([first, ...cells]) =>
          html`<tr>
            <th scope="row">${first ?? ""}</th>
            ${cells.map((cell) => html`<td>${cell}</td>`)}
          </tr> `,
      )}
    </tbody>
  </table>`;
}

function bar(axis: Axis, pieces: readonly { from: number; to: number; tone: Tone | "stage" }[]): Html {
  const rects = pieces.map(({ from, to, tone }) => {
    const start = Math.min(axis.at(from), AXIS - BAR_MIN);
    const width = Math.max(BAR_MIN, axis.at(to) - start);
    return html`<rect class="${tone}" x="${round(start)}" y="0" width="${round(width)}" height="10" />`;
  });
  const pauses = axis.pauses.map(
    ({ at }) => html`<rect class="pause" x="${round(at)}" y="0" width="1.5" height="10" />`,
  );
  return html`<svg class="bar" viewBox="0 0 ${AXIS} 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
    ${rects}${pauses}
  </svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function buildAxis({ invocations, stopped_at: stoppedAt, transitions, stage_executions: programs }: RunReport): Axis {
  // Of a run that has not stopped nothing is known after the last thing that happened.
  const known = [
    ...transitions.map(({ at }) => parseInstant(at)),
    ...programs.flatMap(({ started_at: at, duration_ms: ms }) => (at === null ? [] : [parseInstant(at) + ms])),
  ];
  const lastKnown = stoppedAt === null ? Math.max(0, ...known.slice(-1)) : parseInstant(stoppedAt);
  const spans = invocations.map(({ started_at: from, ended_at: to }) => {
    const start = parseInstant(from);
    return { start, end: Math.max(start, to === null ? lastKnown : parseInstant(to)) };
  });
  const totalMs = spans.reduce((sum, { start, end }) => sum + end - start, 0);
  const scale = totalMs === 0 ? 0 : AXIS / totalMs;
  const worked = (ms: number): number =>
    spans.reduce((sum, { start, end }) => sum + Math.max(0, Math.min(end, ms) - start), 0);
  return {
    totalMs,
    at: (ms) => worked(ms) * scale,
    pauses: spans.slice(1).map(({ start }, index) => {
      const before = spans[index]?.end ?? start;
      return { at: worked(before) * scale, waitedMs: Math.max(0, start - before) };
    }),
  };
}
