import type { RunReport } from "../../domain/report.ts";
import type { ReportPage } from "../../domain/report-page.ts";
import { html, NOTHING, type Html } from "./html.ts";
import { renderCommands } from "./logs.ts";
import { code, count, line, list, pill, prose, short, spaced, type Tone } from "./words.ts";

type Round = RunReport["audit"]["items"][number]["rounds"][number];
type Lane = Round["lanes"][number];

const LIMITATIONS_MAX = 10;

/** The auditors of a round side by side: what each came to, in its own words, and what they come to together. */
export function renderAudits(round: Round): Html {
  if (round.lanes.length === 0) return NOTHING;
  const packet = round.packet_sha256 === null ? NOTHING : html` over packet ${short(round.packet_sha256)}`;
  return html`<h4>Audits ${pill(sayTogether(round.outcome), togetherTone(round.outcome))}</h4>
    <p class="muted">${count(round.lanes.length, "lane")}${packet}, side by side</p>
    <div class="lanes">${round.lanes.map(renderLane)}</div>
    ${renderTriage(round)}`;
}

function renderLane(lane: Lane): Html {
  const words =
    lane.outcome === "findings"
      ? `${count(lane.findings, "finding")}${lane.blocks ? ", blocks" : ""}`
      : spaced(lane.outcome);
  const { said } = lane;
  return html`<section class="lane">
    <h5>${line(lane.lane)} ${pill(words, laneTone(lane))}</h5>
    ${lane.why === "" ? NOTHING : html`<p>Its answer proves nothing: ${line(lane.why)}</p>`}${
      lane.failed_answers === 0
        ? NOTHING
        : html`<p class="muted">${count(lane.failed_answers, "answer")} of it proved nothing</p>`
    }${
      said === null
        ? NOTHING
        : html`<p class="muted">It says <b>${spaced(said.verdict)}</b></p>
            ${prose(said.summary)}${
              said.limitations.length === 0 ? NOTHING : html`<p class="muted">It could not look at:</p>`
            }${list(said.limitations.slice(0, LIMITATIONS_MAX).map(line))}`
    }
  </section> `;
}

function renderTriage({ triage }: Round): Html {
  const words = [
    ...(triage.answer === "read" ? ["A triage program sorted the findings."] : []),
    ...(triage.answer === "rejected" ? [`The triage program's answer does not count: ${triage.why}`] : []),
    ...triage.refused.map(
      ({ finding_id: id, asked, why }) =>
        `Refused to the triage program: ${spaced(asked)} for ${id.slice(0, 12)}: ${why}`,
    ),
  ];
  return list(words.map(line));
}

/** Whether the tests of a candidate failed before it and pass with it. */
export function renderRedGreen(round: Round, texts: ReportPage["texts"]): Html {
  if (round.red_green === null) return NOTHING;
  const isProven = round.red_green === "proven";
  return html`<h4>Red, then green ${pill(isProven ? "proven" : "not proven", isProven ? "good" : "bad")}</h4>
    ${isProven ? html`<p class="muted">At least one of these fails on the base with the candidate's tests alone, and all pass with the candidate.</p>` : html`<p>${line(round.red_green_gap)}</p>`}
    ${round.red_test_paths.length === 0 ? NOTHING : html`<p class="paths">Tests: ${round.red_test_paths.slice(0, 20).map((path) => html`${code(path)} `)}</p>`}
    ${renderCommands(round.red_commands, texts, true)}`;
}

function laneTone(lane: Lane): Tone {
  if (lane.outcome === "pass") return "good";
  if (lane.outcome === "findings") return lane.blocks ? "bad" : "wait";
  return lane.outcome === "engine_failed" ? "bad" : "wait";
}

export function sayTogether(outcome: Round["outcome"]): string {
  return outcome === "disagree" ? "they disagree" : outcome === "pass" ? "all pass" : spaced(outcome);
}

export function togetherTone(outcome: Round["outcome"]): Tone {
  return outcome === "pass" ? "good" : outcome === "engine_failed" ? "bad" : "wait";
}
