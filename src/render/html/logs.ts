import type { CommandReport } from "../../domain/command-report.ts";
import { nameErrorLog, type PageText, type ReportPage } from "../../domain/report-page.ts";
import { html, NOTHING, showBlock, type Html } from "./html.ts";
import { code, count, fold, leftOut, pill, sayBytes } from "./words.ts";

/** Commands that are shown with their logs; each item names few. */
const COMMANDS_MAX = 60;

/** What it means when a command does not pass: `red` ones run on the base, where to fail is what is hoped for. */
type Role = "required" | "suggested" | "red";

interface Ran extends CommandReport {
  readonly required?: boolean;
}

/** Commands that ran, each with its output folded under it; where a failure stops something the output stands open. */
export function renderCommands(commands: readonly Ran[], texts: ReportPage["texts"], isRed = false): Html {
  const rest = commands.length - COMMANDS_MAX;
  return html`${commands.slice(0, COMMANDS_MAX).map((command) => {
    const role = isRed ? "red" : command.required === false ? "suggested" : "required";
    return renderCommand(command, role, texts);
  })}${rest > 0 ? leftOut(count(rest, "more command")) : NOTHING}`;
}

function renderCommand(command: CommandReport, role: Role, texts: ReportPage["texts"]): Html {
  const head = html`${sayEnd(command.passed, role)} ${code(command.command)}
    <span class="muted">${command.outcome}${role === "suggested" ? ", suggested: decides nothing" : ""}</span>`;
  const errors = nameErrorLog(command.log);
  const log = renderLog("Output", command.log, texts.get(command.log));
  const errorLog = errors === command.log ? NOTHING : renderLog("Errors", errors, texts.get(errors));
  return fold(head, html`${log}${errorLog}`, !command.passed && role === "required");
}

function sayEnd(passed: boolean, role: Role): Html {
  if (role === "red") return pill(passed ? "passes on the base" : "fails on the base", "plain");
  return passed ? pill("passed", "good") : pill("failed", role === "required" ? "bad" : "wait");
}

function renderLog(what: string, path: string, text: PageText | undefined): Html {
  if (text === undefined)
    return html`<p class="log-name">${what}: ${code(path)} <span class="muted">is not on this page</span></p>`;
  if (text.bytes === 0) return html`<p class="log-name">${what}: <span class="muted">nothing</span></p>`;
  const tail =
    text.leftOut === 0
      ? NOTHING
      : html` <span class="gap">… ${text.leftOut} bytes left out, all of them in the file …</span>
          ${showBlock(text.tail)}`;
  return html`<p class="log-name">${what}: ${code(path)} <span class="muted">${sayBytes(text.bytes)}</span></p>
    <pre class="log" tabindex="0" role="group" aria-label="${what} of a command">${showBlock(text.head)}${tail}</pre> `;
}
