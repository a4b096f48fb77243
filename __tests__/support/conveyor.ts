import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import type { AuditSummary } from "../../src/domain/audit-summary.ts";
import type { NetworkUse } from "../../src/domain/network-hosts.ts";
import type { RunReport } from "../../src/domain/report.ts";
import { git, gitSteps } from "./git-run.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const CLI = join(ROOT, "dist", "cli.js");

/** How a command ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A row of an item table: what a test leaves out has a harmless value. */
export interface Row {
  readonly step_id: string;
  readonly action?: string;
  readonly prerequisites?: string;
  readonly deliverable?: string;
  readonly allowed_write_roots?: string;
  readonly requires_red_green?: string;
  readonly required_verification_commands?: string;
  readonly suggested_verification_commands?: string;
  readonly required_verification_artifacts?: string;
  readonly manual_gate?: string;
  readonly external_check?: string;
  readonly notes?: string;
}

export const PLAN_PATH = "docs/exec-plans/active/plan.md";

/** Writes a plan of form B. An item delivers `out/<id>.txt` and must have it with content, unless a row says otherwise. */
export function buildPlan(rows: readonly Row[], title = "Test plan"): string {
  const full = rows.map((row) => ({
    step_id: row.step_id,
    phase: "build",
    action: row.action ?? `Do ${row.step_id}`,
    why_now: "because",
    owner_type: "executor",
    prerequisites: row.prerequisites ?? "none",
    repo_surfaces: "README.md",
    deliverable: row.deliverable ?? `out/${row.step_id}.txt`,
    exit_criteria: "it is there",
    allowed_write_roots: row.allowed_write_roots ?? "out",
    requires_red_green: row.requires_red_green ?? "no",
    manual_gate: row.manual_gate ?? "none",
    external_check: row.external_check ?? "none",
    required_verification_commands: row.required_verification_commands ?? `test -s out/${row.step_id}.txt`,
    suggested_verification_commands: row.suggested_verification_commands ?? "",
    required_verification_artifacts: row.required_verification_artifacts ?? "",
    notes: row.notes ?? "",
  }));
  const columns = Object.keys(full[0] ?? {});
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    `# ${title}`,
    "",
    "## 2. Items",
    "",
    line(columns),
    line(columns.map(() => "---")),
    ...full.map((row) => line(Object.values(row))),
    "",
  ].join("\n");
}

/** What a test repository holds; a plan of one item and an executor that does its work, unless told. */
export interface RepositoryInput {
  readonly rows?: readonly Row[];
  /** Body of `tools/executor.sh`, run by bash in the worktree. The default writes the item's file. */
  readonly executor?: string;
  /** Bodies of the audit lanes' scripts by the lane's name, run by bash in the checkout; two that pass, unless told. */
  readonly auditors?: Readonly<Record<string, string>>;
  /** `.github/conveyor.yml`; `null` for none. The default runs `tools/executor.sh` and the auditors. */
  readonly config?: string | null;
  /** Lines added to the default configuration. */
  readonly configLines?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** One that is there already, with all its runs and what they keep: what takes a run to make is made once. */
  readonly copyOf?: TestRepository;
}

/** What a test's auditor answers; whatever is left out is as a good auditor would have it. */
export interface AuditorAnswer {
  readonly verdict?: "pass" | "issues_found" | "blocked" | "inconclusive";
  readonly findings?: readonly AnsweredFinding[];
  /** Fields of the report that are wrong on purpose. */
  readonly wrong?: Readonly<Record<string, unknown>>;
}

export interface AnsweredFinding {
  readonly id?: string;
  readonly title?: string;
  readonly severity?: "critical" | "high" | "medium" | "low" | "info";
  readonly is_blocking?: boolean;
  readonly file_paths?: readonly string[];
}

