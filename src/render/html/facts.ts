import { sayBudget, sayCost, sayTokens, type Cost } from "../../domain/cost.ts";
import type { RunReport } from "../../domain/report.ts";
import { html, NOTHING, type Html, type HtmlPart } from "./html.ts";
import { code, fold, line, list, pill, sayBytes, spaced, table, type Tone } from "./words.ts";

const STRENGTH_TONES: Readonly<Record<string, Tone>> = { enforced: "good", detected: "wait", advisory: "plain" };

/** What held the programs: the tier, each layer with its strength, what a program inside tried, and whom they asked. */
export function renderSandbox({ sandbox, stage_executions: programs }: RunReport): Html {
  if (sandbox === null) return html`<p>Not probed: no program was started.</p>`;
  const { trial } = sandbox.facts;
  const asked = programs.flatMap((program) => program.network.map((use) => ({ ...use, purpose: program.purpose })));
  return html`<p>
      ${pill(`tier ${sandbox.tier}`, sandbox.tier >= 3 ? "good" : "wait")} ${line(sandbox.why)}
      <span class="muted">(level ${sandbox.level}, minimum tier ${sandbox.minimum_tier})</span>
    </p>
    ${table(
      "Layers of the sandbox",
      ["layer", "strength", "what that means"],
      sandbox.layers.map(({ layer, strength, detail }) => [
        spaced(layer),
        pill(strength, STRENGTH_TONES[strength] ?? "plain"),
        line(detail),
      ]),
    )}${
      trial.kind === "ran"
        ? fold(
            `${trial.probes.filter(({ outcome }) => outcome === "held").length} of ${trial.probes.length} probes held when the run started`,
            table(
              "Probes of the sandbox",
              ["a program inside tried", "outcome", "seen"],
              trial.probes.map(({ probe, outcome, detail }) => [
                spaced(probe),
                pill(outcome, outcome === "held" ? "good" : "bad"),
                line(detail),
              ]),
            ),
          )
        : NOTHING
    }${
      asked.length === 0
        ? NOTHING
        : html`<h3>Network</h3>
            ${table(
              "Hosts that programs asked the proxy for",
              ["host", "for", "allowed", "requests", "sent", "received"],
              asked.map((use) => [
                code(`${use.host}:${use.port}`),
                spaced(use.purpose),
                pill(use.allowed ? "yes" : "no", use.allowed ? "good" : "bad"),
                use.requests,
                sayBytes(use.sent_bytes),
                sayBytes(use.received_bytes),
              ]),
            )}`
    }`;
}

/** What the agents cost, by item and by lane, beside what they may. */
export function renderCost({ cost: { total, items, lanes, limit_usd: limit } }: RunReport): Html {
  if (total.sessions === 0) return html`<p>No coding agent was started, so that there is nothing to pay.</p>`;
  const row = (what: HtmlPart, part: Cost, budget: string): HtmlPart[] => [
    what,
    part.sessions,
    sayCost(part),
    budget,
    sayTokens(part),
  ];
  return html`<p>${sayCost(total)} ${limit === null ? "without a limit" : `of at most $${limit}`}.</p>
    ${limit === null || limit === 0 ? NOTHING : renderBudget(total.known_usd / limit)}${table(
      "Cost by item and lane",
      ["of", "sessions", "cost", "budget", "tokens"],
      [
        ...items.map((item) => row(`item ${line(item.item_id)}`, item, sayBudget(item.budget_usd, "item"))),
        ...lanes.map((lane) => row(line(lane.lane), lane, sayBudget(lane.budget_usd, "session"))),
        row(html`<b>all</b>`, total, sayBudget(limit, "item")),
      ],
    )}`;
}

function renderBudget(part: number): Html {
  const width = Math.round(Math.min(1, part) * 1000);
  return html`<svg
    class="bar budget"
    viewBox="0 0 1000 10"
    preserveAspectRatio="none"
    role="img"
    aria-label="${Math.round(part * 100)} percent of the limit is spent"
  >
    <rect class="rest" width="1000" height="10" />
    <rect class="${part >= 1 ? "bad" : "stage"}" width="${width}" height="10" />
  </svg> `;
}

/** Where everything comes from and where it went: commits, digests, versions, options. */
export function renderProvenance(report: RunReport): Html {
  const { digests } = report;
  const rows: [string, HtmlPart][] = [
    ["base commit", full(report.base_commit)],
    ["head", full(report.head_sha)],
    ["branch", html`${code(report.branch)}${report.delivered ? "" : " (not delivered)"}`],
    ["plan digest", full(digests.plan_sha256)],
    [
      "policy digest",
      html`${full(digests.policy_sha256)} <span class="muted">${spaced(digests.config_authority)}</span>`,
    ],
    ["configuration digest", digests.config_sha256 === null ? "none" : full(digests.config_sha256)],
    ["journal head", html`${full(report.journal_head)} <span class="muted">event ${report.journal_seq}</span>`],
    ...Object.entries(report.versions).map(([name, version]): [string, HtmlPart] => [line(name), code(version)]),
  ];
  const options = Object.entries(report.options);
  return html`${table("Commits, digests and versions", ["what", "value"], rows)}${
    options.length === 0
      ? NOTHING
      : fold(
          "Options, and where each value came from",
          table(
            "Options",
            ["option", "value", "from"],
            options.map(([name, { value, source }]) => [line(name), code(JSON.stringify(value)), spaced(source)]),
          ),
        )
  }`;
}

function full(digest: string): Html {
  return html`<code class="digest">${line(digest)}</code>`;
}

/** What to know that is no fault. */
export function renderWarnings({ warnings }: RunReport): Html {
  return list(warnings.map(line));
}

/** A fact of the head of the page: what it is, its value, and a word more. */
export function renderFact(name: string, value: HtmlPart, more: HtmlPart = ""): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
    <dd class="muted">${more}</dd>
  </div> `;
}
