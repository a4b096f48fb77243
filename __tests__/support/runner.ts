import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT, startProcess, type Ended, makeFolder } from "./conveyor.ts";
import type { ChildProcess } from "node:child_process";

export const ACTION = join(ROOT, "dist", "action.js");

/** `action.yml` as far as a runner reads it. */
export interface ActionFile {
  readonly name: string;
  readonly description: string;
  readonly author: string;
  readonly branding: { readonly icon: string; readonly color: string };
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string }>>;
  readonly runs: { readonly using: string; readonly main: string };
}

export function readActionFile(): ActionFile {
  return parse(readFileSync(join(ROOT, "action.yml"), "utf8")) as ActionFile;
}

/** A workflow run that a step belongs to; whatever a test leaves out is as an ordinary dispatch has it. */
export interface StepOptions {
  /** `GITHUB_EVENT_NAME`, by default `workflow_dispatch`. */
  readonly event?: string;
  /** The payload; bytes of its own when it is a string. */
  readonly payload?: Readonly<Record<string, unknown>> | string;
  /** Variables that replace those of the runner; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly nodeArgs?: readonly string[];
}

/** An annotation, or another workflow command, as the runner took it from the log. */
export interface RunnerCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

/** What a step left with its runner. */
export interface StepResult extends Ended {
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly annotations: readonly RunnerCommand[];
  /** Every workflow command in the order of the log. */
  readonly commands: readonly RunnerCommand[];
  readonly masks: readonly string[];
  /** Variables and `PATH` entries that later steps would get: a step of ours hands on none. */
  readonly exported: string;
}

export const REPOSITORY_ID = 4242;
const REPOSITORY_NAME = "octo-org/hello";

/** The payload of an event of this repository. */
export function buildPayload(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    repository: { id: REPOSITORY_ID, full_name: REPOSITORY_NAME, default_branch: "main" },
    sender: { id: 1001, login: "octocat", type: "User" },
    ...more,
  };
}

/**
 * Plays the runner for one job: a temporary folder, the command files of each step, the payload of the event. It starts
 * the bundled `dist/action.js` as a runner does and reads what the step says to it.
 */
export class JobRunner {
  readonly temp = makeFolder("conveyor-runner-");
  readonly workspace: string;
  readonly home: string;
  readonly #defaults: Readonly<Record<string, string>>;
  readonly #jobEnv: Readonly<Record<string, string | undefined>>;

  readonly #token: string;

