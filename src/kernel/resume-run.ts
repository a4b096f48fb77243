import { buildCheckpoint, judgeCheckpoint } from "../domain/checkpoint.ts";
import { DEFAULT_CONFIG_PATH } from "../domain/run-choices.ts";
import { mayBranchBe } from "../domain/handed-objects.ts";
import { rulesOf } from "../domain/item-rules.ts";
import { sha256 } from "../domain/digest.ts";
import { encodeFileName, encodeName } from "../domain/ids.ts";
import type { EventDetails, FileDigest } from "../domain/journal.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { SavedRun, SavedRunFault } from "../domain/saved-run.ts";
import type { Ports } from "../ports.ts";
import { findTamperedFile } from "./named-files.ts";
import { finishRefresh } from "./refresh-run.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import type { RunContext, Settings } from "./run-context.ts";
import { isReportFile } from "./report-files.ts";
import { writeReports } from "./seal-run.ts";

/** What a resume finds in the run folder besides journal and inputs. */
export interface ResumeFacts {
  readonly checkpoint: string | undefined;
  /** Files below the run folder that an event should name, and those that were being written. */
  readonly files: readonly string[];
  readonly temporaryFiles: readonly string[];
  /** Bytes after the last newline of the journal. */
  readonly tornTail: Uint8Array;
  cutTornTail(): void;
  moveFile(from: string, to: string): Promise<void>;
}

/**
 * Re-verifies what a resume is about to build on, changing nothing: the checkpoint, every named file, the run branch
 * and the commits it is made of. Reason codes: CHECKPOINT_CORRUPT, ARTIFACT_TAMPERED, GIT_TAMPERED.
 */
export async function checkSavedRun(
  run: SavedRun,
  ports: { readonly files: Pick<Ports["files"], "digestSaved" | "read">; readonly repository: Ports["repository"] },
  facts: Pick<ResumeFacts, "checkpoint">,
): Promise<Result<{ warnings: string[] }, SavedRunFault>> {
  const { state, journal } = run;
  const verdict = judgeCheckpoint(facts.checkpoint, buildCheckpoint(state, journal.head), {
    seq: state.seq,
    headAt: (seq) => journal.events[seq]?.prev,
  });
  if (verdict.kind === "corrupt") {
    return err({ code: "CHECKPOINT_CORRUPT", path: "orchestrator_checkpoint.json", message: verdict.why });
  }
  const tampered = await findTamperedFile(state, ports.files);
  if (tampered !== undefined) return err({ code: "ARTIFACT_TAMPERED", ...tampered });
  const fault = await checkCommits(run, ports.repository);
  return fault === undefined
    ? ok({ warnings: verdict.kind === "rebuild" ? [`${verdict.why}; it was rebuilt from the journal`] : [] })
    : err(fault);
}

async function checkCommits({ state }: SavedRun, repository: Ports["repository"]): Promise<SavedRunFault | undefined> {
  const tampered = (path: string, message: string): SavedRunFault => ({ code: "GIT_TAMPERED", path, message });
  const forged = await repository.findForgedObjects();
  if (forged[0] !== undefined)
    return tampered(`repo.git object ${forged[0]}`, "its bytes are not those its name promises");
  const ref = `refs/heads/${state.created.run_branch}`;
  const branch = await repository.readRef(ref);
  if (!mayBranchBe(state, branch)) {
    return tampered(`repo.git ${ref}`, `names ${branch ?? "nothing"}, the journal says ${state.tip}`);
  }
  for (const item of state.items) {
    const { commitPrepared } = item;
    if (commitPrepared === undefined) continue;
    const tree = await repository.readTreeOf(commitPrepared.commit);
    if (tree !== commitPrepared.tree)
      return tampered(`repo.git commit ${commitPrepared.commit}`, `is not of tree ${commitPrepared.tree}`);
  }
  return undefined;
}

/**
 * Ends what a killed process had begun: what it left is set aside, the checkpoint is made anew, and the reports of a run
 * that has stopped are written. Nothing is decided anew; what the journal says stays. Gives what a person should know.
 */
