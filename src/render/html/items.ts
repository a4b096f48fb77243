import { utf8Length } from "../../domain/cut-text.ts";
import type { ReportPage } from "../../domain/report-page.ts";
import type { RunReport } from "../../domain/report.ts";
import { renderAudits, renderRedGreen, sayTogether, togetherTone } from "./audits.ts";
import { nameDiff, renderDiff } from "./diff.ts";
import { renderFindings } from "./findings.ts";
import { renderManualGate } from "./gates.ts";
import { html, NOTHING, type Html } from "./html.ts";
import { renderCommands } from "./logs.ts";
import { chips, code, count, leftOut, line, list, pill, prose, short, spaced, type Tone } from "./words.ts";

type Item = RunReport["items"][number];
type Attempt = Item["attempts"][number];
type Candidate = Attempt["candidates"][number];
type AuditItem = RunReport["audit"]["items"][number];
type JudgedRound = AuditItem["rounds"][number];

/** Bytes that the rounds of all items may take together; what goes over it is named and left out. */
export const ROUNDS_BYTES_MAX = 4 * 1024 * 1024;
const VIOLATIONS_MAX = 50;

/** One round of an attempt: what was tried, what came of it, who looked at it. */
interface Round {
  readonly item: number;
  readonly attempt: Attempt;
  readonly round: number;
  readonly candidate: Candidate | undefined;
  readonly judged: JudgedRound | undefined;
  /** True for the last one of its item, which decided what became of it. */
  readonly decides: boolean;
}

/**
 * Every item with its attempts and rounds. Rounds that decided come first when there is not room for all of them, so
 * that what is left out is what was mended later.
 */
export function renderItems({ report, texts }: ReportPage): Html {
  const items = report.items.map((item, index) => ({
    item,
    audit: report.audit.items.find(({ item_id: id }) => id === item.item_id),
    rounds: listRounds(item, index, report.audit.items),
  }));
  const rendered = renderWithin(
    items.flatMap(({ rounds }) => rounds).toSorted((left, right) => Number(right.decides) - Number(left.decides)),
    texts,
  );
  return html`${items.map(({ item, audit, rounds }, index) => renderItem(item, audit, index, rounds, rendered))}`;
}

function listRounds(item: Item, index: number, audits: readonly AuditItem[]): Round[] {
  const judged = audits.find(({ item_id: id }) => id === item.item_id)?.rounds ?? [];
  const rounds = item.attempts.flatMap((attempt) => {
    const numbers = [...attempt.sessions, ...attempt.candidates].map(({ round }) => round);
    return [...new Set(numbers)]
      .toSorted((left, right) => left - right)
      .map((round) => ({
        item: index,
        attempt,
        round,
        candidate: attempt.candidates.findLast((each) => each.round === round),
        judged: judged.findLast((each) => each.attempt === attempt.attempt && each.round === round),
      }));
  });
  return rounds.map((each, at) => ({ ...each, decides: at === rounds.length - 1 }));
}

/** Renders rounds until there is no room left; of each that does not fit only its names stay. */
function renderWithin(rounds: readonly Round[], texts: ReportPage["texts"]): ReadonlyMap<Round, Html> {
  const rendered = new Map<Round, Html>();
  let left = ROUNDS_BYTES_MAX;
  for (const round of rounds) {
    const whole = renderRound(round, texts);
    const bytes = utf8Length(whole.toString());
    const fits = bytes <= left;
    rendered.set(round, fits ? whole : renderNames(round));
    left -= fits ? bytes : 0;
  }
  return rendered;
}

function renderItem(
  item: Item,
  audit: AuditItem | undefined,
  index: number,
  rounds: readonly Round[],
  rendered: ReadonlyMap<Round, Html>,
): Html {
  const state = item.terminal_state;
  return html`<section class="item" id="item-${index + 1}" aria-labelledby="item-${index + 1}-name">
    <h3 id="item-${index + 1}-name">
      <span class="item-id">${line(item.item_id)}</span> ${line(item.action)}
      ${pill(
        state === null ? (item.attempts.length === 0 ? "not started" : "not settled") : spaced(state),
        itemTone(state),
      )}
    </h3>
    <p class="muted">
      ${count(item.attempts.length, "attempt")},
      ${count(rounds.length, "round")}${
        item.commit === null ? NOTHING : html`, commit ${short(item.commit)}`
      }${audit?.audited === true || rounds.length === 0 ? "" : ", last candidate not audited"}
      ${chips(item.reason_codes)}
    </p>
    ${audit === undefined || audit.gate === null ? NOTHING : renderManualGate(audit.gate)}${
      audit === undefined || audit.evidence.length === 0
        ? NOTHING
        : html`<p class="paths">
            Evidence from outside:
            ${audit.evidence.slice(0, 20).map(({ path, sha256 }) => html`${code(path)} ${short(sha256)} `)}
          </p>`
    }${rounds.map((round) => rendered.get(round) ?? NOTHING)}
  </section> `;
}

