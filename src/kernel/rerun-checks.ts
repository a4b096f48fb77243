import { buildWish } from "../domain/config.ts";
import { judgeRerun, type RerunPlan, type RerunReport } from "../domain/rerun.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { SandboxLevel } from "../domain/run-choices.ts";
import { decideSandbox } from "../domain/sandbox.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import type { Ports } from "../ports.ts";
import { prepareWorktree } from "./prepare-worktree.ts";
import { asRequest, runCommands, verificationEnv, type CommandRequest } from "./run-commands.ts";
import type { ProgramContext } from "./run-context.ts";

type RerunPorts = ProgramContext["ports"] & Pick<Ports, "repository" | "artifacts" | "sandbox">;

/** What a rerun saw; nothing of the run it is about is changed. */
export type Rerun = Pick<
  RerunReport,
  "tree" | "outcome" | "failures" | "sandbox_tier" | "prepare" | "commands" | "artifacts" | "tamper"
>;

/** Why a rerun says nothing: it was cut short, or what shall hold its programs is not there. */
export type RerunRefusal = { readonly kind: "interrupted" } | { readonly kind: "sandbox"; readonly why: string };

/**
 * Runs the checks of a run again in a fresh, prepared checkout, held as ever and without any key. Every command is run,
 * also when one fails. Reason code: SANDBOX_UNAVAILABLE.
 */
export async function rerunChecks(
  run: SavedRun,
  plan: RerunPlan,
  ports: RerunPorts,
  settings: { readonly sandbox: SandboxLevel; readonly timeoutMs: number | undefined },
): Promise<Result<Rerun, RerunRefusal>> {
  const wish = buildWish(run.config.sandbox, settings.sandbox);
  const facts = await ports.sandbox.probe(settings.sandbox);
  const decided = decideSandbox(facts, wish);
  if (decided.refusal !== undefined) return err({ kind: "sandbox", why: decided.refusal });
  const state = { runId: run.state.runId, executions: run.state.executions, sandbox: { ...decided, wish, facts } };
  const context: ProgramContext = { ports, recorder: { state }, plan: run.plan, config: run.config, settings };
  const { repository } = ports;
  const { commit } = plan;
  const worktree = await repository.openWorktree("rerun", commit);
  // Before anything runs in it: what a command would make here is in no commit.
  const artifacts = await Promise.all(
    plan.artifacts.map(async (path) => ({ path, status: await ports.artifacts.inspect(worktree.path, path) })),
  );
  const prepared = await prepareWorktree(context, {
    worktree,
    commit,
    folder: "prepare",
    itemId: null,
    stage: "validation",
  });
  const before = await repository.snapshot(worktree);
  const commands: Rerun["commands"] = [];
  for (const [index, group] of prepared.status === "failed" ? [] : groupCommands(context, plan).entries()) {
    const ran = await runCommands(context, {
      worktree,
      folder: `commands-${index + 1}`,
      itemId: null,
      stage: "validation",
      extraEnv: group.env,
      commands: group.requests,
    });
    for (const [at, { words, purpose, ending }] of ran.results.entries()) {
      const isRequired = purpose === "required_command";
      commands.push({
        purpose: isRequired ? "required" : "validation",
        items: [...group.items],
        command: isRequired ? (words.at(-1) ?? "") : words.join(" "),
        ending,
        duration_ms: ran.executions[at]?.duration_ms ?? 0,
      });
    }
  }
  const tamper = (await repository.compareSnapshot(before, worktree)).map(({ detail }) => detail);
  if ([prepared.ending, ...commands.map(({ ending }) => ending)].some((ending) => ending?.kind === "cancelled"))
    return err({ kind: "interrupted" });
  const prepare = {
    status: prepared.status,
    ending: prepared.ending,
    tracked_changes: prepared.status === "failed" ? [...prepared.trackedChanges] : [],
  };
  const seen = { prepare, commands, artifacts, tamper };
  const tree = (await repository.readTreeOf(commit)) ?? "";
  return ok({ ...seen, ...judgeRerun(seen), tree, sandbox_tier: decided.tier });
}

interface CommandGroup {
  readonly items: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly requests: readonly CommandRequest[];
}

/** Each required command with what it was told when it was run first; then the validation commands. */
function groupCommands(context: ProgramContext, { required, validation }: RerunPlan): CommandGroup[] {
  const groups = required.map(({ words, items, attempt, round }) => ({
    items,
    env: verificationEnv(context, items[0] ?? "", attempt, round),
    requests: [asRequest("required_command")(words)],
  }));
  const requests = validation.map((command): CommandRequest => ({ command, purpose: "validation_command" }));
  return requests.length === 0 ? groups : [...groups, { items: [], env: {}, requests }];
}