export async function finishSealing(ports: Ports, run: SavedRun, facts: ResumeFacts): Promise<readonly string[]> {
  const recorder = createRecorder(ports, run.state, rulesOf(run.config, run.plan));
  const torn = await setTornTailAside(ports, recorder, facts);
  await setLeftoversAside(ports, recorder, facts);
  await finishRefresh(ports, recorder);
  const { stop, sealed } = recorder.state;
  if (stop !== undefined && !sealed) await writeReports({ ports, recorder, plan: run.plan, config: run.config });
  recorder.seal();
  return torn;
}

/** Goes on with a run whose lock is held: sets aside what a killed process left, records the resume. */
export async function resumeRun(
  ports: Ports,
  run: SavedRun,
  facts: ResumeFacts,
  request: {
    settings: Settings;
    options: EventDetails<"run_resumed">["options"];
    warnings: readonly string[];
    newAttempt: string | undefined;
    evidence: EvidenceByItem;
  },
): Promise<RunContext> {
  const rules = rulesOf(run.config, run.plan);
  const recorder = createRecorder(ports, run.state, rules);
  const torn = await setTornTailAside(ports, recorder, facts);
  await setLeftoversAside(ports, recorder, facts);
  await recordEvidence(ports, recorder, request.evidence);
  const warnings = [...request.warnings, ...torn];
  recorder.record("run_resumed", { options: request.options, warnings, new_attempt: request.newAttempt ?? null });
  const configPath = run.state.created.config.path ?? DEFAULT_CONFIG_PATH;
  return { ports, recorder, plan: run.plan, config: run.config, configPath, rules, settings: request.settings };
}

/** A last line without newline never happened; its bytes are kept for whoever wants to know. */
async function setTornTailAside(ports: Ports, recorder: Recorder, facts: ResumeFacts): Promise<string[]> {
  if (facts.tornTail.length === 0) return [];
  const path = `leftovers/torn-${sha256(facts.tornTail).slice(0, 16)}.bin`;
  const file = await ports.files.write(path, facts.tornTail);
  facts.cutTornTail();
  recorder.record("files_set_aside", { reason: "torn_tail", files: [file] });
  return [`${facts.tornTail.length} bytes of a torn last journal line were set aside in ${path}`];
}

/**
 * Moves files that no event names out of the way of the step that will be done again. They are kept and named: they
 * may show what a killed session did. A file that was moved by a resume which was killed itself is named in place.
 */
async function setLeftoversAside(ports: Ports, recorder: Recorder, facts: ResumeFacts): Promise<void> {
  for (const path of facts.temporaryFiles) await ports.files.remove(path);
  const unnamed = facts.files.filter((path) => !recorder.state.files.has(path) && !isReportFile(path));
  const moved: FileDigest[] = [];
  for (const path of unnamed) {
    const target = path.startsWith("leftovers/") ? path : `leftovers/${recorder.state.seq}/${path}`;
    if (target !== path) await facts.moveFile(path, target);
    const file = await ports.files.digest(target);
    if (file !== undefined) moved.push(file);
  }
  if (moved.length > 0) recorder.record("files_set_aside", { reason: "leftover", files: moved });
}

/** Files of evidence that a person supplied, by the item that waits for them. */
export type EvidenceByItem = ReadonlyMap<string, readonly { readonly name: string; readonly bytes: Uint8Array }[]>;

/** Copies evidence into the run: what auditors and executor are given is what is named here, whatever becomes of the originals. */
async function recordEvidence(ports: Ports, recorder: Recorder, evidence: EvidenceByItem): Promise<void> {
  for (const [itemId, supplied] of evidence) {
    const folder = `items/${encodeName(itemId)}/evidence-${recorder.state.seq}`;
    const files: FileDigest[] = [];
    for (const { name, bytes } of supplied)
      files.push(await ports.files.write(`${folder}/${encodeFileName(name)}`, bytes));
    recorder.record("evidence_supplied", { files }, itemId);
  }
}
