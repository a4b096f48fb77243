import { join, resolve } from "node:path";
import { openWorkplace, type Workplace } from "../../compose/workplace.ts";
import { world } from "../../compose/world.ts";
import type { Config } from "../../domain/config.ts";
import { parsePlan } from "../../domain/parse-plan.ts";
import { isInside, normalizePath } from "../../domain/paths.ts";
import { buildProblemLine, type LocatedProblem, type Plan } from "../../domain/plan.ts";
import { PLAN_PROBLEM_CODES } from "../../domain/plan-problem-codes.ts";
import {
  FOLDER_STATUSES,
  judgeIds,
  judgeQueue,
  type IdentifiedPlan,
  type PlanFolder,
} from "../../domain/plan-queue.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { surroundingsOf } from "../../domain/validation-commands.ts";
import { renderSarif } from "../../render/sarif.ts";
import { refuse } from "../answer.ts";
import { readCheckoutConfig } from "../checkout-config.ts";
import type { Io, LintFormat } from "../io.ts";

const LINES_AT_ONCE = 500;

/** `conveyor plans lint [PATH…]`: every problem of every plan; exit 2 if any is an error. */
export async function lintPlans(io: Io, paths: string[], options: { format: LintFormat }): Promise<number> {
  const opened = await openWorkplace(io.cwd, io.env);
  const workplace = opened.ok ? opened.value : undefined;
  const config = readCheckoutConfig(workplace?.places.root);
  const wanted = paths.length > 0 ? paths : activeFolder(workplace, config.config);
  if (wanted === undefined)
    return refuse(io, "USAGE", "outside a repository, name the plans: conveyor plans lint plan.md");
  const tracked =
    workplace === undefined ? undefined : new Set(await workplace.user.listFilesAt(workplace.user.headCommit));
  const problems: LocatedProblem[] = [...config.problems];
  const plans: IdentifiedPlan[] = [];
  let files = 0;
  for (const path of wanted) {
    const found = world.listPlanFiles(resolve(io.cwd, path));
    if (found === undefined) return refuse(io, "USAGE", `no such file or folder: ${path}`);
    for (const file of found) {
      files += 1;
      const linted = lintPlan(io, workplace, file, { tracked, config: config.config });
      problems.push(...linted.problems);
      if (linted.plan === undefined) continue;
      const { plan_id, path: at, metadata } = linted.plan;
      plans.push({ plan_id, path: at, metadata });
    }
  }
  problems.push(...judgeIds(plans));
  const errors = problems.filter((problem) => problem.severity === "error").length;
  if (options.format === "json") io.out(`${JSON.stringify({ files, errors, problems }, null, 2)}\n`);
  else if (options.format === "sarif") io.out(renderSarif(problems, io.version));
  else {
    // Some thousand problems are written with a few calls.
    for (let at = 0; at < problems.length; at += LINES_AT_ONCE)
      io.out(
        problems
          .slice(at, at + LINES_AT_ONCE)
          .map(buildProblemLine)
          .join("\n"),
      );
    io.note(
      `${files} plan${files === 1 ? "" : "s"}, ${errors} error${errors === 1 ? "" : "s"}, ${problems.length - errors} warnings`,
    );
  }
  return errors > 0 ? EXIT.usage : EXIT.done;
}

function lintPlan(
  io: Io,
  workplace: Workplace | undefined,
  file: string,
  facts: { tracked: ReadonlySet<string> | undefined; config: Config },
): { plan: Plan | undefined; problems: LocatedProblem[] } {
  const bytes = world.readLocalFile(file);
  const path =
    (workplace === undefined ? undefined : world.toRepositoryPath(workplace.places.root, io.cwd, file)) ?? file;
  if (bytes === undefined) {
    const code = "PLAN_UNREADABLE";
    const { severity } = PLAN_PROBLEM_CODES[code];
    const message = "expected a file that can be read; found none; for example give yourself leave to read it";
    return { plan: undefined, problems: [{ path, line: 1, column: 1, severity, code, message }] };
  }
  const inRepository = workplace !== undefined && path !== file;
  const { plan, problems } = parsePlan({
    path,
    bytes,
    ...surroundingsOf(facts.config),
    ...(inRepository && facts.tracked !== undefined ? { trackedFiles: facts.tracked } : {}),
  });
  const queue = plan === undefined ? [] : judgeQueue(plan, inRepository ? folderOf(path, facts.config) : undefined);
  return { plan, problems: [...queue, ...problems] };
}

/** Which of the configured folders a plan lies in. */
function folderOf(path: string, { paths }: Config): PlanFolder | undefined {
  const folders = Object.keys(FOLDER_STATUSES) as PlanFolder[];
  return folders.find((folder) => isInside(normalizePath(paths[folder]), path));
}

function activeFolder(workplace: Workplace | undefined, config: Config): string[] | undefined {
  return workplace === undefined ? undefined : [join(workplace.places.root, config.paths.active)];
}
