import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { makeFolder, ROOT, startProcess } from "../conveyor.ts";
import { performAction, writeEvent, type Runner } from "./actions.ts";
import { makeCommandFiles } from "./command-files.ts";
import { fill, fillTexts, holds, toText, type Contexts, type JobTemplate, type StepTemplate } from "./template.ts";
import type { JobRun, Permissions, StepRun, Trigger, WorkflowWorld } from "./world.ts";

/** What a job is given by the workflow around it. */
export interface JobInput {
  readonly name: string;
  readonly contexts: Contexts;
  readonly permissions: Permissions;
  readonly trigger: Trigger;
  readonly world: WorkflowWorld;
  /** `defaults.run` of the workflow. */
  readonly shell: string | undefined;
}

/** What examples call us. */
const OWN_ACTION = "OWNER/plan-conveyor";

const BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"] as const;
const DEFAULT_SHELL = ["bash", "-e"] as const;

/** Runs a job on a runner that nobody used before: its own folders, its own token, nothing of another job. */
export async function runJob(template: JobTemplate, input: JobInput): Promise<JobRun> {
  const job = new JobOnRunner(template, input);
  for (const step of template.steps) await job.perform(step);
  return job.conclude();
}

class JobOnRunner {
  readonly #template: JobTemplate;
  readonly #input: JobInput;
  readonly #runner: Runner;
  readonly #home: string;
  readonly #eventPath: string;
  readonly #runs: StepRun[] = [];
  readonly #exported: Record<string, string> = {};
  #failed = false;

