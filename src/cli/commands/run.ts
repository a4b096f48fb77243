import { resolve } from "node:path";
import type { Workplace } from "../../compose/workplace.ts";
import { world } from "../../compose/world.ts";
import { normalizePath, pathProblem } from "../../domain/paths.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { checkRun, performRun } from "../../invocation/begin-run.ts";
import type { InvocationOptions } from "../../invocation/settings.ts";
import type { ProgramInput } from "../../kernel/load-inputs.ts";
import { renderDryRun } from "../../render/dry-run-text.ts";
import { printProblems, printRefused, refuse, requireWorkplace } from "../answer.ts";
import { findCheckpointCopy } from "../checkpoint-copy.ts";
import type { Format, Io } from "../io.ts";
import { openGithub } from "../github-access.ts";
import { follow } from "../open-run.ts";
import { printFinished } from "../outcome.ts";

interface RunOptions extends InvocationOptions {
  readonly item?: readonly string[];
  readonly outputDir?: string;
  readonly config?: string;
  readonly allowDirty?: boolean;
  readonly dryRun?: boolean;
  readonly quiet?: boolean;
  readonly format: Format;
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
  const access = await openGithub(io, workplace, options);
  if (!access.ok) return refuse(io, "USAGE", access.error);
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
  const checked = await checkRun(io, workplace, {
    ...options,
    planPath,
    planOnDisk: world.readLocalFile(resolve(io.cwd, planArgument)),
    localConfig:
      localConfig === undefined ? undefined : { path: nameConfig(io, workplace, options), bytes: localConfig },
    items: options.item ?? [],
    allowDirty: options.allowDirty ?? false,
    executor: executor.value,
    manager: manager.value,
    outputDir: options.outputDir === undefined ? undefined : resolve(io.cwd, options.outputDir),
    checkpointCopy: copy.value,
    written: { items: options.item, config: options.config },
    access: access.value,
  });
  if (!checked.ok) return printRefused(io, checked.error);
  const { inputs, mode, costLimitUsd } = checked.value;
  printProblems(io, inputs.warnings);
  if (options.dryRun === true) {
    io.out(renderDryRun({ ...inputs, mode, costLimitUsd }, options.format));
    return EXIT.done;
  }
  const finished = await performRun(io, follow(io, options.quiet ?? false), workplace, checked.value);
  return finished.ok ? printFinished(io, finished.value, options.format) : printRefused(io, finished.error);
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
