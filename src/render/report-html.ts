import { sayCost } from "../domain/cost.ts";
import { sha256Base64 } from "../domain/digest.ts";
import { sayDuration } from "../domain/durations.ts";
import type { ReportPage } from "../domain/report-page.ts";
import type { RunReport } from "../domain/report.ts";
import { sumStageTimes } from "../domain/stage-times.ts";
import { renderCost, renderFact, renderProvenance, renderSandbox, renderWarnings } from "./html/facts.ts";
import { explain, renderApprovals, renderGates, riskTone } from "./html/gates.ts";
import { Html, html, NOTHING, type HtmlPart } from "./html/html.ts";
import { renderItems } from "./html/items.ts";
import { renderCommands } from "./html/logs.ts";
import { STYLE } from "./html/style.ts";
import { renderTimeline } from "./html/timeline.ts";
import { code, count, line, list, pill, prose, short, spaced, when, type Tone } from "./html/words.ts";

const STYLE_SHA256 = sha256Base64(STYLE);
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

/**
 * Renders a run as one page for eyes: verdict first, then what would unblock it, then everything that led there. The
 * page needs no script, asks for nothing from anywhere, and has nothing in it that is active but its own style, which
 * its policy names by digest. The same report and files always give the same bytes. A page is at most some 6 MB: what
 * is cut says so, and says in which file the rest is.
 */
export function renderReportHtml(page: ReportPage): string {
  return `${renderPage(page).toString()}\n`;
}

