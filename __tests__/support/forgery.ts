import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildCheckpoint } from "../../src/domain/checkpoint.ts";
import { readPolicyFile, rulesOf } from "../../src/domain/config.ts";
import { sha256 } from "../../src/domain/digest.ts";
import type { JournalEvent } from "../../src/domain/journal.ts";
import { buildEventLine, JOURNAL_START, parseEventLine } from "../../src/domain/journal-text.ts";
import { planSchema } from "../../src/domain/plan.ts";
import { buildRunReport } from "../../src/domain/report.ts";
import { foldRun } from "../../src/domain/run.ts";
import { renderReportMarkdown } from "../../src/render/report-markdown.ts";

/** An event of any type whose details a forger writes as he likes. */
export type ForgedEvent = Omit<JournalEvent, "details" | "type"> & { type: string; details: Record<string, unknown> };

/**
 * Rewrites a run folder as somebody would who has this program and knows its formats: events as `edit` leaves them, the
 * chain, every digest, both reports and the checkpoint made anew, so that nothing but the meaning can give him away.
 * Gives whether the fold itself accepts what he wrote.
 */
export function forgeRun(
  folder: string,
  edit: (events: ForgedEvent[]) => ForgedEvent[],
  files: Readonly<Record<string, string>> = {},
): boolean {
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  const digests = new Map(Object.entries(files).map(([path, text]) => [path, digestOf(path, text)]));
  const edited = edit(readEvents(folder)).map((event) => ({ ...event, details: nameAnew(event.details, digests) }));
  const config = readPolicyFile(readFileSync(join(folder, "policy.json"), "utf8"));
  const plan = planSchema.parse(JSON.parse(readFileSync(join(folder, "normalized_plan.json"), "utf8")));
  if (config === undefined) throw new Error("the forger's policy cannot be read");
  const before = chain(edited.slice(0, -1));
  try {
    const report = buildRunReport(foldRun(before.events, rulesOf(config)), plan, before.head);
    const reports = {
      "orchestrator_run_report.json": `${JSON.stringify(report, null, 2)}\n`,
      "report.md": renderReportMarkdown(report),
    };
    for (const [path, text] of Object.entries(reports)) writeFileSync(join(folder, path), text);
    const last = edited.at(-1);
    if (last === undefined) throw new Error("there is no event");
    const named = { ...last, details: { files: Object.entries(reports).map(([path, text]) => digestOf(path, text)) } };
    const all = chain([...edited.slice(0, -1), named]);
    writeFileSync(join(folder, "run-events.jsonl"), all.text);
    writeFileSync(
      join(folder, "orchestrator_checkpoint.json"),
      buildCheckpoint(foldRun(all.events, rulesOf(config)), all.head),
    );
    return true;
  } catch {
    writeFileSync(join(folder, "run-events.jsonl"), chain(edited).text);
    return false;
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
