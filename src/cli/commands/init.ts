import { join, resolve } from "node:path";
import { openWorkplace } from "../../compose/workplace.ts";
import { world, type FilePlace } from "../../compose/world.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { EXIT } from "../../domain/run-stop.ts";
import {
  buildStarterFiles,
  extendGitignore,
  FIRST_PLAN_PATH,
  STARTER_PROFILES,
  type StarterFile,
  type StarterProfile,
} from "../../domain/starter-files.ts";
import {
  keyVariableOf,
  listStarterAgents,
  parseGithubRemote,
  parseWorkflowSource,
  UNKNOWN_SOURCE,
  type StarterAgents,
  type WorkflowSource,
} from "../../domain/starter-workflow.ts";
import { renderStarter, type StarterChange } from "../../render/starter-text.ts";
import { refuse } from "../answer.ts";
import type { Io } from "../io.ts";

interface InitOptions {
  readonly dir?: string;
  readonly profile?: StarterProfile;
  readonly agents: StarterAgents;
  readonly uses?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
}

/**
 * `conveyor init`: sets a repository up. Shows every file before the first is written; a file that is there and differs
 * refuses all, unless `--force` is given. Where nobody can be asked, `--profile` and `--yes` have to say it.
 */
export async function init(io: Io, options: InitOptions): Promise<number> {
  const root = await findRoot(io, options.dir);
  if (root === undefined)
    return refuse(io, "USAGE", `expected a git repository at ${resolve(io.cwd, options.dir ?? ".")}; first: git init`);
  const source = options.uses === undefined ? await findSource(io) : parseWorkflowSource(options.uses);
  if (source === undefined)
    return refuse(io, "USAGE", `--uses: expected owner/name@commit, found ${options.uses ?? ""}`);
  const profile = options.profile ?? (await askProfile(io));
  if (profile === undefined) {
    const why = io.ask === undefined ? "nobody is here to be asked" : "expected solo or team; nothing was written";
    return refuse(io, "USAGE", `${why}; say who maintains this: --profile solo or --profile team`);
  }
  const planned = planChanges(root, buildStarterFiles({ profile, agents: options.agents, source }));
  if (!planned.ok)
    return refuse(
      io,
      "USAGE",
      `expected folders of the repository and places for files, found something else at ${planned.error.join(", ")}; nothing was written`,
    );
  const changes = planned.value;
  io.out(renderStarter(changes));
  const taken = changes.filter(({ act }) => act === "overwrite").map(({ file }) => file.path);
  if (taken.length > 0 && options.force !== true)
    return refuse(io, "USAGE", `already there: ${taken.join(", ")}; nothing was written. --force writes over them`);
  if (options.yes !== true) {
    if (io.ask === undefined)
      return refuse(io, "USAGE", "nobody is here to be asked; nothing was written. --yes writes what is shown above");
    if (!isYes(await io.ask("Write these files? [y/N] "))) {
      io.note("nothing was written");
      return EXIT.done;
    }
  }
  for (const change of changes) writeChange(root, change);
  for (const line of listNextSteps(options.agents, source)) io.note(line);
  return EXIT.done;
}

/** The top of the checkout, or a folder that has a repository without a commit. */
async function findRoot(io: Io, dir: string | undefined): Promise<string | undefined> {
  const folder = resolve(io.cwd, dir ?? ".");
  if (!world.isFolder(folder)) return undefined;
  const opened = await openWorkplace(folder, io.env);
  if (opened.ok) return opened.value.places.root;
  return opened.error.kind === "no_commit" && world.isFolder(join(folder, ".git")) ? folder : undefined;
}

/** The clone that this program runs from, as far as it says on which commit of whose repository it is. */
async function findSource(io: Io): Promise<WorkflowSource> {
  const own = await world.readOwnSource(io.env);
  if (own === undefined) return UNKNOWN_SOURCE;
  return { repository: parseGithubRemote(own.remote) ?? UNKNOWN_SOURCE.repository, ref: own.commit };
}

async function askProfile(io: Io): Promise<StarterProfile | undefined> {
  const answer = await io.ask?.("Who maintains this repository: you alone (solo), or several people (team)? ");
  return STARTER_PROFILES.find((profile) => profile === answer?.trim().toLowerCase());
}

/** What is to be done with each file; the error names what no file can be written over or below. */
function planChanges(root: string, files: readonly StarterFile[]): Result<StarterChange[], readonly string[]> {
  const blocked = new Set<string>();
  const inspect = (path: string): FilePlace => {
    const place = world.inspectPlace(root, path);
    if (place.kind === "blocked") blocked.add(place.by);
    return place;
  };
  const changes = files.map((file): StarterChange => {
    const place = inspect(file.path);
    if (place.kind === "free") return { file, act: "write" };
    const isSame = place.kind === "file" && Buffer.from(file.text).equals(place.bytes);
    return { file, act: isSame ? "keep" : "overwrite" };
  });
  changes.push(planGitignore(inspect(".gitignore")));
  return blocked.size > 0 ? err([...blocked]) : ok(changes);
}

/** Lines of others stay as they are, whatever their encoding. */
function planGitignore(place: FilePlace): StarterChange {
  const before = place.kind === "file" ? new TextDecoder().decode(place.bytes) : "";
  const added = extendGitignore(before);
  const purpose = "keeps the state of runs on a laptop out of commits";
  const file = { path: ".gitignore", text: `${before}${added ?? ""}`, purpose };
  if (place.kind !== "file") return { file, act: place.kind === "free" ? "write" : "overwrite" };
  return added === undefined ? { file, act: "keep" } : { file, act: "append", added };
}

function writeChange(root: string, change: StarterChange): void {
  const path = join(root, change.file.path);
  if (change.act === "append") world.appendToFile(path, change.added);
  else if (change.act !== "keep") world.replaceFile(path, change.file.text);
}

function isYes(answer: string): boolean {
  return ["y", "yes"].includes(answer.trim().toLowerCase());
}

function listNextSteps(agents: StarterAgents, source: WorkflowSource): string[] {
  const keys = listStarterAgents(agents).map(keyVariableOf).join(" and ");
  const isOwnerKnown = source.repository !== UNKNOWN_SOURCE.repository;
  const steps = [
    ...(isOwnerKnown
      ? []
      : [`in .github/workflows/conveyor.yml put the owner of Plan Conveyor in place of OWNER (${source.repository})`]),
    `add the secrets ${keys} under Settings, Secrets and variables, Actions`,
    "under Settings, Actions, General allow GitHub Actions to create pull requests",
    "commit it all on the default branch; only what is committed there counts",
    `look before you run: conveyor doctor --plan ${FIRST_PLAN_PATH} and conveyor run ${FIRST_PLAN_PATH} --dry-run`,
    `run it: under Actions, Plan Conveyor, Run workflow, with the plan ${FIRST_PLAN_PATH}`,
  ];
  return ["written; next:", ...steps.map((step, index) => `  ${index + 1}. ${step}`)];
}
