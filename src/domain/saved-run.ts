import { buildCheckpoint } from "./checkpoint.ts";
import { readPolicyFile, type Config } from "./config.ts";
import { rulesOf } from "./item-rules.ts";
import { sha256 } from "./digest.ts";
import { ImpossibleEventError } from "./item-steps.ts";
import { parseJournal, type ReadJournal } from "./journal-text.ts";
import { planSchema, type Plan } from "./plan.ts";
import type { ReasonCode } from "./reason-codes.ts";
import { err, ok, type Result } from "./result.ts";
import { foldRun, type RunState } from "./run.ts";

export const PLAN_FILE = "plan.md";
export const NORMALIZED_PLAN_FILE = "normalized_plan.json";
export const POLICY_FILE = "policy.json";

/** Why a saved run cannot be believed, with the file that shows it. */
export interface SavedRunFault {
  readonly code: Extract<ReasonCode, "JOURNAL_CORRUPT" | "ARTIFACT_TAMPERED" | "CHECKPOINT_CORRUPT" | "GIT_TAMPERED">;
  readonly path: string;
  readonly message: string;
}

/** A run as its folder tells it. */
export interface SavedRun {
  readonly state: RunState;
  readonly journal: ReadJournal;
  readonly config: Config;
  readonly plan: Plan;
}

/**
 * Makes a run from the bytes of its journal and inputs. Reason codes: JOURNAL_CORRUPT when the journal is not a chain
 * of possible events, ARTIFACT_TAMPERED when the inputs are not those the first event names.
 */
export function parseSavedRun(files: {
  readonly journal: Uint8Array | undefined;
  readonly plan: Uint8Array | undefined;
  readonly policy: Uint8Array | undefined;
}): Result<SavedRun, SavedRunFault> {
  const corrupt = (message: string): Result<never, SavedRunFault> =>
    err({ code: "JOURNAL_CORRUPT", path: "run-events.jsonl", message });
  if (files.journal === undefined) return corrupt("is missing, or is no plain file");
  const journal = parseJournal(files.journal);
  if (!journal.ok) return corrupt(`line ${journal.error.line}: ${journal.error.message}`);
  const created = journal.value.events[0];
  if (created?.type !== "run_created") return corrupt("line 1: expected run_created, found no event");
  const named = new Map(created.details.files.map((file) => [file.path, file.sha256]));
  const input = (path: string, bytes: Uint8Array | undefined): Result<string, SavedRunFault> =>
    bytes !== undefined && sha256(bytes) === named.get(path)
      ? ok(new TextDecoder().decode(bytes))
      : err({
          code: "ARTIFACT_TAMPERED",
          path,
          message: bytes === undefined ? "is missing" : "is not what the journal names",
        });
  const plan = input(NORMALIZED_PLAN_FILE, files.plan);
  if (!plan.ok) return plan;
  const policy = input(POLICY_FILE, files.policy);
  if (!policy.ok) return policy;
  const config = readPolicyFile(policy.value);
  const parsed = planSchema.safeParse(parseJson(plan.value));
  if (config === undefined || !parsed.success) {
    return err({
      code: "ARTIFACT_TAMPERED",
      path: config === undefined ? POLICY_FILE : NORMALIZED_PLAN_FILE,
      message: "is not of the shape this version writes",
    });
  }
  try {
    const state = foldRun(journal.value.events, rulesOf(config, parsed.data));
    return ok({ state, journal: journal.value, config, plan: parsed.data });
  } catch (fault) {
    if (!(fault instanceof ImpossibleEventError)) throw fault;
    return corrupt(fault.message);
  }
}

/**
 * Whether nothing is left to be written of a run that stopped: its reports are named by the last event, no torn line
 * follows, and the checkpoint on disk is the fold's.
 */
export function isWhole({ state, journal }: SavedRun, checkpoint: string | undefined): boolean {
  return state.sealed && journal.tornBytes === 0 && checkpoint === buildCheckpoint(state, journal.head);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
