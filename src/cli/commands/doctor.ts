import { basename, resolve } from "node:path";
import { openForReading, openWorkplace, type Workplace, world } from "../../compose.ts";
import { judgeEnvironment, type DoctorFinding } from "../../domain/doctor.ts";
import { DEFAULT_CONFIG_PATH } from "../../domain/config.ts";
import { buildProblemLine } from "../../domain/plan.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { showText } from "../../domain/visible-text.ts";
import { loadInputs } from "../../kernel/load-inputs.ts";
import { verifyRun } from "../../kernel/verify-run.ts";
import { refuse } from "../answer.ts";
import type { Format, Io } from "../io.ts";

interface DoctorOptions {
  readonly plan?: string;
  readonly format: Format;
}

/** `conveyor doctor [RUN] [--plan P]`: environment, configuration, plan, run. Changes nothing; exit 1 on any error. */
export async function doctor(io: Io, name: string | undefined, options: DoctorOptions): Promise<number> {
  const opened = await openWorkplace(io.cwd, io.env);
  const checkout = opened.ok ? opened.value.places.root : undefined;
  const findings: DoctorFinding[] = judgeEnvironment(await world.probeEnvironment(io.env, checkout));
  if (!opened.ok) findings.push({ area: "repository", level: "error", code: null, message: opened.error.message });
  else {
    findings.push(...(await examineInputs(io, opened.value, options.plan)));
    const examined = await examineRun(io, opened.value, name);
    if (typeof examined === "number") return examined;
    findings.push(...examined);
  }
  const worst = findings.some((finding) => finding.level === "error") ? EXIT.failed : EXIT.done;
  if (options.format === "json") io.out(`${JSON.stringify({ healthy: worst === EXIT.done, findings }, null, 2)}\n`);
  else
    for (const { area, level, code, message } of findings)
      io.out(`${level.padEnd(7)} ${area}: ${code === null ? "" : `${code} `}${message}`);
  return worst;
}

/** What `run` would refuse, without running: the same checks, so that doctor cannot promise what run denies. */
async function examineInputs(io: Io, workplace: Workplace, plan: string | undefined): Promise<DoctorFinding[]> {
  const dirty = await workplace.user.listUncommitted();
  const unsupported = await workplace.user.listUnsupported(workplace.user.headCommit);
  const findings: DoctorFinding[] = [
    ...unsupported.map((message): DoctorFinding => ({
      area: "repository",
      level: "error",
      code: "REPOSITORY_UNSUPPORTED",
      message,
    })),
    ...(dirty.length === 0
      ? []
      : [
          {
            area: "repository",
            level: "warning",
            code: "DIRTY_CHECKOUT",
            message: showText(`not committed: ${dirty.slice(0, 10).join(", ")}`),
          } as const,
        ]),
  ];
  const planPath = plan === undefined ? undefined : world.toRepositoryPath(workplace.places.root, io.cwd, plan);
  const inputs = await loadInputs(workplace.user, {
    planPath: planPath ?? "",
    planOnDisk: plan === undefined ? undefined : world.readLocalFile(resolve(io.cwd, plan)),
    localConfig: undefined,
    items: [],
    allowDirty: true,
    executor: undefined,
  });
  if (inputs.ok)
    return [...findings, { area: "plan", level: "ok", code: null, message: `${planPath ?? ""} can be run` }];
  const about = inputs.error.filter(
    (refusal) => refusal.code !== "REPOSITORY_UNSUPPORTED" && (plan !== undefined || refusal.code === "CONFIG_INVALID"),
  );
  const faults = about.map(({ code, message, problems }): DoctorFinding => ({
    area: code === "CONFIG_INVALID" || code === "EXECUTOR_NOT_CONFIGURED" ? "configuration" : "plan",
    level: "error",
    code,
    message: [message, ...problems.map(buildProblemLine)].join("\n        "),
  }));
  if (about.some((refusal) => refusal.code === "CONFIG_INVALID")) return [...findings, ...faults];
  return [
    ...findings,
    {
      area: "configuration",
      level: "ok",
      code: null,
      message: `${DEFAULT_CONFIG_PATH} of HEAD, or the defaults, can be used`,
    },
    ...faults,
  ];
}

/** The run that was named, else the latest; nothing when there is none here yet, an exit code when there is none of that name. */
async function examineRun(io: Io, workplace: Workplace, name: string | undefined): Promise<DoctorFinding[] | number> {
  const { places } = workplace;
  const runFolder =
    name === undefined ? world.listRunFolders(places).at(-1) : world.findRunFolder(places, io.cwd, name);
  if (runFolder === undefined) return name === undefined ? [] : refuse(io, "USAGE", `no such run: ${name}`);
  const fault = (code: string, message: string): DoctorFinding => ({
    area: "run",
    level: "error",
    code,
    message: showText(message),
  });
  const read = world.readSavedRun(runFolder);
  if (!read.ok) return [fault(read.error.code, `${basename(runFolder)}: ${read.error.path}: ${read.error.message}`)];
  const run = read.value;
  const verified = await verifyRun(run, {
    ...openForReading(workplace, runFolder, run.state.runId),
    configPath: run.state.created.config.path ?? DEFAULT_CONFIG_PATH,
  });
  if (verified.mismatches.length > 0)
    return verified.mismatches.map(({ where, message }) => fault("ARTIFACT_TAMPERED", `${where}: ${message}`));
  const holder = run.state.sealed ? undefined : world.readHolder(runFolder)?.holder;
  const say = (level: DoctorFinding["level"], what: string): DoctorFinding[] => [
    { area: "run", level, code: null, message: `${run.state.runId} ${what}` },
  ];
  if (run.state.sealed) return say("ok", "is sealed and agrees with its journal");
  return holder === undefined
    ? say("warning", "was cut short: conveyor resume goes on with it")
    : say("ok", `is held by ${holder}`);
}
