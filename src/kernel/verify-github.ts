import { approvalFactsSchema } from "../domain/approval-facts.ts";
import { canonicalJson, type Json } from "../domain/digest.ts";
import { gateFactsSchema } from "../domain/gate-facts.ts";
import { decideGithubGate, GATE_FACTS_FILE } from "../domain/github-gate.ts";
import { encodeFileName } from "../domain/ids.ts";
import { rulesOf } from "../domain/item-rules.ts";
import type { EventDetails, JournalEvent } from "../domain/journal.ts";
import { observeTrust, preflightSchema } from "../domain/preflight.ts";
import { foldRun } from "../domain/run.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import { judgeObservedGates } from "./github/observe-gates.ts";
import { at, eventsOf, type Mismatch } from "./mismatch.ts";
import type { VerifyPorts } from "./verify-run.ts";

/** What was read on GitHub is kept: what the events say of it must follow from that. */
export async function judgeGithub(run: SavedRun, ports: VerifyPorts): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const event of eventsOf(run.journal.events, "trust_read")) {
    const { observed, files = [] } = event.details;
    if (observed === undefined && files.length === 0) continue;
    const document = preflightSchema.safeParse(await readOnly(ports, files));
    if (observed === undefined || !document.success) {
      mismatches.push(fault(event, "the trusted branch was read on GitHub, and what was read is not there"));
      continue;
    }
    const said = observeTrust(document.data, {
      baseCommit: baseAt(run, event.seq),
      planPath: run.state.created.plan_path,
      source: observed.source,
    });
    if (!isSame(said, pickTrust(event.details)))
      mismatches.push(fault(event, "trust_read says otherwise than what was read on GitHub"));
  }
  return [...mismatches, ...(await judgeGates(run, ports)), ...(await judgeManualGates(run, ports))];
}

async function judgeGates(run: SavedRun, ports: VerifyPorts): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  const { events } = run.journal;
  for (const event of eventsOf(events, "gates_evaluated")) {
    const { observed, signals, head, files = [] } = event.details;
    if (observed === undefined && files.length === 0) continue;
    const facts = gateFactsSchema.safeParse(await readOnly(ports, files));
    if (observed === undefined || !facts.success) {
      mismatches.push(fault(event, "the gates were read on GitHub, and what was read is not there"));
      continue;
    }
    const before = foldRun(events.slice(0, event.seq - 1), rulesOf(run.config, run.plan));
    const said = judgeObservedGates(facts.data, before, run);
    if (facts.data.head !== head || !isSame(said, { signals, details: observed }))
      mismatches.push(fault(event, "gates_evaluated says otherwise than what was read on GitHub"));
  }
  return mismatches;
}

/** A decision that GitHub vouches for follows from the facts among its files. */
async function judgeManualGates(run: SavedRun, ports: VerifyPorts): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const event of eventsOf(run.journal.events, "gate_decided")) {
    const { decision, by, authority, note, commit, files } = event.details;
    if (authority === "local-unverified") continue;
    const facts = approvalFactsSchema.safeParse(
      await readOnly(
        ports,
        files.filter(({ path }) => path.endsWith(`/${encodeFileName(GATE_FACTS_FILE)}`)),
      ),
    );
    const said = facts.success ? decideGithubGate(facts.data, commit) : undefined;
    if (!isSame(said ?? null, { kind: "decided", decision, by, authority, note }))
      mismatches.push(fault(event, "gate_decided does not follow from what was read on GitHub"));
  }
  return mismatches;
}

/** The one file of an event, as JSON; nothing when it is not one file, or not JSON. That its bytes are those named is judged elsewhere. */
async function readOnly(ports: VerifyPorts, files: EventDetails<"report_written">["files"]): Promise<unknown> {
  const [file, ...more] = files;
  const bytes = file === undefined || more.length > 0 ? undefined : await ports.read(file.path);
  try {
    return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** What an event says of what was read; approvals of the environment are not among it. */
function pickTrust(details: EventDetails<"trust_read">) {
  const { tip, plan_sha256, policy_sha256, base_contained, observed, approvals } = details;
  const read =
    observed?.source === "preflight" ? approvals : approvals.filter((each) => each.authority !== "environment");
  return { tip, plan_sha256, policy_sha256, base_contained, observed, approvals: read };
}

/** The base of the run when an event was written: a refresh moves it. */
function baseAt({ state, journal }: SavedRun, seq: number): string {
  const moved = eventsOf(journal.events, "base_refreshed").filter((event) => event.seq < seq);
  return moved.at(-1)?.details.to ?? state.created.base_commit;
}

function isSame(one: unknown, other: unknown): boolean {
  return canonicalJson(one as Json) === canonicalJson(other as Json);
}

function fault({ seq }: JournalEvent, message: string): Mismatch {
  return at(`run-events.jsonl:${seq}`, message);
}
