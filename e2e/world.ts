import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { PACKAGES } from "./install.ts";

export type Agent = keyof typeof PACKAGES;

const CLI = join(import.meta.dirname, "..", "dist", "cli.js");
const PLAN_PATH = "docs/exec-plans/active/plan.md";
const RUN_MS = 180_000;

/** The model that the configuration names; what else a request says comes from somewhere it must not. */
export const MODELS: Record<Agent, string> = { codex: "gpt-5.4", claude: "claude-opus-5-5" };
/** Stands in every file that could change an agent and must not. */
export const MARK = "AMBIENT_MARK";

const KEYS: Record<Agent, string> = { codex: "OPENAI_API_KEY", claude: "ANTHROPIC_API_KEY" };

/** What a scenario wants of the repository. */
export interface RepositoryInput {
  readonly executor: Agent;
  readonly auditors: readonly [Agent, Agent];
  readonly modelUrl: string;
  /** More lines of configuration. */
  readonly lines?: readonly string[];
  /** In tier 3, where the model server is reached by the proxy alone, which holds the keys. */
  readonly isHeld?: boolean;
}

/** What `conveyor` printed and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly outcome: {
    readonly terminal_state: string | null;
    readonly run_dir: string;
    readonly cost_usd: number | null;
    readonly known_cost_usd: number;
    readonly tokens_in: number | null;
    readonly items: readonly { readonly terminal_state: string | null; readonly reason_codes: readonly string[] }[];
    readonly blocked_reason_codes: readonly string[];
  };
}

/** The report of a run, as far as a scenario looks at it. */
export interface Report {
  readonly stage_executions: readonly {
    readonly purpose: string;
    readonly args: readonly string[];
    readonly env_keys: readonly string[];
    readonly error: string | null;
    readonly agent: {
      readonly use: string;
      readonly lane: string;
      readonly denied: number;
      readonly failure: string | null;
      readonly cost_usd: number | null;
      readonly tokens: { readonly in: number } | null;
    } | null;
  }[];
}

/** A repository with one item, two agents in its configuration, and settings for both lying about that must not count. */
export class World implements Disposable {
  readonly base = mkdtempSync(join(tmpdir(), "conveyor-e2e-"));
  readonly path = join(this.base, "repo");
  readonly bin: string;
  private readonly isHeld: boolean;

  constructor(bin: string, input: RepositoryInput) {
    this.bin = bin;
    this.isHeld = input.isHeld ?? false;
    const ambient = `model = "${MARK}"\n[mcp_servers.evil]\ncommand = "touch"\nargs = ["${this.base}/hook-ran"]\n`;
    const hook = [{ matcher: "*", hooks: [{ type: "command", command: `touch ${this.base}/hook-ran` }] }];
    const settings = JSON.stringify({
      model: MARK,
      env: { AMBIENT: MARK },
      hooks: { SessionStart: hook, PreToolUse: hook },
    });
    const mcp = JSON.stringify({ mcpServers: { evil: { command: "touch", args: [`${this.base}/hook-ran`] } } });
    this.write(this.path, {
      "README.md": "# A repository\n",
      [PLAN_PATH]: PLAN,
      ".github/conveyor.yml": buildConfig(input),
      ".codex/config.toml": ambient,
      ".claude/settings.json": settings,
      ".claude/settings.local.json": settings,
      ".mcp.json": mcp,
    });
    this.write(this.base, {
      ".codex/config.toml": ambient,
      ".codex/AGENTS.md": MARK,
      ".claude/settings.json": settings,
      ".claude/CLAUDE.md": MARK,
    });
    this.git("init", "--quiet", "--initial-branch=main");
    this.git("add", "--all");
    this.git("commit", "--quiet", "-m", "start");
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true, force: true });
  }

  git(...args: string[]): string {
    const identity = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@example.com" };
    const committer = { GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@example.com" };
    const env = { ...this.env(), ...identity, ...committer };
    return execFileSync("git", args, { cwd: this.path, env, encoding: "utf8" }).trim();
  }

  /** Runs the bundled `conveyor`; it is ended when it takes too long. */
  async conveyor(...args: string[]): Promise<Ended> {
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: this.path,
      env: this.env(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString("utf8")));
    const timer = setTimeout(() => child.kill("SIGTERM"), RUN_MS);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    clearTimeout(timer);
    const outcome = output.stdout.startsWith("{") ? (JSON.parse(output.stdout) as Ended["outcome"]) : NO_OUTCOME;
    return { code, ...output, outcome };
  }

  run(...args: string[]): Promise<Ended> {
    const gates = ["--policy-status", "allow", "--ci-status", "success", "--review-status", "approved"];
    // In tier 3 a server on loopback can be reached only where the proxy holds a key for it.
    const sandbox = ["--sandbox", this.isHeld ? "required" : "off"];
    return this.conveyor("run", PLAN_PATH, "--format", "json", "--quiet", ...sandbox, ...gates, ...args);
  }

  report({ outcome }: Ended): Report {
    return JSON.parse(readFileSync(join(outcome.run_dir, "orchestrator_run_report.json"), "utf8")) as Report;
  }

  /** True when a hook or a tool server of somebody else's settings was started. */
  isMarked(): boolean {
    return readdirSync(this.base).includes("hook-ran");
  }

  /** Where files of that name lie, in the repository or around it. */
  find(name: string): string[] {
    return readdirSync(this.base, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(`/${name}`));
  }

  private env(): Record<string, string> {
    return {
      PATH: [this.bin, dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(":"),
      HOME: this.base,
      // Not below a temporary folder: there the agents' own sandboxes are not what they are elsewhere.
      XDG_CACHE_HOME: join(this.base, "cache"),
      GIT_CONFIG_NOSYSTEM: "1",
      LC_ALL: "C.UTF-8",
      ORCH_APPROVED_MEDIUM: "1",
      OPENAI_API_KEY: "dummy-openai-key",
      ANTHROPIC_API_KEY: "dummy-anthropic-key",
      CLAUDE_CODE_MAX_RETRIES: "2",
    };
  }

  private write(root: string, files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  }
}

