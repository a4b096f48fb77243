import { resolve } from "node:path";
import { type Workplace, openNewRun, world } from "../../compose.ts";
import { normalizePath, pathProblem } from "../../domain/paths.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { loadInputs } from "../../kernel/load-inputs.ts";
import { startRun } from "../../kernel/start-run.ts";
import { renderDryRun } from "../../render/dry-run-text.ts";
import { printProblems, printRefusals, refuse, requireWorkplace } from "../answer.ts";
import { findCheckpointCopy } from "../checkpoint-copy.ts";
import { finishRun } from "../finish-run.ts";
import type { Io } from "../io.ts";
import { given, parseSettings, type InvocationOptions } from "../options.ts";
import { createProgress } from "../progress.ts";
import { readVersions } from "../versions.ts";

interface RunOptions extends InvocationOptions {
  readonly item?: readonly string[];
  readonly outputDir?: string;
  readonly config?: string;
  readonly allowDirty?: boolean;
  readonly dryRun?: boolean;
  readonly executorBin?: string;
  readonly executorArg?: readonly string[];
  readonly executorExpectedArtifact?: readonly string[];
}

/** `conveyor run PLAN`: one plan from the start. */
export async function run(io: Io, planArgument: string, options: RunOptions): Promise<number> {
  const workplace = await requireWorkplace(io);
  if (typeof workplace === "number") return workplace;
  const parsed = parseSettings(options);
  if (!parsed.ok) return refuse(io, "USAGE", parsed.error);
  const planPath = world.toRepositoryPath(workplace.places.root, io.cwd, planArgument);
  if (planPath === undefined)
    return refuse(io, "USAGE", `expected a plan inside ${workplace.places.root}, found ${planArgument}`);
  const localConfig = options.config === undefined ? undefined : world.readLocalFile(resolve(io.cwd, options.config));
  if (options.config !== undefined && localConfig === undefined)
    return refuse(io, "USAGE", `--config: cannot read ${options.config}`);
  const copy = findCheckpointCopy(io, options.checkpointPath);
  if (!copy.ok) return refuse(io, "USAGE", copy.error);
  const executorFault = findExecutorFault(options);
  if (executorFault !== undefined) return refuse(io, "USAGE", executorFault);
  const inputs = await loadInputs(workplace.user, {
    planPath,
    planOnDisk: world.readLocalFile(resolve(io.cwd, planArgument)),
    localConfig:
      localConfig === undefined ? undefined : { path: nameConfig(io, workplace, options), bytes: localConfig },
    items: options.item ?? [],
    allowDirty: options.allowDirty ?? false,
    executor:
      options.executorBin === undefined
        ? undefined
        : {
            command: [options.executorBin, ...(options.executorArg ?? [])],
            expectedArtifacts: options.executorExpectedArtifact ?? [],
          },
  });
  if (!inputs.ok) return printRefusals(io, inputs.error);
  printProblems(io, inputs.value.warnings);
  if (options.dryRun === true) {
    io.out(renderDryRun(inputs.value, options.format));
    return EXIT.done;
  }
  const opened = await openNewRun(
    workplace,
    {
      interrupt: io.interrupt,
      progress: createProgress(io, options.quiet ?? false),
      checkpointCopy: copy.value,
    },
    {
      outputDir: options.outputDir === undefined ? undefined : resolve(io.cwd, options.outputDir),
      planId: inputs.value.plan.plan_id,
    },
  );
  if (!opened.ok) return refuse(io, "USAGE", opened.error.message);
  const { runId, ports } = opened.value;
  const context = await startRun(ports, inputs.value, {
    runId,
    settings: parsed.value.settings,
    options: {
      ...parsed.value.values,
      item: given([...(options.item ?? [])], options.item === undefined),
      config: given(options.config ?? null, options.config === undefined),
      "allow-dirty": given(options.allowDirty ?? false, options.allowDirty === undefined),
      executor: {
        value: [...inputs.value.executor.command],
        source: options.executorBin === undefined ? "configuration" : "command_line",
      },
    },
    versions: await readVersions(io),
  });
  return finishRun(io, opened.value, context, options.format);
}

/** What is wrong with the options of the executor, in words. */
function findExecutorFault(options: RunOptions): string | undefined {
  const { executorBin, executorArg, executorExpectedArtifact: artifacts } = options;
  if (executorBin === undefined && (executorArg ?? artifacts) !== undefined) {
    return "--executor-arg and --executor-expected-artifact need --executor-bin";
  }
  if (executorBin === "") return "--executor-bin: expected a program, found an empty word, for example node";
  const outside = artifacts?.find((path) => pathProblem(normalizePath(path)) !== undefined);
  return outside === undefined
    ? undefined
    : `--executor-expected-artifact: expected a path inside the worktree, found ${outside}, for example out/report.json`;
}

/** A configuration inside the checkout is named as the repository names it: by that name it is protected. */
function nameConfig(io: Io, workplace: Workplace, { config = "" }: RunOptions): string {
  return world.toRepositoryPath(workplace.places.root, io.cwd, config) ?? config;
}