/** Bash that answers as an auditor does, from nothing but its variables: no other process is started for it. */
export function auditorScript({ verdict, findings = [], wrong = {} }: AuditorAnswer = {}): string {
  const report = {
    schema_version: "conveyor.audit_report.v1",
    lane: "@LANE@",
    item_id: "@ITEM_ID@",
    attempt: "@ATTEMPT@",
    packet_sha256: "@PACKET_SHA256@",
    nonce: "@NONCE@",
    verdict: verdict ?? (findings.length === 0 ? "pass" : "issues_found"),
    summary: "Looked at it.",
    limitations: [],
    findings: findings.map((finding, index) => ({
      id: String(index + 1),
      title: "Something is missing",
      severity: "medium",
      category: "correctness",
      confidence: "high",
      file_paths: ["out/01.txt"],
      evidence: ["line 1"],
      why_it_matters: "It does not do what it says.",
      recommended_action: "Add what is missing.",
      is_blocking: false,
      ...finding,
    })),
    ...wrong,
  };
  const text = JSON.stringify(report).replaceAll('"@ATTEMPT@"', "@ATTEMPT@").replaceAll("'", "'\\''");
  // Each variable stands outside of the single quotes, so that the shell reads nothing of the text itself.
  const filled = text.replaceAll(/@([A-Z0-9_]+)@/g, (_, name: string) => `'"$ORCH_${name}"'`);
  return `printf %s '${filled}' > "$ORCH_RESULT_PATH"\n`;
}

/** The line of the configuration that names lanes, each of which runs `tools/audit-<name>.sh`. */
export function auditLanes(
  names: readonly string[] = ["careful", "quick"],
  rest: Readonly<Record<string, string>> = {},
) {
  const lanes = names.map((name) => `{name: ${name}, use: command, command: [bash, tools/audit-${name}.sh]}`);
  const more = Object.entries(rest).map(([key, value]) => `, ${key}: ${value}`);
  return `audits: {lanes: [${lanes.join(", ")}]${more.join("")}}`;
}

/** The scripts of lanes as files of a repository. */
function auditorFiles(
  auditors: Readonly<Record<string, string>> = { careful: auditorScript(), quick: auditorScript() },
): Record<string, string> {
  return Object.fromEntries(Object.entries(auditors).map(([name, body]) => [`tools/audit-${name}.sh`, body]));
}

const DEFAULT_EXECUTOR = 'mkdir -p out && echo "$ORCH_ITEM_ID done" > "out/$ORCH_ITEM_ID.txt"\n';

const made: string[] = [];
const started = new Set<ChildProcess>();

afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Makes something once, when it is first asked for: tests that read one and the same run share it. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  const forAll = onceFor(make);
  return () => forAll("");
}

/** The same for each of several keys. */
export function onceFor<T>(make: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (key) => {
    const promise = made.get(key) ?? make(key);
    made.set(key, promise);
    return promise;
  };
}

/** A new temporary folder, removed when the test file ends. */
export function makeFolder(name = "conveyor-test-"): string {
  const folder = mkdtempSync(join(tmpdir(), name));
  made.push(folder);
  return folder;
}

/** A repository outside this one, with one commit on `main`, and a cache folder of its own. */
export class TestRepository {
  readonly base = makeFolder();
  readonly path = join(this.base, "repo");
  readonly cache = join(this.base, "cache");

  constructor(input: RepositoryInput = {}) {
    if (input.copyOf !== undefined) {
      cpSync(input.copyOf.base, this.base, { recursive: true, verbatimSymlinks: true });
      return;
    }
    mkdirSync(this.path, { recursive: true });
    this.write({
      "README.md": "# Test\n",
      [PLAN_PATH]: buildPlan(input.rows ?? [{ step_id: "01" }]),
      "tools/executor.sh": input.executor ?? DEFAULT_EXECUTOR,
      ...auditorFiles(input.auditors),
      ...(input.config === null
        ? {}
        : {
            ".github/conveyor.yml":
              input.config ??
              [
                "version: 1",
                "executor: {use: command, command: [bash, tools/executor.sh]}",
                // A test that says something of the audits says all of it.
                ...((input.configLines ?? []).some((line) => line.startsWith("audits:"))
                  ? []
                  : [auditLanes(input.auditors === undefined ? undefined : Object.keys(input.auditors))]),
                ...(input.configLines ?? []),
                "",
              ].join("\n"),
          }),
      ...input.files,
    });
    gitSteps(this.path, ["init", "--quiet", "--initial-branch=main"], ...commitSteps("start"));
  }

