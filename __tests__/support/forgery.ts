import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildCheckpoint } from "../../src/domain/checkpoint.ts";
import { buildClosing, buildClosingMessage } from "../../src/domain/closing-commit.ts";
import { readPolicyFile } from "../../src/domain/config.ts";
import { decodeEnds } from "../../src/domain/cut-text.ts";
import { sha256 } from "../../src/domain/digest.ts";
import { rulesOf } from "../../src/domain/item-rules.ts";
import type { JournalEvent } from "../../src/domain/journal.ts";
import { buildEventLine, JOURNAL_START, parseEventLine } from "../../src/domain/journal-text.ts";
import { planSchema, type Plan } from "../../src/domain/plan.ts";
import { listPageFiles, type PageText, type ReportPage } from "../../src/domain/report-page.ts";
import { buildRunReport, type RunReport } from "../../src/domain/report.ts";
import { foldRun } from "../../src/domain/run.ts";
import { listClosingChanges, readClosingFacts } from "../../src/kernel/closing.ts";
import { renderReportHtml } from "../../src/render/report-html.ts";
import { renderReportMarkdown } from "../../src/render/report-markdown.ts";
import { git } from "./git-run.ts";

/** An event of any type whose details a forger writes as he likes. */
export type ForgedEvent = Omit<JournalEvent, "details" | "type"> & { type: string; details: Record<string, unknown> };

/**
 * Rewrites a run folder as somebody would who has this program and knows its formats: events as `edit` leaves them, the
 * chain, every digest, both reports and the checkpoint made anew, so that nothing but the meaning can give him away.
 * Gives whether the fold itself accepts what he wrote. `closing: "anew"` makes the closing commit as well, which names
 * the journal's head and would otherwise give away every edit before it, whatever the edit means.
 */
export function forgeRun(
  folder: string,
  edit: (events: ForgedEvent[]) => ForgedEvent[],
  files: Readonly<Record<string, string>> = {},
  { closing = "kept" }: { readonly closing?: "kept" | "anew" } = {},
): boolean {
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  const digests = new Map(Object.entries(files).map(([path, text]) => [path, digestOf(path, text)]));
  const named = edit(readEvents(folder)).map((event) => ({ ...event, details: nameAnew(event.details, digests) }));
  const config = readPolicyFile(readFileSync(join(folder, "policy.json"), "utf8"));
  const plan = planSchema.parse(JSON.parse(readFileSync(join(folder, "normalized_plan.json"), "utf8")));
  if (config === undefined) throw new Error("the forger's policy cannot be read");
  const edited = closing === "anew" ? closeAnew(folder, named, config, plan) : named;
  const before = chain(edited.slice(0, -1));
  try {
    const report = buildRunReport(foldRun(before.events, rulesOf(config, plan)), { plan, config }, before.head);
    const reports = [
      { path: "orchestrator_run_report.json", text: `${JSON.stringify(report, null, 2)}\n` },
      { path: "report.md", text: renderReportMarkdown(report) },
      { path: "report.html", text: renderReportHtml(readPage(folder, report)) },
    ];
    for (const { path, text } of reports) writeFileSync(join(folder, path), text);
    const last = edited.at(-1);
    if (last === undefined) throw new Error("there is no event");
    const sealed = { ...last, details: { files: reports.map(({ path, text }) => digestOf(path, text)) } };
    const all = chain([...edited.slice(0, -1), sealed]);
    writeFileSync(join(folder, "run-events.jsonl"), all.text);
    writeFileSync(
      join(folder, "orchestrator_checkpoint.json"),
      buildCheckpoint(foldRun(all.events, rulesOf(config, plan)), all.head),
    );
    return true;
  } catch {
    writeFileSync(join(folder, "run-events.jsonl"), chain(edited).text);
    return false;
  }
}

/** The events with a closing commit that fits the journal before it; as they are when that journal cannot be. */
function closeAnew(
  folder: string,
  events: ForgedEvent[],
  config: NonNullable<ReturnType<typeof readPolicyFile>>,
  plan: Plan,
): ForgedEvent[] {
  const at = events.findIndex(({ type }) => type === "closing_prepared");
  const old = events[at]?.details;
  if (old === undefined) return events;
  const before = chain(events.slice(0, at));
  const work = mkdtempSync(join(tmpdir(), "conveyor-forger-"));
  try {
    const state = foldRun(before.events, rulesOf(config, plan));
    const planBytes = readFileSync(join(folder, "plan.md"));
    const facts = readClosingFacts({
      state,
      plan,
      config,
      planBytes,
      date: String(old["date"]),
      journalHead: before.head,
    });
    const closing = buildClosing(facts).files;
    const changes = listClosingChanges(closing);
    if (JSON.stringify(changes) === JSON.stringify(old["changes"])) return events;
    git(work, "clone", "--quiet", "--no-checkout", join(folder, "repo.git"), "clone");
    const clone = join(work, "clone");
    git(clone, "checkout", "--quiet", "--detach", state.tip);
    for (const { path, text } of closing) {
      mkdirSync(dirname(join(clone, path)), { recursive: true });
      if (text === null) rmSync(join(clone, path));
      else writeFileSync(join(clone, path), text);
    }
    git(clone, "add", "--all", "--force");
    git(clone, "commit", "--quiet", "-m", buildClosingMessage(facts));
    git(clone, "push", "--quiet", "origin", `+HEAD:refs/heads/${state.created.run_branch}`);
    const commit = git(clone, "rev-parse", "HEAD");
    const details = { ...old, parent: state.tip, tree: git(clone, "rev-parse", "HEAD^{tree}"), changes };
    const rest = JSON.stringify([{ ...events[at], details }, ...events.slice(at + 1)]);
    return [...events.slice(0, at), ...(JSON.parse(rest.replaceAll(String(old["commit"]), commit)) as ForgedEvent[])];
  } catch {
    return events;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function readEvents(folder: string): ForgedEvent[] {
  const lines = readFileSync(join(folder, "run-events.jsonl"), "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as ForgedEvent);
}

function nameAnew(details: Record<string, unknown>, digests: ReadonlyMap<string, unknown>): Record<string, unknown> {
  if (!Array.isArray(details["files"])) return details;
  return { ...details, files: details["files"].map((file: { path: string }) => digests.get(file.path) ?? file) };
}

function chain(events: readonly ForgedEvent[]): { events: JournalEvent[]; text: string; head: string } {
  let head = JOURNAL_START;
  const chained = events.map((event, index) => {
    const linked = { ...event, seq: index + 1, prev: head } as unknown as JournalEvent;
    const line = buildEventLine(linked);
    head = sha256(line);
    // Read back like any reader does: the order of keys in the reports is that of the schema.
    const read = parseEventLine(line);
    return read.ok ? read.value : linked;
  });
  return { events: chained, text: chained.map((event) => `${buildEventLine(event)}\n`).join(""), head };
}

function digestOf(path: string, text: string) {
  return { path, sha256: sha256(text), bytes: Buffer.byteLength(text) };
}

/** What the page shows of the files, forged or not: as the kernel reads them, and small enough to be shown whole. */
function readPage(folder: string, report: RunReport): ReportPage {
  const texts = new Map<string, PageText>();
  for (const { path, headMax, tailMax } of listPageFiles(report)) {
    const file = join(folder, path);
    if (!existsSync(file)) continue;
    const head = readFileSync(file);
    if (head.length > headMax + tailMax) throw new Error(`${path} is larger than a forger of tests expects`);
    texts.set(path, { ...decodeEnds({ bytes: head.length, head, tail: new Uint8Array() }), bytes: head.length });
  }
  return { report, texts };
}
