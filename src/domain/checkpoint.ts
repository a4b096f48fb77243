import { z } from "zod";
import { canonicalJson, joinMembers } from "./digest.ts";
import type { ItemState } from "./item.ts";
import type { RunState } from "./run.ts";
import { STAGES } from "./stages.ts";

export const checkpointSchema = z.strictObject({
  schema_version: z.literal("conveyor.checkpoint.v1"),
  run_id: z.string(),
  plan_id: z.string(),
  /** Number and digest of the last event that is folded in. */
  journal_seq: z.int().positive(),
  journal_head: z.string(),
  fence: z.int().positive(),
  current_stage: z.enum(STAGES).nullable(),
  /** Keys of the stages that are done, for example `stage:Execution`. */
  completed_stages: z.array(z.string()),
  tip: z.string(),
  items: z.array(
    z.strictObject({
      item_id: z.string(),
      terminal_state: z.string().nullable(),
      reason_codes: z.array(z.string()),
      commit: z.string().nullable(),
      attempts: z.int().nonnegative(),
      round: z.int().positive(),
      sessions: z.int().nonnegative(),
    }),
  ),
  stopped: z.enum(["terminal", "handoff", "interrupted"]).nullable(),
  terminal_state: z.enum(["done", "blocked", "failed", "timeout"]).nullable(),
  reason_codes: z.array(z.string()),
});
/** The fold of the journal as a file: a cache that resume checks and rebuilds. */
export type Checkpoint = z.infer<typeof checkpointSchema>;

/** Builds the checkpoint's bytes from the state and the digest of the journal's last line. */
export function buildCheckpoint(state: RunState, journalHead: string): string {
  const run: Omit<Checkpoint, "items"> = {
    schema_version: "conveyor.checkpoint.v1",
    run_id: state.runId,
    plan_id: state.planId,
    journal_seq: state.seq,
    journal_head: journalHead,
    fence: state.fence,
    current_stage: state.currentStage,
    completed_stages: [...state.completedStages],
    tip: state.tip,
    stopped: state.stop?.kind ?? null,
    terminal_state: state.stop?.terminalState ?? null,
    reason_codes: [...(state.stop?.reasonCodes ?? [])],
  };
  const members = Object.entries(run).map(([key, value]) => [key, canonicalJson(value)] as const);
  return `${joinMembers([...members, ["items", `[${state.items.map(renderItem).join(",")}]`]])}\n`;
}

/** An event changes one item; the text of all others is that of the checkpoint before. */
const rendered = new WeakMap<ItemState, string>();

function renderItem(item: ItemState): string {
  const known = rendered.get(item);
  if (known !== undefined) return known;
  const shown: Checkpoint["items"][number] = {
    item_id: item.itemId,
    terminal_state: item.settled?.terminalState ?? null,
    reason_codes: [...(item.settled?.reasonCodes ?? [])],
    commit: item.settled?.commit ?? null,
    attempts: item.attempts.length,
    round: item.round,
    sessions: item.attempts.reduce((sum, attempt) => sum + attempt.sessions.length, 0),
  };
  const text = canonicalJson(shown);
  rendered.set(item, text);
  return text;
}

/** What a checkpoint on disk is worth beside the journal that was read. */
export type CheckpointVerdict =
  | { readonly kind: "current" }
  /** Rebuilt from the journal, with a warning. */
  | { readonly kind: "rebuild"; readonly why: string }
  /** `CHECKPOINT_CORRUPT`: it knows of events that the journal does not have, or says other things of the same. */
  | { readonly kind: "corrupt"; readonly why: string };

/**
 * Judges a checkpoint: missing, unreadable or older is rebuilt; ahead of the journal or different is corrupt.
 * `expected` is the fold's own bytes; `headAt(seq)` the digest of the journal's line `seq`.
 */
export function judgeCheckpoint(
  bytes: string | undefined,
  expected: string,
  journal: { readonly seq: number; headAt(seq: number): string | undefined },
): CheckpointVerdict {
  if (bytes === undefined) return { kind: "rebuild", why: "the checkpoint was missing" };
  if (bytes === expected) return { kind: "current" };
  const parsed = checkpointSchema.safeParse(parseJson(bytes));
  if (!parsed.success) return { kind: "rebuild", why: "the checkpoint could not be read" };
  const { journal_seq: seq, journal_head: head } = parsed.data;
  if (seq > journal.seq) return { kind: "corrupt", why: `it is at event ${seq}, the journal ends at ${journal.seq}` };
  if (seq === journal.seq) return { kind: "corrupt", why: "it differs from what the journal folds to" };
  return journal.headAt(seq) === head
    ? { kind: "rebuild", why: `the checkpoint was older than the journal (event ${seq} of ${journal.seq})` }
    : { kind: "corrupt", why: `it names another event ${seq} than the journal has` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