  git(...args: string[]): string {
    return git(this.path, ...args);
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.path, path)), { recursive: true });
      writeFileSync(join(this.path, path), text);
    }
  }

  commit(message: string): string {
    return gitSteps(this.path, ...commitSteps(message), ["rev-parse", "HEAD"]);
  }

  /** Environment of the command line: nothing of the machine's configuration reaches it. */
  env(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: this.base,
      XDG_CACHE_HOME: this.cache,
      LC_ALL: "C.UTF-8",
      GIT_CONFIG_NOSYSTEM: "1",
      // A plan without a Risk-Tier that changes more than documents is of medium risk.
      ORCH_APPROVED_MEDIUM: "1",
      ...extra,
    };
  }

  /** Runs `conveyor`, the bundled one, in the repository or in `cwd`. */
  conveyor(
    args: readonly string[],
    options: { env?: Record<string, string>; cwd?: string; nodeArgs?: readonly string[] } = {},
  ): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** Starts `conveyor` and leaves it running. */
  start(
    args: readonly string[],
    options: { env?: Record<string, string>; cwd?: string; nodeArgs?: readonly string[] } = {},
  ): { child: ChildProcess; ended: Promise<Ended> } {
    return startProcess(process.execPath, [...(options.nodeArgs ?? []), CLI, ...inTier1(args)], {
      cwd: options.cwd ?? this.path,
      env: this.env(options.env),
    });
  }

  /** `conveyor run` of the plan with `--format json`, and what it printed. */
  async run(
    args: readonly string[] = [],
    options: { env?: Record<string, string> } = {},
  ): Promise<Ended & { outcome: Outcome }> {
    const ended = await this.conveyor(["run", PLAN_PATH, "--format", "json", ...args], options);
    return { ...ended, outcome: parseOutcome(ended) };
  }

  /** `conveyor resume --format json`, and what it printed. */
  async resume(
    args: readonly string[] = [],
    options: { env?: Record<string, string> } = {},
  ): Promise<Ended & { outcome: Outcome }> {
    const ended = await this.conveyor(["resume", "--format", "json", ...args], options);
    return { ...ended, outcome: parseOutcome(ended) };
  }

  /** The folder of the only run, or of the newest. */
  runFolder(): string {
    const runs = join(this.path, ".conveyor", "runs");
    // A start that was killed before its first event leaves a folder that is no run.
    const isRun = (name: string): boolean => readFileIfAny(join(runs, name, "run-events.jsonl")).includes("\n");
    const names = existsSync(runs) ? readdirSync(runs).filter(isRun).sort() : [];
    const newest = names
      .map((name) => ({
        name,
        at: JSON.parse(readFileSync(join(runs, name, "run-events.jsonl"), "utf8").split("\n")[0] ?? "{}") as {
          at?: string;
        },
      }))
      .sort((left, right) => ((left.at.at ?? "") < (right.at.at ?? "") ? -1 : 1))
      .at(-1);
    if (newest === undefined) throw new Error("there is no run");
    return join(runs, newest.name);
  }

  /** All run folders that were made. */
  runFolders(): string[] {
    const runs = join(this.path, ".conveyor", "runs");
    return existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name)) : [];
  }

  /** The events of the newest run. */
  events(): JournalLine[] {
    return readFileSync(join(this.runFolder(), "run-events.jsonl"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as JournalLine);
  }

  /** The run report of the newest run. */
  report(): Report {
    return JSON.parse(readFileSync(join(this.runFolder(), "orchestrator_run_report.json"), "utf8")) as Report;
  }
}

function commitSteps(message: string): readonly (readonly string[])[] {
  return [
    ["add", "--all"],
    ["commit", "--quiet", "--allow-empty", "-m", message],
  ];
}

