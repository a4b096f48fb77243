import type { RunReport } from "../../domain/report.ts";
import { REASON_CODES, type ReasonCode } from "../../domain/reason-codes.ts";
import { html, NOTHING, type Html } from "./html.ts";
import { chips, code, line, list, pill, prose, short, spaced, table, type Tone } from "./words.ts";

type ManualGate = NonNullable<RunReport["audit"]["items"][number]["gate"]>;
type Policy = NonNullable<RunReport["policy"]>;

/** The three gates as a tree: what each wanted, what it was told, and for policy all that led to it. */
export function renderGates(report: RunReport): Html {
  const { gate_decisions: gates, policy } = report;
  if (gates.length === 0)
    return html`<p>Not evaluated: the run stopped before them.</p>
      ${
        policy === null
          ? NOTHING
          : html`<ul class="tree">
              ${renderPolicy(policy, report.mode)}
            </ul>`
      }`;
  const passed = gates.filter((gate) => gate.passed).length;
  return html`<p>${passed} of ${gates.length} passed for ${short(report.head_sha)}.</p>
    <ul class="tree">
      ${gates.map(
        (gate) =>
          html`<li>
            ${pill(gate.passed ? "passed" : "blocked", gate.passed ? "good" : "bad")} <b>${gate.gate}</b>
            <ul>
              <li>it was told ${code(gate.signal)}</li>
              <li>${line(gate.detail)}</li>
              ${
                gate.reason_code === null ? NOTHING : html`<li>${explain(gate.reason_code)}</li>`
              }${gate.gate === "policy" && policy !== null ? renderPolicy(policy, report.mode) : NOTHING}
            </ul>
          </li> `,
      )}
    </ul>`;
}

/** A code with what it means. */
export function explain(reason: ReasonCode): Html {
  return html`${chips([reason])} <span class="muted">${REASON_CODES[reason].means}</span>`;
}

function renderPolicy({ decision, risk, refusals, reason_codes: codes, approvals }: Policy, mode: string): Html {
  const counting = approvals.filter(({ counts }) => counts).length;
  return html`<li>
    ${pill(decision, decision === "allow" ? "good" : "bad")} the run's own policy decision, in ${mode} mode
    <ul>
      <li>
        risk ${pill(risk.tier, riskTone(risk.tier))}
        <ul>
          ${risk.reasons.map(({ tier, text }) => html`<li>${tier}: ${line(text)}</li>`)}
        </ul>
      </li>
      <li>${counting} of ${approvals.length} approvals count</li>
      ${refusals.map(({ code: reason, text }) => html`<li>refused: ${chips([reason])} ${line(text)}</li>`)}${
        refusals.length > 0 ? NOTHING : codes.map((reason) => html`<li>${explain(reason)}</li>`)
      }
    </ul>
  </li>`;
}

export function riskTone(tier: Policy["risk"]["tier"]): Tone {
  return tier === "low" ? "good" : tier === "medium" ? "wait" : "bad";
}

/** Who approved what, and what vouches for it; the records that do not count say which rule refused them. */
export function renderApprovals({ policy }: RunReport): Html {
  if (policy === null) return html`<p>Policy was not decided: the run stopped before.</p>`;
  if (policy.approvals.length === 0)
    return html`<p>Nobody approved anything, and nothing says that anybody had to.</p>`;
  return table(
    "Approvals",
    ["risk", "by", "authority", "counts", "refused by"],
    policy.approvals.map((approval) => [
      approval.tier,
      approval.approver === null ? "nobody is named" : line(approval.approver),
      `${approval.authority}${approval.self_approved ? ", self-approved" : ""}`,
      pill(approval.counts ? "counts" : "does not count", approval.counts ? "good" : "bad"),
      approval.refused_by.join(", "),
    ]),
  );
}

/** A manual gate: what was asked, and what a person decided. */
export function renderManualGate(gate: ManualGate): Html {
  const isOpen = gate.decision === "none";
  const tone = isOpen ? "wait" : gate.decision === "approved" ? "good" : "bad";
  return html`<div class="gate ${tone}">
    <h4>Manual gate: ${spaced(gate.gate_type)} ${pill(isOpen ? "open" : gate.decision, tone)}</h4>
    ${prose(gate.reason)}
    <p class="muted">
      For commit ${short(gate.commit)}, packet
      ${short(gate.packet_sha256)}${
        gate.required_evidence === "" ? "" : `. Evidence asked for: ${line(gate.required_evidence)}`
      }
    </p>
    ${isOpen ? NOTHING : html`<p>By <b>${line(gate.by)}</b>, authority ${code(gate.authority)}</p>`}${prose(gate.note)}${list(
      gate.evidence.slice(0, 50).map(({ path, sha256 }) => html`${code(path)} ${short(sha256)}`),
    )}
  </div> `;
}
