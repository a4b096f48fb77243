import { rulesOf } from "../domain/item-rules.ts";
import { runBranch } from "../domain/ids.ts";
import type { EventDetails } from "../domain/journal.ts";
import { newRun } from "../domain/run.ts";
import { NORMALIZED_PLAN_FILE, PLAN_FILE, POLICY_FILE } from "../domain/saved-run.ts";
import type { Ports } from "../ports.ts";
import type { RunInputs } from "./load-inputs.ts";
import { createRecorder } from "./recorder.ts";
import type { RunContext, Settings } from "./run-context.ts";
import { DEFAULT_CONFIG_PATH, type Mode } from "../domain/run-choices.ts";

/** What the first event says besides the inputs. */
export interface StartFacts {
  readonly runId: string;
  readonly settings: Settings;
  readonly mode: Mode;
  readonly options: EventDetails<"run_created">["options"];
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Starts a run in a folder that is open, locked and has its repository: the inputs as used, the pinned base, the run
 * branch at the base, and then the first event, with which the run exists.
 */
export async function startRun(ports: Ports, inputs: RunInputs, facts: StartFacts): Promise<RunContext> {
  const { plan, config } = inputs;
  const files = [
    await ports.files.write(PLAN_FILE, inputs.planBytes),
    await ports.files.write(NORMALIZED_PLAN_FILE, `${JSON.stringify(plan, null, 2)}\n`),
    await ports.files.write(POLICY_FILE, inputs.policyFile),
  ];
  const branch = runBranch(plan.plan_id, facts.runId);
  await ports.user.pinBase(facts.runId, inputs.baseCommit);
  await ports.repository.swapRef(`refs/heads/${branch}`, undefined, inputs.baseCommit);
  const event = ports.journal.append({
    type: "run_created",
    item_id: null,
    details: {
      plan_path: plan.path,
      plan_sha256: inputs.planSha256,
      policy_sha256: inputs.policySha256,
      config: inputs.configFile,
      base_commit: inputs.baseCommit,
      trust_ref: inputs.trustRef,
      item_ids: [...inputs.itemIds],
      selected_ids: [...inputs.selectedIds],
      executor: {
        use: inputs.executor.use,
        command: [...inputs.executor.command],
        expected_artifacts: [...inputs.executor.expectedArtifacts],
        env_names: Object.keys(facts.settings.executorEnv).sort(),
      },
      manager:
        inputs.manager === undefined
          ? null
          : {
              command: [...inputs.manager.command],
              expected_artifacts: [...inputs.manager.expectedArtifacts],
              env_names: Object.keys(facts.settings.managerEnv).sort(),
            },
      mode: facts.mode,
      run_branch: branch,
      options: facts.options,
      versions: { ...facts.versions },
      files,
    },
  });
  if (event.type !== "run_created") throw new Error("the first event is run_created");
  ports.progress({ kind: "event", event });
  const rules = rulesOf(config, plan);
  const recorder = createRecorder(ports, newRun(event), rules);
  const configPath = inputs.configFile.path ?? DEFAULT_CONFIG_PATH;
  return { ports, recorder, plan, config, configPath, rules, settings: facts.settings };
}
