import { z } from "zod";
import { findWaitingCommit } from "./handed-objects.ts";
import { lastAttempt } from "./item.ts";
import { processEndingSchema } from "./process-report.ts";
import { err, ok, type Result } from "./result.ts";
import type { SavedRun } from "./saved-run.ts";
import { listValidationCommands } from "./validation-commands.ts";
import { artifactCheckSchema, describeEnding, hasSucceeded } from "./verification.ts";

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

export const rerunReportSchema = z.strictObject({
  schema_version: z.literal("conveyor.rerun.v1"),
  run_id: z.string(),
  plan_id: z.string(),
  /** Digest of the journal's last line: the run that the commands were taken from. */
  journal_head: sha256Schema,
  /** SHA-256 of the packed folder's list of digests; null when the run was read from a run folder. */
  pack_sha256: sha256Schema.nullable(),
  /** The commit that was checked out, and its tree. */
  commit: z.string(),
  tree: z.string(),
  /** The items that were held to their commands: those that passed, and one that waits for a person. */
  items: z.array(z.string()).min(1),
  outcome: z.enum(["passed", "failed", "timeout"]),
  /** Why it did not pass; empty when it did. */
  failures: z.array(z.string()),
  sandbox_tier: z.int(),
  prepare: z.strictObject({
    status: z.string(),
    ending: processEndingSchema.nullable(),
    tracked_changes: z.array(z.string()),
  }),
  commands: z.array(
    z.strictObject({
      purpose: z.enum(["required", "validation"]),
      /** The items that require it; none for a validation command. */
      items: z.array(z.string()),
      command: z.string(),
      ending: processEndingSchema,
      duration_ms: z.number().nonnegative(),
    }),
  ),
  artifacts: z.array(artifactCheckSchema),
  /** What the commands did to git metadata. */
  tamper: z.array(z.string()),
  versions: z.record(z.string(), z.string()),
});
/** What a rerun of a run's own checks came to, on another machine as a rule. */
export type RerunReport = z.infer<typeof rerunReportSchema>;

/** A required command, once however many items require it, told what the first of them was told. */
export interface RerunCommand {
  readonly words: string;
  readonly items: readonly string[];
  readonly attempt: number;
  readonly round: number;
}

/** What is run again, and on which commit. */
export interface RerunPlan {
  readonly commit: string;
  readonly items: readonly string[];
  readonly required: readonly RerunCommand[];
  readonly artifacts: readonly string[];
  readonly validation: readonly (readonly [string, ...string[]])[];
}

/**
 * Plans a rerun: every required command and artifact of every item that passed, and the validation commands when the
 * run was validated, all on the one commit that a person is about to get. That is the commit of an item that waits at a
 * manual gate; else the newest one that was verified, the closing commit aside, whose files no command ever saw.
 * Nothing that passed is nothing to prove: the reason is VERIFICATION_MISSING.
 */
export function planRerun({ state, plan, config }: SavedRun): Result<RerunPlan, string> {
  const waiting = state.items.find((item) => findWaitingCommit(item) !== undefined);
  const held = state.items.filter((item) => item === waiting || item.settled?.terminalState === "passed");
  if (held.length === 0) return err("no item has passed: there is nothing to run again");
  const closed = state.closing?.committed === true ? state.closing.parent : undefined;
  const commit = (waiting === undefined ? undefined : findWaitingCommit(waiting)) ?? closed ?? state.tip;
  const required = new Map<string, RerunCommand>();
  const artifacts = new Set<string>();
  for (const { itemId, ...item } of held) {
    const { attempt = 1, round = 1 } = lastAttempt({ itemId, ...item }) ?? {};
    const planned = plan.items.find((each) => each.item_id === itemId);
    for (const words of planned?.required_commands ?? []) {
      const known = required.get(words) ?? { words, items: [], attempt, round };
      required.set(words, { ...known, items: [...known.items, itemId] });
    }
    for (const path of planned?.required_artifacts ?? []) artifacts.add(path);
  }
  const isValidated = state.validation?.verdict.kind === "passed" && state.validation.commit === commit;
  return ok({
    commit,
    items: held.map(({ itemId }) => itemId),
    required: [...required.values()],
    artifacts: [...artifacts],
    validation: isValidated ? listValidationCommands(plan, config) : [],
  });
}

type Judged = Pick<RerunReport, "prepare" | "commands" | "artifacts" | "tamper">;

/** Judges a rerun like the verification of a candidate: every command exited 0, every artifact is there with content. */
export function judgeRerun({
  prepare,
  commands,
  artifacts,
  tamper,
}: Judged): Pick<RerunReport, "outcome" | "failures"> {
  const prepareFailed = prepare.status === "failed";
  const failures = [
    ...(prepareFailed && prepare.ending !== null ? [`prepare failed: ${describeEnding(prepare.ending)}`] : []),
    ...prepare.tracked_changes.map((path) => `prepare changed the tracked file ${path}`),
    ...commands
      .filter(({ ending }) => !hasSucceeded(ending))
      .map(({ purpose, command, ending }) => `${purpose} command failed: ${command}: ${describeEnding(ending)}`),
    ...artifacts
      .filter(({ status }) => status !== "present")
      .map(({ path, status }) => `required artifact ${status}: ${path}`),
    ...tamper.map((detail) => `git metadata was changed: ${detail}`),
  ];
  const endings = [prepare.ending, ...commands.map(({ ending }) => ending)];
  if (endings.some((ending) => ending?.kind === "timed_out")) return { outcome: "timeout", failures };
  return { outcome: failures.length === 0 && !prepareFailed ? "passed" : "failed", failures };
}
