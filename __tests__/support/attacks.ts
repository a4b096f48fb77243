import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import {
  GATES_OPEN,
  makeFolder,
  PLAN_PATH,
  TestRepository,
  withExecutor,
  type Ended,
  type JournalLine,
  type Outcome,
  type RepositoryInput,
} from "./conveyor.ts";
import { git } from "./git-run.ts";

/** Does what item 01 asks for, so that an attack beside it is the only reason to refuse. */
export const WORK = "mkdir -p out && echo done > out/01.txt";

/** No second chance: a refused attempt ends the item, which keeps a test at one session. */
export const ONE_ROUND = "limits: {fix-rounds: 0, remediation-rounds: 0}";

/** Options of a run whose plan may write everywhere: an approved one, so that what is refused is refused all the same. */
export const APPROVED = { ORCH_APPROVED_HIGH: "1" };

/** How a run ended under attack, with what the tests of attacks look at. */
export interface Attacked extends Ended {
  readonly outcome: Outcome;
  readonly events: readonly JournalLine[];
  /** `kind: detail` of every tampering that was found, in all programs. */
  readonly tamper: readonly string[];
  /** Codes and paths of what scope refused. */
  readonly violations: readonly (readonly [code: string, path: string])[];
}

interface AttackOptions {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  /** Values for the executor's environment. */
  readonly given?: Readonly<Record<string, string>>;
}

/** A repository that programs attack. A marker is a file that exists only when something was executed that must not be. */
export class AttackedRepository extends TestRepository {
  readonly marks = makeFolder("conveyor-marks-");

  constructor(input: RepositoryInput = {}) {
    super({ ...input, configLines: input.configLines ?? [ONE_ROUND] });
  }

  /** A shell command that leaves a marker. */
  mark(name: string): string {
    return `touch ${join(this.marks, name)}`;
  }

  /** Runs the plan with an executor of bash, all gates open, and looks at nothing yet. */
  async attack(script: string, options: AttackOptions = {}): Promise<Attacked> {
    return this.attackWith([...withExecutor(script)], options);
  }

  /** Runs the plan with the configured executor, all gates open. */
  async attackWith(args: readonly string[] = [], { args: more = [], env = {}, given = {} }: AttackOptions = {}) {
    const handed = Object.entries({ MARKS: this.marks, USER_REPOSITORY: this.path, ...given }).flatMap(
      ([name, value]) => ["--executor-env", `${name}=${value}`],
    );
    const ended = await this.run([...GATES_OPEN, ...handed, ...args, ...more], { env });
    const events = ended.outcome.run_id === undefined ? [] : this.events();
    return { ...ended, events, tamper: listTamper(events), violations: listViolations(events) };
  }

  /** Nothing that an attack planted was executed, by git or by anything else. */
  expectNoMarks(): void {
    expect(readdirSync(this.marks)).toEqual([]);
  }

  /**
   * The oracle of every attack: while `act` runs, the person's repository stays byte for byte as it is (refs, HEAD,
   * index, configuration, hooks, files and their modes), and nothing planted is executed. What a run writes there by
   * design is its own folder, the ref that holds its base, and, when it delivers, one branch: `delivers` allows that.
   */
  async untouched<T>(act: () => Promise<T>, { delivers = false }: { delivers?: boolean } = {}): Promise<T> {
    const before = this.#look(delivers);
    const result = await act();
    expect(this.#look(delivers)).toEqual(before);
    this.expectNoMarks();
    return result;
  }

  #look(delivers: boolean): Record<string, string> {
    const own = [".conveyor", ".git/refs/conveyor", ".git/logs/refs/conveyor"];
    // A delivery copies objects and makes one branch; every other ref is still compared.
    const delivered = [".git/objects", ".git/refs/heads/conveyor", ".git/logs/refs/heads/conveyor"];
    const files = lookAt(this.path, new Set(delivers ? [...own, ...delivered] : own));
    return { ...files, status: git(this.path, "--no-optional-locks", "status", "--porcelain=v1") };
  }
}

/** What every refused attack comes to: its exit code and reasons, no commit on any branch, nothing delivered. */
export function expectRefused(
  repository: AttackedRepository,
  attacked: Attacked,
  codes: readonly string[],
  { exit = 1, state = "failed" }: { exit?: number; state?: string } = {},
): void {
  expect({ exit: attacked.code, codes: attacked.outcome.blocked_reason_codes }, attacked.stderr).toEqual({
    exit,
    codes: exit === 1 ? ["ITEM_ESCALATED", ...codes] : codes,
  });
  expect(attacked.outcome).toMatchObject({ terminal_state: state, head_sha: repository.git("rev-parse", "main") });
  expect(attacked.outcome.items.filter((item) => item.terminal_state === "passed")).toEqual([]);
  expect(attacked.events.map(({ type }) => type)).not.toContain("item_commit_prepared");
  expect(repository.report().delivered).toBe(false);
  expect(repository.git("for-each-ref", "refs/heads/conveyor")).toBe("");
}

/** One attack from its first step to the oracle. */
export async function expectAttackRefused(
  repository: AttackedRepository,
  script: string,
  codes: readonly string[],
  options: AttackOptions = {},
): Promise<Attacked> {
  const attacked = await repository.untouched(() => repository.attack(`${WORK}\n${script}`, options));
  expectRefused(repository, attacked, codes);
  return attacked;
}

/** Scope refused the candidate for good: the codes that such a run ends with. */
export function refusedByScope(...codes: readonly string[]): string[] {
  return ["FIX_BUDGET_EXHAUSTED", ...codes];
}

/** The plan of these tests, as it was committed. */
export function readPlan(repository: TestRepository): string {
  return readFileSync(join(repository.path, PLAN_PATH), "utf8");
}

/** True when no file of a folder, but for a git dir, holds these bytes. */
export function isNowhere(bytes: string, folder: string): boolean {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.includes(".git/")) continue;
    if (readFileSync(path).includes(bytes)) return false;
  }
  return true;
}

function listTamper(events: readonly JournalLine[]): string[] {
  return events.flatMap(({ details }) =>
    ((details["tamper"] ?? []) as { kind: string; detail: string }[]).map(({ kind, detail }) => `${kind}: ${detail}`),
  );
}

function listViolations(events: readonly JournalLine[]): (readonly [string, string])[] {
  return events.flatMap(({ details }) =>
    ((details["violations"] ?? []) as { code: string; path: string }[]).map(({ code, path }) => [code, path] as const),
  );
}

/** Mode and content of everything below a folder, links as what they are. */
function lookAt(root: string, leaveOut: ReadonlySet<string>, folder = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(root, folder)).sort()) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (leaveOut.has(path)) continue;
    const stat = lstatSync(join(root, path));
    const mode = stat.mode.toString(8);
    if (stat.isDirectory()) Object.assign(found, { [path]: mode }, lookAt(root, leaveOut, path));
    else if (stat.isSymbolicLink()) found[path] = `${mode} ${readlinkSync(join(root, path))}`;
    else
      found[path] = `${mode} ${createHash("sha256")
        .update(readFileSync(join(root, path)))
        .digest("hex")}`;
  }
  return found;
}