/**
 * The same tier on every machine, whatever it has installed: what a tier does is for the tests that say so. Said right
 * after the command, so that nothing a test leaves unfinished at the end can swallow it.
 */
export function inTier1(args: readonly string[]): readonly string[] {
  const [command, ...rest] = args;
  const runs = command === "run" || command === "resume";
  return runs && !rest.includes("--sandbox") ? [command, "--sandbox", "off", ...rest] : args;
}

/** Options that open all three gates. */
export const GATES_OPEN = [
  "--policy-status",
  "allow",
  "--ci-status",
  "success",
  "--review-status",
  "approved",
] as const;

export interface JournalLine {
  readonly seq: number;
  readonly at: string;
  readonly type: string;
  readonly item_id: string | null;
  readonly fence: number;
  readonly details: Record<string, unknown>;
}

export interface Outcome {
  readonly run_id: string;
  readonly run_dir: string;
  readonly terminal_state: string | null;
  readonly handoff: boolean;
  readonly exit_code: number;
  readonly blocked_reason_codes: readonly string[];
  readonly audit: AuditSummary;
  readonly items: readonly {
    id: string;
    terminal_state: string | null;
    attempts: number;
    reason_codes: readonly string[];
  }[];
  readonly branch: string;
  readonly head_sha: string;
  readonly next_actions: readonly { what: string; command: string | null }[];
}

export type Report = Omit<Outcome, "items"> & {
  readonly verdict: string;
  readonly redactions: RunReport["redactions"];
  readonly warnings: readonly string[];
  readonly audit: AuditSummary;
  readonly gate_decisions: readonly { gate: string; passed: boolean; reason_code: string | null }[];
  readonly stage_executions: readonly {
    stage: string;
    status: string;
    idempotency_key: string;
    purpose: string;
    exit_code: number | null;
    duration_ms: number;
    error: string | null;
    env_keys: readonly string[];
    missing_artifacts: readonly string[];
    malformed_artifacts: readonly string[];
    network: readonly NetworkUse[];
  }[];
  readonly sandbox: RunReport["sandbox"];
  readonly completed_stages: readonly string[];
  readonly delivered: boolean;
  readonly failure: string | null;
  readonly items: readonly {
    item_id: string;
    terminal_state: string | null;
    reason_codes: readonly string[];
    commit: string | null;
    attempts: readonly {
      ended: string | null;
      sessions: readonly { kind: string; round: number; outcome: string }[];
      candidates: readonly {
        round: number;
        violations: readonly { code: string; path: string }[];
        verification: string;
        failures: readonly string[];
      }[];
    }[];
  }[];
};

/** Options that let `bash -c SCRIPT` be the executor, so that one repository can hold many cases. */
export function withExecutor(script: string): string[] {
  return ["--executor-bin", "bash", "--executor-arg", "-c", "--executor-arg", script];
}

function readFileIfAny(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function parseOutcome(ended: Ended): Outcome {
  const [line] = ended.stdout.split("\n");
  // A refusal prints nothing on stdout; a test that reads an outcome of it fails by its missing fields.
  return (line === undefined || line === "" ? {} : JSON.parse(line)) as Outcome;
}

/**
 * Node without threads of V8's own and without its compilers: a fifth less processor time for programs that are as short
 * as those of tests, and two of them at a time have the machine for themselves.
 */
export const SHORT_LIVED = ["--single-threaded", "--no-opt", "--no-maglev", "--no-sparkplug"] as const;

/** Starts a process, with nothing inherited, that ends with the test file at the latest. */
export function startProcess(
  file: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string> },
): { child: ChildProcess; ended: Promise<Ended> } {
  const words = file === process.execPath ? [...SHORT_LIVED, ...args] : args;
  const child = spawn(file, words, { cwd: options.cwd, env: options.env, stdio: ["ignore", "pipe", "pipe"] });
  started.add(child);
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => (output.stdout += chunk.toString("utf8")));
  child.stderr?.on("data", (chunk: Buffer) => (output.stderr += chunk.toString("utf8")));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      started.delete(child);
      resolve({ code, signal, ...output });
    });
  });
  return { child, ended };
}