  /** `workspace` is the checkout; `env` holds for every step of the job, and `token` is its `${{ github.token }}`. */
  constructor(workspace: string, env: Readonly<Record<string, string | undefined>> = {}, token = "") {
    this.workspace = workspace;
    this.#token = token;
    this.home = makeFolder("conveyor-home-");
    this.#jobEnv = env;
    this.#defaults = Object.fromEntries(
      Object.entries(readActionFile().inputs).map(([name, input]) => [name, input.default]),
    );
  }

  /** Runs one step and waits for its end. */
  async step(inputs: Readonly<Record<string, string>>, options: StepOptions = {}): Promise<StepResult> {
    return await this.start(inputs, options).result;
  }

  /** Starts a step and leaves it running. */
  start(
    inputs: Readonly<Record<string, string>>,
    options: StepOptions = {},
  ): { child: ChildProcess; result: Promise<StepResult> } {
    const files = this.#makeCommandFiles();
    const { child, ended } = startProcess(process.execPath, [...(options.nodeArgs ?? []), ACTION], {
      cwd: this.workspace,
      env: this.#buildEnv(inputs, options, files),
    });
    return { child, result: ended.then((end) => readResult(end, files)) };
  }

  #makeCommandFiles(): Record<string, string> {
    const folder = join(this.temp, "_runner_file_commands");
    mkdirSync(folder, { recursive: true });
    const id = randomUUID();
    const names = {
      GITHUB_OUTPUT: "set_output",
      GITHUB_ENV: "set_env",
      GITHUB_PATH: "add_path",
      GITHUB_STATE: "save_state",
      GITHUB_STEP_SUMMARY: "step_summary",
    };
    return Object.fromEntries(
      Object.entries(names).map(([variable, name]) => {
        const path = join(folder, `${name}_${id}`);
        writeFileSync(path, "");
        return [variable, path];
      }),
    );
  }

  #buildEnv(
    inputs: Readonly<Record<string, string>>,
    options: StepOptions,
    files: Readonly<Record<string, string>>,
  ): Record<string, string> {
    const { event = "workflow_dispatch", payload = buildPayload() } = options;
    const eventPath = join(this.temp, "event.json");
    writeFileSync(eventPath, typeof payload === "string" ? payload : JSON.stringify(payload));
    // The same tier on every machine, whatever it has installed: what a tier does is for the tests that say so.
    const isRun = (inputs["command"] ?? "run") === "run";
    const given = { ...this.#defaults, ...(isRun ? { sandbox: "off" } : {}), ...inputs };
    const variables: Record<string, string | undefined> = {
      PATH: process.env["PATH"],
      HOME: this.home,
      LC_ALL: "C.UTF-8",
      CI: "true",
      GIT_CONFIG_NOSYSTEM: "1",
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: this.workspace,
      GITHUB_ACTION_PATH: ROOT,
      GITHUB_REPOSITORY: REPOSITORY_NAME,
      GITHUB_REPOSITORY_ID: String(REPOSITORY_ID),
      GITHUB_REF: "refs/heads/main",
      GITHUB_EVENT_NAME: event,
      GITHUB_EVENT_PATH: eventPath,
      GITHUB_RUN_ID: "9001",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_JOB: "execute",
      GITHUB_WORKFLOW: "conveyor",
      GITHUB_WORKFLOW_REF: `${REPOSITORY_NAME}/.github/workflows/conveyor.yml@refs/heads/main`,
      GITHUB_ACTOR: "octocat",
      GITHUB_ACTOR_ID: "1001",
      GITHUB_TRIGGERING_ACTOR: "octocat",
      GITHUB_SERVER_URL: "https://github.com",
      // Nothing of a test may reach the network: port 9 of loopback answers nobody.
      GITHUB_API_URL: "http://127.0.0.1:9",
      RUNNER_TEMP: this.temp,
      RUNNER_OS: "Linux",
      RUNNER_ENVIRONMENT: "github-hosted",
      // A plan without a Risk-Tier that changes more than documents is of medium risk.
      ORCH_APPROVED_MEDIUM: "1",
      ...files,
      ...Object.fromEntries(
        Object.entries(given).map(([name, value]) => [
          `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
          value.replace("${{ github.token }}", this.#token),
        ]),
      ),
      ...this.#jobEnv,
      ...options.env,
    };
    return Object.fromEntries(
      Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  }

  /** Folders of runs that steps of this job made. */
  runFolders(): string[] {
    return listFolder(join(this.temp, "conveyor")).map((name) => join(this.temp, "conveyor", name));
  }

  /** What stands in the temporary folder besides what the runner itself puts there. */
  leftInTemp(): string[] {
    return listFolder(this.temp).filter((name) => !["_runner_file_commands", "event.json"].includes(name));
  }
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

function readResult(ended: Ended, files: Readonly<Record<string, string>>): StepResult {
  const read = (name: string): string => readFileSync(files[name] ?? "", "utf8");
  const commands = parseCommands(ended.stdout);
  return {
    ...ended,
    outputs: parseFileCommand(read("GITHUB_OUTPUT")),
    summary: read("GITHUB_STEP_SUMMARY"),
    commands,
    annotations: commands.filter(({ name }) => ["error", "warning", "notice"].includes(name)),
    masks: commands.filter(({ name }) => name === "add-mask").map(({ message }) => message),
    exported: read("GITHUB_ENV") + read("GITHUB_PATH") + read("GITHUB_STATE"),
  };
}

/** Reads `name=value` and `name<<DELIMITER` as the runner does. */
function parseFileCommand(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const heredoc = /^([^=]+?)<<(.+)$/.exec(line);
    if (heredoc?.[1] !== undefined && heredoc[2] !== undefined) {
      const end = lines.indexOf(heredoc[2], index + 1);
      if (end === -1) throw new Error(`no end of ${heredoc[1]}`);
      values[heredoc[1]] = lines.slice(index + 1, end).join("\n");
      index = end;
    } else if (line.includes("=")) {
      values[line.slice(0, line.indexOf("="))] = line.slice(line.indexOf("=") + 1);
    }
  }
  return values;
}

/** Finds what a runner takes for commands in a log. */
function parseCommands(log: string): RunnerCommand[] {
  return log.split(/\r\n|[\r\n]/).flatMap((line) => {
    const match = /^\s*::([A-Za-z-]+)(?: ([^:]*(?:(?!::):[^:]*)*))?::(.*)$/.exec(line);
    if (match?.[1] === undefined) return [];
    const properties = (match[2] ?? "").split(",").filter((pair) => pair.includes("="));
    return [
      {
        name: match[1],
        properties: Object.fromEntries(
          properties.map((pair) => [pair.slice(0, pair.indexOf("=")), unescape(pair.slice(pair.indexOf("=") + 1))]),
        ),
        message: unescape(match[3] ?? ""),
      },
    ];
  });
}

function unescape(text: string): string {
  return text
    .replaceAll("%0D", "\r")
    .replaceAll("%0A", "\n")
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%25", "%");
}