  constructor(template: JobTemplate, input: JobInput) {
    this.#template = template;
    this.#input = input;
    const base = makeFolder("conveyor-job-");
    const place = (name: string): string => {
      mkdirSync(join(base, name), { recursive: true });
      return join(base, name);
    };
    this.#runner = {
      workspace: place("work"),
      temp: place("temp"),
      token: input.world.issueToken(input.permissions),
      path: [],
    };
    this.#home = place("home");
    this.#eventPath = writeEvent(this.#runner.temp, input.trigger.payload);
  }

  async perform(step: StepTemplate): Promise<void> {
    const { body } = step;
    const status = { failed: this.#failed, cancelled: false };
    const name = toText(fill(body["name"] ?? step.id, this.#contexts({}), status));
    const env = fillTexts(body["env"], this.#contexts({}), status);
    if (!holds(step.condition, this.#contexts(env), status)) {
      this.#runs.push({ id: step.id, name, outcome: "skipped", outputs: {}, log: "", summary: "", env: {} });
      return;
    }
    const run = await this.#start(step, env).catch((fault: unknown) => ({
      outcome: "failure" as const,
      outputs: {},
      log: `##[error]${String(fault)}`,
      summary: "",
      env: {},
    }));
    this.#runs.push({ id: step.id, name, ...run });
    if (run.outcome === "failure") this.#failed = true;
  }

  conclude(): JobRun {
    const { permissions } = this.#input;
    const { workspace, temp, token } = this.#runner;
    const status = { failed: this.#failed, cancelled: false };
    const outputs = fillTexts(this.#template.body["outputs"], this.#contexts({}), status);
    const result = this.#failed ? "failure" : "success";
    return { result, outputs, steps: this.#runs, permissions, token, workspace, temp };
  }

  async #start({ id, body }: StepTemplate, env: Readonly<Record<string, string>>): Promise<Ended> {
    const status = { failed: this.#failed, cancelled: false };
    const uses = body["uses"];
    if (typeof uses !== "string") return await this.#runShell(id, body, env);
    const inputs = fillTexts(body["with"], this.#contexts(env), status);
    if (uses.startsWith("./")) return await this.#runAction(id, resolve(this.#runner.workspace, uses), inputs, env);
    const [action = ""] = uses.split("@");
    if (action === OWN_ACTION) return await this.#runAction(id, ROOT, inputs, env);
    const outputs = performAction(action, inputs, this.#runner, this.#input.world);
    return { outcome: "success", outputs, log: "", summary: "", env: {} };
  }

  async #runShell(id: string, body: StepTemplate["body"], env: Readonly<Record<string, string>>): Promise<Ended> {
    const status = { failed: this.#failed, cancelled: false };
    const shell = body["shell"] ?? this.#input.shell;
    if (shell !== undefined && shell !== "bash") throw new Error("the harness knows no shell but bash");
    const script = join(this.#runner.temp, `${id}-${this.#runs.length}.sh`);
    writeFileSync(script, toText(fill(body["run"] ?? "", this.#contexts(env), status)));
    const folder = toText(fill(body["working-directory"] ?? ".", this.#contexts(env), status));
    const command = shell === "bash" ? BASH : DEFAULT_SHELL;
    return await this.#runProcess(id, [...command, script], resolve(this.#runner.workspace, folder), env);
  }

  /** An action of a checkout, by its `action.yml`: what it is given, and its `node24` entry. */
  async #runAction(
    id: string,
    folder: string,
    inputs: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>>,
  ): Promise<Ended> {
    const file = parse(readFileSync(join(folder, "action.yml"), "utf8")) as ActionFile;
    const unknown = Object.keys(inputs).filter((name) => !(name in file.inputs));
    if (unknown.length > 0) throw new Error(`Unexpected input(s) '${unknown.join("', '")}'`);
    if (file.runs.using !== "node24") throw new Error(`the harness has no ${file.runs.using}`);
    const given = Object.entries(file.inputs).map(([name, { default: fallback = "" }]) => {
      const value = inputs[name] ?? fallback.replace("${{ github.token }}", this.#runner.token);
      return [`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`, value] as const;
    });
    return await this.#runProcess(id, [process.execPath, join(folder, file.runs.main)], this.#runner.workspace, {
      ...env,
      ...this.#input.world.runtime,
      ...Object.fromEntries(given),
      GITHUB_ACTION_PATH: folder,
    });
  }

  async #runProcess(
    id: string,
    [program, ...args]: readonly string[],
    cwd: string,
    env: Readonly<Record<string, string>>,
  ): Promise<Ended> {
    if (!existsSync(cwd)) throw new Error(`An error occurred: no such folder ${cwd}`);
    const files = makeCommandFiles(this.#runner.temp);
    const whole = { ...this.#runnerEnv(), ...this.#exported, ...env, ...files.env };
    const { child, ended } = startProcess(program ?? "", args, { cwd, env: whole });
    this.#input.world.onStart?.({ job: this.#input.name, id }, child.pid ?? 0);
    const { code, stdout, stderr } = await ended;
    const said = files.read();
    this.#runner.path.unshift(...said.path.toReversed());
    Object.assign(this.#exported, said.env);
    const outcome = code === 0 ? "success" : "failure";
    return { outcome, outputs: said.outputs, log: stdout + stderr, summary: said.summary, env: whole };
  }

  #runnerEnv(): Record<string, string> {
    const { trigger, world, name } = this.#input;
    const { workspace, temp, path } = this.#runner;
    return {
      // The tests' own programs are no part of a runner's image.
      PATH: [...path, ...(world.bin === undefined ? [] : [world.bin]), ...systemPath()].join(":"),
      HOME: this.#home,
      LANG: "C.UTF-8",
      CI: "true",
      ...world.image,
      ...this.#githubEnv(trigger, world, name),
      GITHUB_WORKSPACE: workspace,
      GITHUB_EVENT_PATH: this.#eventPath,
      RUNNER_TEMP: temp,
      RUNNER_OS: "Linux",
      RUNNER_ARCH: "X64",
      RUNNER_ENVIRONMENT: world.runnerEnvironment ?? "github-hosted",
    };
  }

  #githubEnv(trigger: Trigger, world: WorkflowWorld, job: string): Record<string, string> {
    const github = this.#input.contexts["github"] as Record<string, unknown>;
    return {
      GITHUB_ACTIONS: "true",
      GITHUB_API_URL: world.apiUrl,
      GITHUB_SERVER_URL: world.serverUrl,
      GITHUB_EVENT_NAME: trigger.event,
      GITHUB_REPOSITORY: world.repository,
      GITHUB_REPOSITORY_ID: toText(github["repository_id"]),
      GITHUB_REF: toText(github["ref"]),
      GITHUB_SHA: world.sha,
      GITHUB_RUN_ID: String(world.runId),
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_JOB: job,
      GITHUB_WORKFLOW_REF: toText(github["workflow_ref"]),
      GITHUB_ACTOR: toText(github["actor"]),
      GITHUB_ACTOR_ID: toText(github["actor_id"]),
      GITHUB_TRIGGERING_ACTOR: toText(github["actor"]),
    };
  }

  #contexts(env: Readonly<Record<string, string>>): Contexts {
    const { contexts, world } = this.#input;
    const { workspace, temp, token } = this.#runner;
    return {
      ...contexts,
      github: { ...(contexts["github"] as object), token, workspace },
      env: { ...this.#exported, ...env },
      runner: { temp, os: "Linux", environment: "github-hosted" },
      job: {
        status: this.#failed ? "failure" : "success",
        workflow_repository: world.source.repository,
        workflow_sha: world.source.sha,
      },
      steps: Object.fromEntries(
        this.#runs.map(({ id, outcome, outputs }) => [id, { outcome, conclusion: outcome, outputs }]),
      ),
      matrix: {},
      strategy: {},
    };
  }
}

type Ended = Omit<StepRun, "id" | "name">;

interface ActionFile {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly runs: { readonly using: string; readonly main: string };
}

/** The machine's folders of programs, without those of this package and of the Node that runs it. */
function systemPath(): string[] {
  const own = dirname(process.execPath);
  return (process.env["PATH"] ?? "").split(":").filter((each) => each !== own && !each.includes("node_modules"));
}