function itemTone(state: Item["terminal_state"]): Tone {
  if (state === "passed") return "good";
  return state === "escalated" ? "bad" : state === null ? "plain" : "wait";
}

function renderRound(round: Round, texts: ReportPage["texts"]): Html {
  const { attempt, candidate, judged } = round;
  const sessions = attempt.sessions.filter((session) => session.round === round.round);
  const open = round.decides ? html` open` : NOTHING;
  return html`<details class="round" ${open}>
    <summary>${nameRound(round)} ${saySteps(round)}</summary>
    <div class="in">
      ${sessions.map(renderSession)}${candidate === undefined ? NOTHING : renderCandidate(candidate, texts)}${
        judged === undefined
          ? NOTHING
          : html`${renderRedGreen(judged, texts)}${renderAudits(judged)}${renderFindings(judged.findings)}`
      }${
        candidate === undefined || candidate.patch === null
          ? NOTHING
          : html`<h4>Changes</h4>
              ${renderDiff(candidate.patch, texts.get(candidate.patch), judged?.findings ?? [])}`
      }
    </div>
  </details> `;
}

/** What stays of a round that there is no room for. */
function renderNames(round: Round): Html {
  return html`<details class="round">
    <summary>${nameRound(round)} ${saySteps(round)}</summary>
    <div class="in">
      ${leftOut(
        "this round, because the page would be too large",
      )}${round.candidate?.patch === undefined || round.candidate.patch === null ? NOTHING : nameDiff(round.candidate.patch)}
    </div>
  </details> `;
}

function nameRound({ attempt, round }: Round): Html {
  return html`<span class="round-name">Attempt ${attempt.attempt}, round ${round}</span>`;
}

/** The round in a few words, for who does not open it. */
function saySteps({ attempt, candidate, judged, round, decides }: Round): Html {
  const kind = attempt.sessions.find((session) => session.round === round)?.kind;
  const ended = decides ? "" : attempt.ended === "void" || attempt.ended === "lost" ? attempt.ended : "";
  return html`<span class="steps"
    >${kind ?? ""} ${candidate === undefined ? NOTHING : candidatePill(candidate)}
    ${
      judged === undefined || judged.lanes.length === 0
        ? NOTHING
        : pill(sayTogether(judged.outcome), togetherTone(judged.outcome))
    }
    ${ended}</span
  >`;
}

function candidatePill(candidate: Candidate): Html {
  if (candidate.violations.length > 0) return pill("refused", "bad");
  if (candidate.verification === "passed") return pill("verified", "good");
  return candidate.verification === "failed" ? pill("verification failed", "bad") : pill("not verified", "plain");
}

function renderSession(session: Attempt["sessions"][number]): Html {
  const tone = session.outcome === "finished" ? "good" : session.outcome === "failed" ? "bad" : "wait";
  return html`<p>
      Session ${session.session} (${session.kind})
      ${pill(spaced(session.outcome), tone)}${
        session.survivors === 0 ? "" : ` It left ${count(session.survivors, "process")} running, which were ended.`
      }${session.tamper_kinds.length === 0 ? "" : ` Git was tampered with: ${line(session.tamper_kinds.join(", "))}.`}
    </p>
    ${
      session.summary === ""
        ? NOTHING
        : html`<blockquote>
            <p class="muted">It says of itself, which decides nothing:</p>
            ${prose(session.summary)}
          </blockquote>`
    }`;
}

function renderCandidate(candidate: Candidate, texts: ReportPage["texts"]): Html {
  const commit = candidate.commit === null ? NOTHING : html`, commit ${short(candidate.commit)}`;
  const rest = candidate.violations.length - VIOLATIONS_MAX;
  return html`<p class="muted">Candidate: ${count(candidate.changed_paths, "path")} changed${commit}</p>
    ${list(
      candidate.violations
        .slice(0, VIOLATIONS_MAX)
        .map(({ code: reason, path, detail }) => html`${pill(reason, "bad")} ${code(path)} ${line(detail)}`),
    )}${rest > 0 ? leftOut(count(rest, "more violation")) : NOTHING}${
      candidate.commands.length + candidate.failures.length === 0
        ? NOTHING
        : html`<h4>Verification ${candidatePill(candidate)}</h4>
            <p class="muted">In a clean checkout of the candidate.</p>
            ${list(candidate.failures.slice(0, VIOLATIONS_MAX).map(line))}${renderCommands(candidate.commands, texts)}`
    }`;
}
