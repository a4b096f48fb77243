import { rulesOf } from "../domain/item-rules.ts";
import type { GateAuthority } from "../domain/github-gate.ts";
import type { FileDigest } from "../domain/journal.ts";
import { encodeFileName, encodeName } from "../domain/ids.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import type { Ports } from "../ports.ts";
import { createRecorder } from "./recorder.ts";
import { writeReports } from "./seal-run.ts";

/** What a person decides about a gate. */
export interface GateRequest {
  readonly itemId: string;
  readonly decision: "approved" | "rejected" | "reopened";
  readonly by: string;
  readonly note: string;
  /** What vouches for the name. */
  readonly authority: GateAuthority;
  readonly evidence: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/**
 * Records a person's decision on the gate of a stopped run, with copies of its evidence, and seals the run again
 * (source document 003, *Manual gate boundary*). Whether a gate waits has been judged by `judgeGateRequest`.
 */
export async function recordManualGate(ports: Ports, run: SavedRun, request: GateRequest): Promise<void> {
  const recorder = createRecorder(ports, run.state, rulesOf(run.config, run.plan));
  const gate = run.state.items.find((item) => item.itemId === request.itemId)?.gate;
  if (gate === undefined) throw new Error(`item ${request.itemId} has no gate`);
  const files: FileDigest[] = [];
  for (const { name, bytes } of request.evidence) {
    const folder = `items/${encodeName(request.itemId)}/gate-${run.state.seq}`;
    files.push(await ports.files.write(`${folder}/${encodeFileName(name)}`, bytes));
  }
  recorder.record(
    "gate_decided",
    {
      decision: request.decision,
      by: request.by,
      note: request.note,
      authority: request.authority,
      commit: gate.commit,
      packet_sha256: gate.packetSha256,
      files,
    },
    request.itemId,
  );
  await writeReports({ ports, recorder, plan: run.plan, config: run.config });
  recorder.seal();
}