function renderPage(page: ReportPage): Html {
  const { report } = page;
  const sections = listSections(page);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'sha256-${STYLE_SHA256}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>${line(report.verdict)} · ${line(report.plan_id)}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the report</a>
        ${renderHead(report)}
        <div class="page">
          <nav aria-label="Sections">
            <ul>
              ${sections.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li> `)}
            </ul>
          </nav>
          <main id="main" tabindex="-1">
            ${sections.map(
              ({ id, name, content }) =>
                html`<section id="${id}" aria-labelledby="${id}-name">
                  <h2 id="${id}-name">${name}</h2>
                  ${content}
                </section> `,
            )}
          </main>
        </div>
        <footer>
          <p>
            Written by conveyor ${line(report.versions["conveyor"] ?? "")} from event ${report.journal_seq} of the
            journal, whose digest is <code class="digest">${line(report.journal_head)}</code>.
            <code>conveyor verify</code> derives it again. This page asks for nothing from anywhere.
          </p>
        </footer>
      </body>
    </html>`;
}

interface Section {
  readonly id: string;
  readonly name: string;
  readonly content: Html;
}

function listSections(page: ReportPage): Section[] {
  const { report, texts } = page;
  const section = (id: string, name: string, content: Html): Section => ({ id, name, content });
  return [
    section(
      "next",
      report.terminal_state === "done" ? "Nothing is left to do" : "What would unblock it",
      renderNext(report),
    ),
    section("timeline", "Timeline", renderTimeline(report)),
    section("items", "Items", renderItems(page)),
    ...(report.validation === null
      ? []
      : [
          section(
            "validation",
            "Validation",
            html`<p>
                ${pill(report.validation.passed ? "passed" : "failed", report.validation.passed ? "good" : "bad")} The
                plan's own commands on the run branch at ${short(report.validation.commit)}.
              </p>
              ${list(report.validation.failures.slice(0, 50).map(line))}${renderCommands(report.validation.commands, texts)}`,
          ),
        ]),
    section("gates", "Gates", renderGates(report)),
    section("approvals", "Approvals", renderApprovals(report)),
    section("cost", "Cost", renderCost(report)),
    section("sandbox", "Sandbox", renderSandbox(report)),
    ...(report.warnings.length === 0 ? [] : [section("warnings", "Warnings", renderWarnings(report))]),
    section("provenance", "Where from, where to", renderProvenance(report)),
  ];
}

function renderHead(report: RunReport): Html {
  const passed = report.items.filter(({ terminal_state: state }) => state === "passed").length;
  const { word, tone } = sayState(report);
  const stopped = report.stopped_at === null ? NOTHING : html`, stopped ${when(report.stopped_at)}`;
  const signal = report.interrupted_by === null ? "" : `, ended from outside by ${report.interrupted_by}`;
  return html`<header class="top">
    <div class="inner">
      <p class="kicker">Plan Conveyor <span aria-hidden="true">/</span> ${line(report.plan_id)}</p>
      <h1><span class="state ${tone}">${word}</span> ${passed} of ${report.items.length} items passed</h1>
      <p class="muted">${code(report.run_id)} started ${when(report.created_at)}${stopped} UTC${signal}</p>
      <p class="muted">
        ${report.delivered ? "Delivered as" : "Not delivered:"} ${code(report.branch)} at ${short(report.head_sha)}
      </p>
      ${list(report.blocked_reason_codes.map(explain), "codes")}
      ${report.failure === null ? NOTHING : prose(report.failure, "failure")}
      <dl class="facts">${listFacts(report)}</dl>
    </div>
  </header>`;
}

/** What a reader wants to know before reading on, in one look. */
function listFacts(report: RunReport): Html[] {
  const { audit, cost, gate_decisions: gates, policy, sandbox } = report;
  const closed = gates.filter((gate) => !gate.passed).map(({ gate }) => gate);
  const ms = sumStageTimes(report).reduce((sum, stage) => sum + stage.duration_ms, 0);
  const rounds = audit.items.flatMap((item) => item.rounds);
  const lanes = [...new Set(rounds.flatMap((round) => round.lanes.map(({ lane }) => lane)))];
  const by = lanes.length === 0 ? "" : `, by ${line(lanes.join(", "))}`;
  return [
    renderFact("Audited", spaced(audit.status), `${audit.items_audited} of ${report.items.length} items${by}`),
    gates.length === 0
      ? renderFact("Gates", "not evaluated")
      : renderFact("Gates", `${gates.length - closed.length} of ${gates.length} passed`, closed.join(", ")),
    renderFact("Time", sayDuration(ms), report.resumes === 0 ? "" : `resumed ${count(report.resumes, "time")}`),
    renderFact("Cost", sayCost(cost.total), cost.limit_usd === null ? "" : `limit $${cost.limit_usd}`),
    policy === null
      ? renderFact("Risk", "not decided", `${report.mode} mode`)
      : renderFact("Risk", pill(policy.risk.tier, riskTone(policy.risk.tier)), `${report.mode} mode`),
    sandbox === null
      ? renderFact("Sandbox", "not probed")
      : renderFact("Sandbox", `tier ${sandbox.tier}`, line(sandbox.why)),
  ];
}

function sayState({ terminal_state: state, handoff, interrupted_by: signal, stopped_at: stopped }: RunReport): {
  word: string;
  tone: Tone;
} {
  if (state !== null) return { word: state, tone: state === "done" ? "good" : state === "blocked" ? "wait" : "bad" };
  if (handoff) return { word: "handoff", tone: "wait" };
  if (stopped === null) return { word: "not stopped", tone: "plain" };
  return { word: signal === null ? "stopped" : "interrupted", tone: "wait" };
}

/** The acts that unblock the run; a click takes the whole command, a key that copies does the rest. */
function renderNext({ next_actions: actions, terminal_state: state }: RunReport): Html {
  if (actions.length === 0)
    return html`<p>
      ${state === "done" ? "Every item passed, every gate did." : "There is no command for this: the codes above say what happened."}
    </p>`;
  const act = ({ what, command }: (typeof actions)[number]): HtmlPart =>
    html`${prose(what)}${command === null ? NOTHING : html`<pre class="command" tabindex="0" role="group" aria-label="Command to copy"><code>${command}</code></pre>`}`;
  return html`<ol class="acts">
    ${actions.slice(0, 20).map((action) => html`<li>${act(action)}</li> `)}
  </ol>`;
}
