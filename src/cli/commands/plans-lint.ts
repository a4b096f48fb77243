import { join, resolve } from "node:path";
import { openWorkplace, type Workplace, world } from "../../compose.ts";
import type { Config } from "../../domain/config.ts";
import { parsePlan } from "../../domain/parse-plan.ts";
import { buildProblemLine, type LocatedProblem } from "../../domain/plan.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { surroundingsOf } from "../../domain/validation-commands.ts";
import { refuse } from "../answer.ts";
import { readCheckoutConfig } from "../checkout-config.ts";
import type { Format, Io } from "../io.ts";

/** `conveyor plans lint [PATH…]`: every problem of every plan; exit 2 if any is an error. */
export async function lintPlans(io: Io, paths: string[], options: { format: Format }): Promise<number> {
  const opened = await openWorkplace(io.cwd, io.env);
  const workplace = opened.ok ? opened.value : undefined;
  const config = readCheckoutConfig(workplace?.places.root);
  const wanted = paths.length > 0 ? paths : activeFolder(workplace, config.config);
  if (wanted === undefined)
    return refuse(io, "USAGE", "outside a repository, name the plans: conveyor plans lint plan.md");
  const tracked =
    workplace === undefined ? undefined : new Set(await workplace.user.listFilesAt(workplace.user.headCommit));
  const problems: LocatedProblem[] = [...config.problems];
  let files = 0;
  for (const path of wanted) {
    const found = world.listPlanFiles(resolve(io.cwd, path));
    if (found === undefined) return refuse(io, "USAGE", `no such file or folder: ${path}`);
    for (const file of found) {
      files += 1;
      problems.push(...lintPlan(io, workplace, file, { tracked, config: config.config }));
    }
  }
  const errors = problems.filter((problem) => problem.severity === "error").length;
  if (options.format === "json") io.out(`${JSON.stringify({ files, errors, problems }, null, 2)}\n`);
  else {
    for (const problem of problems) io.out(buildProblemLine(problem));
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
): LocatedProblem[] {
  const bytes = world.readLocalFile(file);
  const path =
    (workplace === undefined ? undefined : world.toRepositoryPath(workplace.places.root, io.cwd, file)) ?? file;
  if (bytes === undefined) {
    return [{ path, line: 1, column: 1, severity: "error", code: "PLAN_UNREADABLE", message: "cannot read the file" }];
  }
  const inRepository = workplace !== undefined && path !== file;
  return parsePlan({
    path,
    bytes,
    ...surroundingsOf(facts.config),
    ...(inRepository && facts.tracked !== undefined ? { trackedFiles: facts.tracked } : {}),
  }).problems;
}

function activeFolder(workplace: Workplace | undefined, config: Config): string[] | undefined {
  return workplace === undefined ? undefined : [join(workplace.places.root, config.paths.active)];
}
