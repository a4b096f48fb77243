import {
  buildPolicyFile,
  defaultConfig,
  parseConfig,
  policyDigest,
  type Config,
  type ConfigAuthority,
} from "../domain/config.ts";
import { DEFAULT_CONFIG_PATH } from "../domain/run-choices.ts";
import type { AgentName } from "../domain/agent-config.ts";
import { sha256 } from "../domain/digest.ts";
import { normalizePath } from "../domain/paths.ts";
import { parsePlan } from "../domain/parse-plan.ts";
import { orderItems } from "../domain/plan-order.ts";
import type { LocatedProblem, Plan } from "../domain/plan.ts";
import type { ReasonCode } from "../domain/reason-codes.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { quoteRepositoryPath } from "../domain/shell-word.ts";
import { listValidationCommands, surroundingsOf } from "../domain/validation-commands.ts";
import type { UserRepository } from "../ports/git.ts";

/** Why nothing was started: one clear word, and every located problem. Exit 2. */
export interface Refusal {
  readonly code: ReasonCode | "USAGE" | "PLAN_INVALID" | "CONFIG_INVALID";
  readonly message: string;
  readonly problems: readonly LocatedProblem[];
}

/** What a run is made of, read and checked; nothing has been written yet. */
export interface RunInputs {
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  readonly planSha256: string;
  readonly warnings: readonly LocatedProblem[];
  readonly config: Config;
  readonly configFile: {
    readonly path: string | null;
    readonly sha256: string | null;
    readonly authority: ConfigAuthority;
  };
  readonly policySha256: string;
  readonly policyFile: string;
  readonly baseCommit: string;
  readonly trustRef: string | null;
  /** All item ids in the order of work, and those this invocation may start. */
  readonly itemIds: readonly string[];
  readonly selectedIds: readonly string[];
  readonly executor: ProgramInput;
  readonly manager: ProgramInput | undefined;
}

/** A program that a run starts, from the command line or the configuration. */
export interface ProgramInput {
  /** A coding agent's name, or that it is a command of the user's own. */
  readonly use: "command" | AgentName;
  readonly command: readonly string[];
  readonly expectedArtifacts: readonly string[];
}

/** What the user named. */
export interface InputRequest {
  /** Relative to the repository's root. */
  readonly planPath: string;
  /** The plan file as it stands on disk, to say that it is not committed. */
  readonly planOnDisk: Uint8Array | undefined;
  readonly localConfig: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  readonly items: readonly string[];
  readonly allowDirty: boolean;
  readonly executor: ProgramInput | undefined;
  readonly manager: ProgramInput | undefined;
}

/**
 * Reads plan and configuration from the commit they must come from and checks everything at once. Reason codes:
 * PLAN_NOT_COMMITTED, DIRTY_CHECKOUT, REPOSITORY_UNSUPPORTED, EXECUTOR_NOT_CONFIGURED, VERIFICATION_MISSING, and those
 * of items that cannot be proven yet.
 */
export async function loadInputs(user: UserRepository, request: InputRequest): Promise<Result<RunInputs, Refusal[]>> {
  const baseCommit = user.headCommit;
  const unsupported = await user.listUnsupported(baseCommit);
  if (unsupported.length > 0) return err([refuse("REPOSITORY_UNSUPPORTED", unsupported.join("; "))]);
  const configuration = await loadConfig(user, request.localConfig);
  const planBytes = await user.readFileAt(baseCommit, request.planPath);
  const committed = judgeCommitted(request, planBytes);
  const dirty = request.allowDirty ? [] : await user.listUncommitted();
  const trackedFiles = new Set(await user.listFilesAt(baseCommit));
  const config = configuration.ok ? configuration.value.config : defaultConfig();
  const parsed =
    planBytes === undefined
      ? { plan: undefined, problems: [] }
      : parsePlan({
          path: request.planPath,
          bytes: planBytes,
          trackedFiles,
          ...surroundingsOf(config),
        });
  const planProblems = parsed.problems.filter((problem) => problem.severity === "error");
  const refusals: Refusal[] = [
    ...(committed === undefined ? [] : [committed]),
    ...(planProblems.length === 0
      ? []
      : [{ code: "PLAN_INVALID" as const, message: "the plan has errors", problems: planProblems }]),
    ...(configuration.ok ? [] : [configuration.error]),
    ...(dirty.length === 0 || committed !== undefined
      ? []
      : [
          refuse(
            "DIRTY_CHECKOUT",
            `not committed: ${dirty.slice(0, 10).join(", ")}; commit them, or give --allow-dirty`,
          ),
        ]),
  ];
  const { plan } = parsed;
  if (refusals.length > 0 || plan === undefined || planBytes === undefined || !configuration.ok) return err(refusals);
  const executor = request.executor ?? readProgram(config.executor);
  const itemIds = orderItems(plan.items).map((item) => item.item_id);
  const wanted = request.items.length === 0 ? itemIds : itemIds.filter((id) => request.items.includes(id));
  const faults = [
    ...judgeSelection(plan, request.items, wanted),
    ...judgeProvable(plan, config, executor),
    ...judgeClosable(plan, config, trackedFiles),
  ];
  if (faults.length > 0) return err(faults);
  return ok({
    plan,
    planBytes,
    planSha256: sha256(planBytes),
    warnings: parsed.problems.filter((problem) => problem.severity === "warning"),
    ...configuration.value,
    policySha256: policyDigest(config),
    policyFile: buildPolicyFile(config).text,
    baseCommit,
    trustRef: user.headRef ?? null,
    itemIds,
    selectedIds: wanted,
    executor: executor ?? { use: "command", command: [], expectedArtifacts: [] },
    manager: request.manager ?? readProgram(config.manager),
  });
}

