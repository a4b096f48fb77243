import { buildPacketManifest } from "../../domain/audit-report.ts";
import { buildCommitMessage } from "../../domain/commit-message.ts";
import type { FileDigest } from "../../domain/journal.ts";
import { PLAN_FILE } from "../../domain/saved-run.ts";
import { readNamed } from "../named-files.ts";
import { planItem, type RunContext } from "../run-context.ts";
import { itemState } from "../run-context.ts";
import { attemptFolder, currentAttempt } from "./attempt-files.ts";

/** Folder of a packet in the run folder. */
export function packetFolder(context: RunContext, itemId: string, round: number): string {
  const state = currentAttempt(context, itemId);
  return `${attemptFolder(itemId, state.attempt)}/round-${round}/packet-${state.sessions.length}`;
}

/**
 * Freezes what the auditors judge: patch, verification, executor's report, plan, item and evidence, under one manifest
 * whose digest is the packet's name; and makes the commit that passes when nothing is left open.
 */
export async function freezePacket(
  context: RunContext,
  itemId: string,
  { attempt, round, tree, parent }: { attempt: number; round: number; tree: string; parent: string },
): Promise<void> {
  const { ports, recorder, plan } = context;
  const item = planItem(context, itemId);
  const state = currentAttempt(context, itemId);
  const candidate = state.candidates.at(-1);
  const folder = packetFolder(context, itemId, round);
  const session = state.sessions.at(-1);
  const contents: [string, Uint8Array | string][] = [
    ["candidate.patch", await ports.repository.buildPatch(parent, tree)],
    ["verification.json", toText({ schema_version: "conveyor.verification.v1", ...candidate?.verified })],
    ["executor.json", toText({ claims: session?.summary ?? "", outcome: session?.outcome.kind ?? "" })],
    ["plan.md", await readNamed(context, PLAN_FILE)],
    ["item.json", toText(item)],
    ...(await Promise.all(
      itemState(context, itemId).evidence.map(async (path): Promise<[string, Uint8Array]> => [
        `evidence/${path.split("/").at(-1) ?? "file"}`,
        await readNamed(context, path),
      ]),
    )),
  ];
  const files: FileDigest[] = [];
  for (const [name, bytes] of contents) files.push(await ports.files.write(`${folder}/${name}`, bytes));
  const listed = files.map((file) => ({ ...file, path: file.path.slice(folder.length + 1) }));
  const manifest = buildPacketManifest(listed);
  files.push(await ports.files.write(`${folder}/manifest.json`, manifest.text));
  const message = buildCommitMessage({
    planId: plan.plan_id,
    runId: recorder.state.runId,
    item,
    packet: manifest.sha256,
  });
  const commit = await ports.repository.commitTree({ tree, parent, message, at: ports.clock.now() });
  recorder.record(
    "packet_frozen",
    { attempt, round, packet_sha256: manifest.sha256, commit, tree, parent, files },
    itemId,
  );
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
