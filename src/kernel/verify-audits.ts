import { buildPacketManifest, parseAuditReport } from "../domain/audit-report.ts";
import { canonicalJson, sha256 } from "../domain/digest.ts";
import { mergedFindingsOf } from "../domain/item-decide.ts";
import type { ItemRules } from "../domain/item-rules.ts";
import type { FileDigest, JournalEvent } from "../domain/journal.ts";
import { renderMergedFindings } from "../domain/merged-findings.ts";
import { evolveRun, newRun } from "../domain/run.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import { parseTriageReport } from "../domain/triage.ts";
import type { RunRepository } from "../ports/git.ts";
import { at, eventsOf, type Mismatch } from "./mismatch.ts";
import { isCommitOf } from "./verify-candidates.ts";

interface AuditPorts {
  readonly repository: RunRepository;
  digest(path: string): Promise<FileDigest | undefined>;
  read(path: string): Promise<Uint8Array | undefined>;
}

/**
 * Derives again what audits and triage rest on: the packet from its files, its commit from its tree, what each lane
 * and the triage program said from the file they wrote and the nonce they were given, the merged findings from all that.
 */
export async function judgeAudits(run: SavedRun, rules: ItemRules, ports: AuditPorts): Promise<Mismatch[]> {
  return [
    ...(await judgePackets(run, ports)),
    ...(await judgeLanes(run, ports)),
    ...judgeMergedFindings(run, rules),
    ...(await judgeTriage(run, ports)),
  ];
}

async function judgePackets({ journal }: SavedRun, ports: AuditPorts): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const event of eventsOf(journal.events, "packet_frozen")) {
    const { packet_sha256: expected, commit, tree, parent, files } = event.details;
    const where = `run-events.jsonl:${event.seq}`;
    const manifest = files.find((file) => file.path.endsWith("/manifest.json"));
    if (manifest === undefined) {
      mismatches.push(at(where, "a packet without its manifest"));
      continue;
    }
    const folder = manifest.path.slice(0, -"manifest.json".length);
    const contents = await Promise.all(
      files.filter((file) => file !== manifest).map((file) => ports.digest(file.path)),
    );
    const found = contents.flatMap((file) =>
      file?.path.startsWith(folder) === true ? [{ ...file, path: file.path.slice(folder.length) }] : [],
    );
    const rebuilt = found.length === 0 ? undefined : buildPacketManifest(found);
    if (rebuilt?.sha256 !== expected || manifest.sha256 !== expected || found.length !== files.length - 1) {
      mismatches.push(at(manifest.path, "is not the manifest of the packet's files"));
    }
    if (!(await isCommitOf(ports.repository, commit, tree, parent))) {
      mismatches.push(at(`repo.git commit ${commit}`, `is not a commit of the audited tree ${tree} on ${parent}`));
    }
  }
  return mismatches;
}

async function judgeLanes({ journal }: SavedRun, ports: AuditPorts): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const event of eventsOf(journal.events, "audit_finished")) {
    const { attempt, packet_sha256, lanes, files } = event.details;
    const where = `run-events.jsonl:${event.seq}`;
    const asked = lastBefore(journal.events, event, "audit_started")?.details.lanes ?? [];
    const given = lanes.map(({ lane, nonce }) => ({ lane, nonce }));
    if (canonicalJson(given) !== canonicalJson(asked)) {
      mismatches.push(at(where, "the lanes that answered are not those that were asked"));
    }
    for (const { lane, nonce, facts } of lanes) {
      const file = files.find((candidate) => candidate.path.endsWith(`/${lane}/result.json`));
      const said = parseAuditReport(file === undefined ? undefined : await ports.read(file.path), {
        lane,
        item_id: event.item_id ?? "",
        attempt,
        packet_sha256,
        nonce,
      });
      if (canonicalJson(said) !== canonicalJson(facts)) {
        mismatches.push(at(file?.path ?? where, `is not what the journal says that lane ${lane} answered`));
      }
    }
  }
  return mismatches;
}

/** The findings follow from the state before them, so the run is folded once more and looked at on the way. */
function judgeMergedFindings({ journal }: SavedRun, rules: ItemRules): Mismatch[] {
  const [first, ...rest] = journal.events;
  if (first?.type !== "run_created") return [];
  const mismatches: Mismatch[] = [];
  let state = newRun(first);
  for (const event of rest) {
    if (event.type === "findings_merged") {
      const item = state.items.find(({ itemId }) => itemId === event.item_id);
      const candidate = item?.attempts.at(-1)?.candidates.at(-1);
      const text = candidate === undefined ? "" : renderMergedFindings(mergedFindingsOf(candidate));
      const { findings_sha256: named, files } = event.details;
      if (sha256(text) !== named || files.length !== 1 || files[0]?.sha256 !== named) {
        const where = files[0]?.path ?? `run-events.jsonl:${event.seq}`;
        mismatches.push(at(where, "is not what the lanes' findings merge to"));
      }
    }
    state = evolveRun(state, event, rules);
  }
  return mismatches;
}

async function judgeTriage({ journal }: SavedRun, ports: AuditPorts): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const event of eventsOf(journal.events, "triage_finished")) {
    const { attempt, nonce, facts, files } = event.details;
    const where = `run-events.jsonl:${event.seq}`;
    const asked = lastBefore(journal.events, event, "triage_started");
    if (asked?.details.nonce !== nonce) mismatches.push(at(where, "the triage that answered is not the one asked"));
    const file = files.find((candidate) => candidate.path.endsWith("/result.json"));
    const said = parseTriageReport(file === undefined ? undefined : await ports.read(file.path), {
      item_id: event.item_id ?? "",
      attempt,
      findings_sha256: asked?.details.findings_sha256 ?? "",
      nonce,
    });
    if (canonicalJson(said) !== canonicalJson(facts)) {
      mismatches.push(at(file?.path ?? where, "is not what the journal says that triage answered"));
    }
  }
  return mismatches;
}

/** Walks back from an event, since what it answers stands close before it. */
function lastBefore<T extends JournalEvent["type"]>(
  events: readonly JournalEvent[],
  event: JournalEvent,
  type: T,
): Extract<JournalEvent, { type: T }> | undefined {
  for (let seq = event.seq - 1; seq > 0; seq -= 1) {
    const candidate = events[seq - 1];
    if (candidate?.type === type && candidate.item_id === event.item_id) {
      return candidate as Extract<JournalEvent, { type: T }>;
    }
  }
  return undefined;
}