async function loadConfig(
  user: UserRepository,
  local: InputRequest["localConfig"],
): Promise<Result<Pick<RunInputs, "config" | "configFile">, Refusal>> {
  const bytes = local?.bytes ?? (await user.readFileAt(user.headCommit, DEFAULT_CONFIG_PATH));
  if (bytes === undefined)
    return ok({ config: defaultConfig(), configFile: { path: null, sha256: null, authority: "none" } });
  const path = local?.path ?? DEFAULT_CONFIG_PATH;
  const { config, problems } = parseConfig(path, new TextDecoder().decode(bytes));
  if (config === undefined) return err({ code: "CONFIG_INVALID", message: "the configuration has errors", problems });
  return ok({
    config,
    configFile: { path, sha256: sha256(bytes), authority: local === undefined ? "trust_ref" : "local" },
  });
}

function judgeCommitted(request: InputRequest, committed: Uint8Array | undefined): Refusal | undefined {
  const path = request.planPath;
  const command = `git add -- ${quoteRepositoryPath(path)} && git commit -m 'Add plan'`;
  if (committed === undefined) {
    return request.planOnDisk === undefined
      ? { code: "USAGE", message: `no such plan: ${path}`, problems: [] }
      : refuse("PLAN_NOT_COMMITTED", `${path} is not in the commit that HEAD names; commit it: ${command}`);
  }
  // A checkout may have other line ends than the commit; that is the user's own setting, not a change.
  const differs = request.planOnDisk !== undefined && foldLineEnds(request.planOnDisk) !== foldLineEnds(committed);
  return differs
    ? refuse("PLAN_NOT_COMMITTED", `${path} has changes that are not committed; commit them: ${command}`)
    : undefined;
}

function foldLineEnds(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes).replaceAll("\r\n", "\n");
}

function readProgram(configured: Config["executor"] | Config["manager"]): ProgramInput | undefined {
  if (configured === undefined) return undefined;
  const expectedArtifacts = configured["expected-artifacts"];
  return "command" in configured
    ? { use: "command", command: configured.command, expectedArtifacts }
    : { use: configured.use, command: [configured.use], expectedArtifacts };
}

function judgeSelection(plan: Plan, asked: readonly string[], wanted: readonly string[]): Refusal[] {
  const unknown = asked.filter((id) => !plan.items.some((item) => item.item_id === id));
  const waiting = plan.items
    .filter((item) => wanted.includes(item.item_id))
    .flatMap((item) =>
      item.prerequisites.filter((id) => !wanted.includes(id)).map((id) => `${item.item_id} needs ${id}`),
    );
  return [
    ...unknown.map((id) => ({
      code: "USAGE" as const,
      message: `the plan has no item ${id}; see conveyor items list`,
      problems: [],
    })),
    ...(waiting.length === 0
      ? []
      : [
          {
            code: "USAGE" as const,
            message: `--item leaves out what others need: ${waiting.join(", ")}`,
            problems: [],
          },
        ]),
  ];
}

/** A file in the place of a folder that the closing commit writes to is found before any work is done. */
function judgeClosable(plan: Plan, config: Config, trackedFiles: ReadonlySet<string>): Refusal[] {
  const keys = plan.metadata === null ? (["evidence"] as const) : (["completed", "evidence"] as const);
  return keys.flatMap((key) => {
    const names = normalizePath(config.paths[key]).split("/");
    const above = names.map((_, index) => names.slice(0, index + 1).join("/"));
    const file = above.find((path) => trackedFiles.has(path));
    const message = `paths.${key}: expected a folder at ${config.paths[key]}, found a file or a link at ${file ?? ""} of the commit`;
    return file === undefined ? [] : [{ code: "CONFIG_INVALID" as const, message, problems: [] }];
  });
}

function judgeProvable(plan: Plan, config: Config, executor: ProgramInput | undefined): Refusal[] {
  const verified = plan.items.some((item) => item.required_commands.length + item.required_artifacts.length > 0);
  return [
    ...(executor === undefined
      ? [refuse("EXECUTOR_NOT_CONFIGURED", "no executor: set one in .github/conveyor.yml or give --executor-bin")]
      : []),
    ...(verified || listValidationCommands(plan, config).length > 0
      ? []
      : [
          refuse(
            "VERIFICATION_MISSING",
            "nothing would be verified: no required command, no artifact, no validation command",
          ),
        ]),
    ...(config.audits.lanes.length >= 2
      ? []
      : [
          {
            code: "CONFIG_INVALID" as const,
            message:
              "audits.lanes: expected at least two lanes with different names, found none; for example audits: {lanes: [{name: first, use: command, command: [./audit]}, {name: second, use: command, command: [./other-audit]}]}",
            problems: [],
          },
        ]),
  ];
}

function refuse(code: ReasonCode, message: string): Refusal {
  return { code, message, problems: [] };
}