const NO_OUTCOME = {
  terminal_state: null,
  run_dir: "",
  cost_usd: null,
  known_cost_usd: 0,
  tokens_in: null,
  items: [],
  blocked_reason_codes: [],
};

const ROW = {
  step_id: "01",
  phase: "build",
  action: "Write the word",
  why_now: "because",
  owner_type: "executor",
  prerequisites: "none",
  repo_surfaces: "README.md",
  deliverable: "out/word.txt",
  exit_criteria: "the right word is there",
  allowed_write_roots: "out",
  requires_red_green: "no",
  manual_gate: "none",
  external_check: "none",
  required_verification_commands: "test -s out/word.txt",
  suggested_verification_commands: "",
  required_verification_artifacts: "",
  notes: "",
};

const PLAN = [
  "# Plan with agents",
  "",
  "## 2. Items",
  "",
  ...[Object.keys(ROW), Object.keys(ROW).map(() => "---"), Object.values(ROW)].map(
    (cells) => `| ${cells.join(" | ")} |`,
  ),
  "",
].join("\n");

function buildConfig({ executor, auditors, modelUrl, lines = [], isHeld = false }: RepositoryInput): string {
  const urls: Record<Agent, string> = { codex: `${modelUrl}/v1`, claude: modelUrl };
  const agent = (name: Agent): string => {
    // Held keys lead to the server by themselves; what is configured here must not count then.
    const url = isHeld ? "https://models.example.com" : urls[name];
    const price = name === "codex" ? ", price: {input: 1.25, cached-input: 0.125, output: 10}" : "";
    const more = name === "claude" ? ", CLAUDE_CODE_MAX_RETRIES" : "";
    return `use: ${name}, model: ${MODELS[name]}, effort: low, base-url: "${url}", env: [${KEYS[name]}${more}]${price}`;
  };
  const lanes = auditors.map((name, index) => `{name: ${name}-${index + 1}, ${agent(name)}}`);
  return [
    "version: 1",
    `executor: {${agent(executor)}}`,
    `audits: {lanes: [${lanes.join(", ")}], retries: 0}`,
    ...(isHeld ? ["sandbox:", "  network: []", "  keys:", ...HELD.map((key) => `    - ${key(urls)}`)] : []),
    ...lines,
    "",
  ].join("\n");
}

const HELD: readonly ((urls: Record<Agent, string>) => string)[] = [
  (urls) =>
    `{env: OPENAI_API_KEY, url: "${urls.codex}", header: authorization, scheme: Bearer, url-env: OPENAI_BASE_URL}`,
  (urls) => `{env: ANTHROPIC_API_KEY, url: "${urls.claude}", header: x-api-key, url-env: ANTHROPIC_BASE_URL}`,
];
