import { resolve } from "node:path";
import { probeSandboxHere } from "../../compose/programs.ts";
import { openWorkplace, type Workplace } from "../../compose/workplace.ts";
import { world } from "../../compose/world.ts";
import {
  buildFinding,
  judgeEnvironment,
  judgeSandbox,
  planRepairs,
  type DoctorFinding,
  type SafeRepair,
} from "../../domain/doctor.ts";
import { buildWish, parseConfig } from "../../domain/config.ts";
import { DEFAULT_CONFIG_PATH } from "../../domain/run-choices.ts";
import { listAgents } from "../../domain/configured-agents.ts";
import { judgeAgents } from "../../domain/doctor-agents.ts";
import { buildProblemLine } from "../../domain/plan.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { showText } from "../../domain/visible-text.ts";
import { loadInputs } from "../../kernel/load-inputs.ts";
import { refuse } from "../answer.ts";
import { readCheckoutConfig } from "../checkout-config.ts";
import { examineRun, repairRun } from "../examine-run.ts";
import type { Format, Io } from "../io.ts";

interface DoctorOptions {
  readonly plan?: string;
  readonly fixSafe?: boolean;
  readonly format: Format;
}

/**
 * `conveyor doctor [RUN] [--plan P] [--fix-safe]`: environment, configuration, plan, run. Exit 1 on any error that is
 * left. Changes nothing, unless `--fix-safe` is given: then what is marked safe is repaired, and all is looked at again.
 * Reason code: LOCKED.
 */
export async function doctor(io: Io, name: string | undefined, options: DoctorOptions): Promise<number> {
  if (name !== undefined && world.isPackedFolder(resolve(io.cwd, name))) {
    const expected = `doctor: expected a run of this checkout, found the packed folder ${name}`;
    return refuse(io, "USAGE", `${expected}; conveyor verify judges it, conveyor resume makes a run of it`);
  }
  const opened = await openWorkplace(io.cwd, io.env);
  const checkout = opened.ok ? opened.value.places.root : undefined;
  const findings = judgeEnvironment(await world.probeEnvironment(io.env, checkout));
  findings.push(...(await examineSandbox(io, checkout)));
  const repaired: DoctorFinding[] = [];
  if (!opened.ok) findings.push(buildFinding("repository", "error", opened.error.message));
  else {
    findings.push(...(await examineAgents(io, opened.value)));
    findings.push(...(await examineInputs(io, opened.value, options.plan)));
    const { places } = opened.value;
    const folder = name === undefined ? world.listRunFolders(places).at(-1) : world.findRunFolder(places, io.cwd, name);
    if (folder === undefined && name !== undefined) return refuse(io, "USAGE", `no such run: ${name}`);
    const mended = folder === undefined ? [] : await examineAndRepair(io, opened.value, folder, options, repaired);
    if (typeof mended === "number") return mended;
    findings.push(...mended);
  }
  const worst = findings.some((finding) => finding.level === "error") ? EXIT.failed : EXIT.done;
  if (options.format === "json")
    io.out(`${JSON.stringify({ healthy: worst === EXIT.done, repaired, findings }, null, 2)}\n`);
  else {
    for (const { area, act, message } of repaired) io.out(`fixed   ${area}: ${act ?? ""}: ${message}`);
    for (const finding of findings) io.out(renderFinding(finding));
  }
  return worst;
}

/** Tries the sandbox as a run would that starts here with what the checkout's configuration says. */
async function examineSandbox(io: Io, root: string | undefined): Promise<DoctorFinding[]> {
  const { sandbox } = readCheckoutConfig(root).config;
  const facts = await probeSandboxHere({ level: sandbox.level, root, env: io.env, interrupt: io.interrupt });
  return judgeSandbox(facts, buildWish(sandbox, sandbox.level));
}

function renderFinding({ level, area, code, message, repair, act }: DoctorFinding): string {
  const mend = repair === "safe" ? ` (safe to repair: ${act ?? ""})` : "";
  return `${level.padEnd(7)} ${area}: ${code === null ? "" : `${code} `}${message}${mend}`;
}

/** Looks at a run, repairs what is safe when that was asked for, and looks again. `repaired` receives what was mended. */
async function examineAndRepair(
  io: Io,
  workplace: Workplace,
  runFolder: string,
  options: DoctorOptions,
  repaired: DoctorFinding[],
): Promise<DoctorFinding[] | number> {
  const before = await examineRun(workplace, runFolder);
  if (options.fixSafe !== true) return before;
  const held = before.find((finding) => finding.code === "LOCKED");
  if (held !== undefined) {
    io.note(`LOCKED ${held.message}; nothing was changed`);
    return EXIT.locked;
  }
  const repairs: readonly SafeRepair[] = planRepairs(before);
  if (repairs.length === 0) return before;
  const failed = await repairRun(io, workplace, runFolder, repairs);
  if (failed !== undefined) return failed;
  repaired.push(...before.filter(({ act }) => act !== null && repairs.includes(act)));
  return examineRun(workplace, runFolder);
}

/** The coding agents that the configuration of HEAD names; one that cannot be read is told of elsewhere. */
async function examineAgents(io: Io, { user }: Workplace): Promise<DoctorFinding[]> {
  const bytes = await user.readFileAt(user.headCommit, DEFAULT_CONFIG_PATH);
  const { config } = parseConfig(DEFAULT_CONFIG_PATH, new TextDecoder().decode(bytes));
  return config === undefined ? [] : judgeAgents(config, await world.probeAgents(io.env, listAgents(config)), io.env);
}

/** What `run` would refuse, without running: the same checks, so that doctor cannot promise what run denies. */
async function examineInputs(io: Io, workplace: Workplace, plan: string | undefined): Promise<DoctorFinding[]> {
  const dirty = await workplace.user.listUncommitted();
  const unsupported = await workplace.user.listUnsupported(workplace.user.headCommit);
  const findings: DoctorFinding[] = [
    ...unsupported.map((message) => buildFinding("repository", "error", message, { code: "REPOSITORY_UNSUPPORTED" })),
    ...(dirty.length === 0
      ? []
      : [
          buildFinding("repository", "warning", showText(`not committed: ${dirty.slice(0, 10).join(", ")}`), {
            code: "DIRTY_CHECKOUT",
          }),
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
    manager: undefined,
  });
  if (inputs.ok) return [...findings, buildFinding("plan", "ok", `${planPath ?? ""} can be run`)];
  const about = inputs.error.filter(
    (refusal) => refusal.code !== "REPOSITORY_UNSUPPORTED" && (plan !== undefined || refusal.code === "CONFIG_INVALID"),
  );
  const faults = about.map(({ code, message, problems }) =>
    buildFinding(
      code === "CONFIG_INVALID" || code === "EXECUTOR_NOT_CONFIGURED" ? "configuration" : "plan",
      "error",
      [message, ...problems.map(buildProblemLine)].join("\n        "),
      { code },
    ),
  );
  if (about.some((refusal) => refusal.code === "CONFIG_INVALID")) return [...findings, ...faults];
  const usable = buildFinding("configuration", "ok", `${DEFAULT_CONFIG_PATH} of HEAD, or the defaults, can be used`);
  return [...findings, usable, ...faults];
}
