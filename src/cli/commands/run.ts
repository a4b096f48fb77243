import { resolve } from "node:path";
import { type Workplace, openNewRun, world } from "../../compose.ts";
import { normalizePath, pathProblem } from "../../domain/paths.ts";
import { listAgents } from "../../domain/doctor-agents.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { loadInputs, type ProgramInput } from "../../kernel/load-inputs.ts";
import { startRun } from "../../kernel/start-run.ts";
import { renderDryRun } from "../../render/dry-run-text.ts";
import { printProblems, printRefusals, refuse, requireWorkplace } from "../answer.ts";
import { findCheckpointCopy } from "../checkpoint-copy.ts";
import { startDeadline } from "../deadline.ts";
import { finishRun } from "../finish-run.ts";
import { NothingBegunError, type Io } from "../io.ts";
import {
  costLimitOf,
  costLimitProblem,
  given,
  limitOf,
  parseSettings,
  sandboxOf,
  type InvocationOptions,
} from "../options.ts";
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
  readonly managerBin?: string;
  readonly managerArg?: readonly string[];
  readonly managerExpectedArtifact?: readonly string[];
}

/** `conveyor run PLAN`: one plan from the start. */
export async function run(io: Io, planArgument: string, options: RunOptions): Promise<number> {
  const workplace = await requireWorkplace(io);
  if (typeof workplace === "number") return workplace;
  if (workplace.user.tooOld !== undefined) return refuse(io, "REPOSITORY_UNSUPPORTED", workplace.user.tooOld);
  const parsed = parseSettings(options, io.env);
  if (!parsed.ok) return refuse(io, "USAGE", parsed.error);
  const planPath = world.toRepositoryPath(workplace.places.root, io.cwd, planArgument);
  if (planPath === undefined)
    return refuse(io, "USAGE", `expected a plan inside ${workplace.places.root}, found ${planArgument}`);
  const localConfig = options.config === undefined ? undefined : world.readLocalFile(resolve(io.cwd, options.config));
  if (options.config !== undefined && localConfig === undefined)
    return refuse(io, "USAGE", `--config: cannot read ${options.config}`);
  const copy = findCheckpointCopy(io, options.checkpointPath);
  if (!copy.ok) return refuse(io, "USAGE", copy.error);
  const executor = readProgram("executor", options.executorBin, options.executorArg, options.executorExpectedArtifact);
  if (!executor.ok) return refuse(io, "USAGE", executor.error);
  const manager = readProgram("manager", options.managerBin, options.managerArg, options.managerExpectedArtifact);
  if (!manager.ok) return refuse(io, "USAGE", manager.error);
  const inputs = await loadInputs(workplace.user, {
    planPath,
    planOnDisk: world.readLocalFile(resolve(io.cwd, planArgument)),
    localConfig:
      localConfig === undefined ? undefined : { path: nameConfig(io, workplace, options), bytes: localConfig },
    items: options.item ?? [],
    allowDirty: options.allowDirty ?? false,
    executor: executor.value,
    manager: manager.value,
  });
  if (!inputs.ok) return printRefusals(io, inputs.error);
  if (inputs.value.manager === undefined && options.managerEnv !== undefined)
    return refuse(
      io,
      "USAGE",
      "--manager-env: there is no manager; set one in the configuration or give --manager-bin",
    );
  const { config, configFile } = inputs.value;
  const mode = options.mode ?? config.policy.mode;
  const cost = costLimitOf(options, config);
  const unheld = costLimitProblem(options, config, inputs.value.executor.use);
  if (unheld !== undefined) return refuse(io, "USAGE", unheld);
  printProblems(io, inputs.value.warnings);
  if (options.dryRun === true) {
    io.out(renderDryRun({ ...inputs.value, mode, costLimitUsd: cost.usd }, options.format));
    return EXIT.done;
  }
  const limit = limitOf(options, config);
  const sandbox = sandboxOf(options, config);
  using deadline = startDeadline(io.interrupt, limit.minutes);
  const opened = await begin(
    openNewRun(
      workplace,
      {
        interrupt: deadline.interrupt,
        progress: createProgress(io, options.quiet ?? false),
        checkpointCopy: copy.value,
      },
      {
        outputDir: options.outputDir === undefined ? undefined : resolve(io.cwd, options.outputDir),
        planId: inputs.value.plan.plan_id,
      },
    ),
  );
  if (!opened.ok) return refuse(io, "USAGE", opened.error.message);
  const { runId, ports } = opened.value;
  const isBegun = () => world.findRunFolder(workplace.places, io.cwd, opened.value.runFolder) !== undefined;
  const context = await begin(
    startRun(ports, inputs.value, {
      runId,
      settings: { ...parsed.value.settings, sandbox: sandbox.level },
      mode,
      options: {
        ...parsed.value.values,
        ...limit.option,
        ...cost.option,
        ...sandbox.option,
        item: given([...(options.item ?? [])], options.item === undefined),
        config: given(options.config ?? null, options.config === undefined),
        "allow-dirty": given(options.allowDirty ?? false, options.allowDirty === undefined),
        mode: {
          value: mode,
          source:
            options.mode !== undefined ? "command_line" : configFile.authority === "none" ? "default" : "configuration",
        },
        manager: {
          value: inputs.value.manager === undefined ? null : [...inputs.value.manager.command],
          source:
            options.managerBin !== undefined
              ? "command_line"
              : config.manager === undefined
                ? "default"
                : "configuration",
        },
        executor: {
          value: [...inputs.value.executor.command],
          source: options.executorBin === undefined ? "configuration" : "command_line",
        },
      },
      versions: await readVersions(io, listAgents(config)),
    }),
    isBegun,
  );
  // Awaited here: the clock of the deadline stops with this call.
  return await finishRun(io, opened.value, context, options.format);
}

/** Waits for a step of the start; a write that fails while there is no run yet says so: there is nothing to resume. */
async function begin<T>(step: Promise<T>, isBegun: () => boolean = () => false): Promise<T> {
  try {
    return await step;
  } catch (fault) {
    const unwritten = world.findStateWriteFault(fault);
    if (unwritten !== undefined && !isBegun()) throw new NothingBegunError(unwritten.message, { cause: fault });
    throw fault;
  }
}

/** A program that the command line names in place of the configured one; what is wrong with its options, in words. */
function readProgram(
  name: "executor" | "manager",
  program: string | undefined,
  args: readonly string[] | undefined,
  artifacts: readonly string[] | undefined,
): Result<ProgramInput | undefined, string> {
  if (program === undefined) {
    return (args ?? artifacts) === undefined
      ? ok(undefined)
      : err(`--${name}-arg and --${name}-expected-artifact need --${name}-bin`);
  }
  if (program === "") return err(`--${name}-bin: expected a program, found an empty word, for example node`);
  const outside = artifacts?.find((path) => pathProblem(normalizePath(path)) !== undefined);
  return outside === undefined
    ? ok({ use: "command", command: [program, ...(args ?? [])], expectedArtifacts: artifacts ?? [] })
    : err(
        `--${name}-expected-artifact: expected a path inside the worktree, found ${outside}, for example out/report.json`,
      );
}

/** A configuration inside the checkout is named as the repository names it: by that name it is protected. */
function nameConfig(io: Io, workplace: Workplace, { config = "" }: RunOptions): string {
  return world.toRepositoryPath(workplace.places.root, io.cwd, config) ?? config;
}
