import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
export const ACTION = fileURLToPath(new URL("../dist/action.js", import.meta.url));
export const PLAN = "docs/exec-plans/active/plan.md";
export const NODE = process.execPath;

/** Folders of a benchmark: made as needed, removed together at the very end, because deleting slows what follows. */
export class Ground implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "conveyor-bench-"));
  /** Repositories with one run in which all items passed, by the number of items: what took minutes is not done twice. */
  readonly finished = new Map<number, World>();
  /** True when sizes shall be small ones, for which there are no aims. */
  readonly isSmall: boolean;
  #made = 0;

  constructor(isSmall = false) {
    this.isSmall = isSmall;
  }

  /** A size, or a small one in its place. */
  size(full: number, small: number): number {
    return this.isSmall ? small : full;
  }

  /** What holds for the full size alone. */
  only<T>(aim: T): T | undefined {
    return this.isSmall ? undefined : aim;
  }

  /** A new empty folder. */
  make(name: string): string {
    this.#made += 1;
    const folder = join(this.folder, `${this.#made}-${name}`);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Says no before a disk is filled: what others have on it would fail with us. */
  requireDisk(bytes: number): void {
    const { bavail, bsize } = statfsSync(this.folder);
    if (bavail * bsize >= bytes) return;
    const [free, wanted] = [bavail * bsize, bytes].map((size) => `${Math.round(size / 2 ** 20)} MiB`);
    throw new Error(`expected ${wanted} free where ${this.folder} lies, found ${free}; set TMPDIR to another disk`);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A repository with a plan of instant items, and where its runs keep their worktrees. */
export interface World {
  readonly path: string;
  readonly itemIds: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Programs that do the least that counts: a file is written, a report says that all is well. */
const EXECUTOR = `mkdir -p out && echo "$ORCH_ITEM_ID" > "out/$ORCH_ITEM_ID.txt"\n`;
const AUDITOR = `printf '{"schema_version":"conveyor.audit_report.v1","lane":"%s","item_id":"%s","attempt":%s,"packet_sha256":"%s","nonce":"%s","verdict":"pass","summary":"Looked at it.","limitations":[],"findings":[]}' "$ORCH_LANE" "$ORCH_ITEM_ID" "$ORCH_ATTEMPT" "$ORCH_PACKET_SHA256" "$ORCH_NONCE" > "$ORCH_RESULT_PATH"\n`;
/** Without a sandbox, whatever the machine has: bare programs have none either. */
const CONFIG = `version: 1
sandbox: {level: off}
executor: {use: command, command: [/bin/sh, tools/executor.sh]}
audits: {lanes: [{name: careful, use: command, command: [/bin/sh, tools/audit.sh]}, {name: quick, use: command, command: [/bin/sh, tools/audit.sh]}]}
`;

/** Makes a repository of about `files` files with a plan of `items` items. */
export function makeWorld(ground: Ground, { items, files }: { items: number; files: number }): World {
  const path = ground.make(`repository-${items}-${files}`);
  const itemIds = Array.from({ length: items }, (_, index) => String(index + 1).padStart(3, "0"));
  const git = (...args: string[]): string => runGit(path, args);
  git("init", "--quiet", "--initial-branch=main");
  const own: Record<string, string> = {
    "README.md": "# Benchmark\n",
    [PLAN]: buildPlan(itemIds),
    "tools/executor.sh": EXECUTOR,
    "tools/audit.sh": AUDITOR,
    ".github/conveyor.yml": CONFIG,
  };
  for (let index = Object.keys(own).length; index < files; index += 1) {
    const folder = `src/part-${Math.floor(index / 1000)}/group-${Math.floor(index / 50)}`;
    own[`${folder}/file-${index}.ts`] = `export const value${index} = ${index};\n`.repeat(20);
  }
  writeFiles(path, own);
  git("add", "--all");
  git("commit", "--quiet", "--message=Base");
  return { path, itemIds, env: { XDG_CACHE_HOME: ground.make("cache") } };
}

export function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  const made = new Set<string>();
  for (const [name, text] of Object.entries(files)) {
    const target = join(root, name);
    const folder = dirname(target);
    if (!made.has(folder)) mkdirSync(folder, { recursive: true });
    made.add(folder);
    writeFileSync(target, text);
  }
}

const IDENTITY = ["-c", "user.name=Bench", "-c", "user.email=bench@example.invalid", "-c", "commit.gpgsign=false"];

export function runGit(cwd: string, args: readonly string[]): string {
  return execFileSync("git", [...IDENTITY, ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** A plan of form B in which each item delivers one file. */
export function buildPlan(itemIds: readonly string[], title = "Many small items"): string {
  const columns = [
    "step_id",
    "phase",
    "action",
    "why_now",
    "owner_type",
    "prerequisites",
    "repo_surfaces",
    "deliverable",
    "exit_criteria",
    "allowed_write_roots",
    "requires_red_green",
    "manual_gate",
    "required_verification_commands",
  ];
  const rows = itemIds.map((id) => [
    id,
    "build",
    `Write file ${id}`,
    "it is missing",
    "executor",
    "none",
    "README.md",
    `out/${id}.txt`,
    "it is there",
    "out",
    "no",
    "none",
    `test -s out/${id}.txt`,
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const table = [columns, columns.map(() => "---"), ...rows].map(line);
  return [`# ${title}`, "", "## Metadata", "", "- Risk-Tier: low", "", "## 2. Items", "", ...table, ""].join("\n");
}
