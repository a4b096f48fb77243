import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { GATES_OPEN, startProcess, TestRepository, type JournalLine } from "../support/conveyor.ts";
import { git } from "../support/git-run.ts";
import { buildLiveLock } from "../support/live-lock.ts";
import { makeAudited } from "../support/two-lanes.ts";

/** A run whose first item has passed and whose second waits for a person: sealed, and with worktrees of both. */
const template = makeAudited({
  rows: [{ step_id: "01" }, { step_id: "02", manual_gate: "signoff" }],
  // Doctor would try at every call what the machine has for one.
  configLines: ["sandbox: {level: off}"],
});

beforeAll(async () => {
  expect((await template.run(GATES_OPEN)).code).toBe(3);
  expect((await template.conveyor(["verify"])).code).toBe(0);
}, 60_000);

interface Broken {
  readonly repository: TestRepository;
  readonly folder: string;
  readonly runId: string;
}

/** A copy of the template with a cache of its own. */
function copyTemplate(): Broken {
  const repository = new TestRepository({ copyOf: template });
  const folder = repository.runFolder();
  return { repository, folder, runId: basename(folder) };
}

interface Answer {
  readonly healthy: boolean;
  readonly repaired: readonly Finding[];
  readonly findings: readonly Finding[];
}
interface Finding {
  readonly area: string;
  readonly level: string;
  readonly code: string | null;
  readonly message: string;
  readonly repair: string;
  readonly act: string | null;
}

/** What doctor says of the run; worktrees of the first item can always go, and are left out. */
async function examine({ repository }: Broken, ...args: string[]): Promise<Answer & { code: number | null }> {
  const ended = await repository.conveyor(["doctor", "--format", "json", ...args]);
  const answer = JSON.parse(ended.stdout) as Answer;
  const about = (findings: readonly Finding[]): Finding[] =>
    findings.filter(({ area, act }) => area === "run" && act !== "worktrees");
  return { ...answer, repaired: about(answer.repaired), findings: about(answer.findings), code: ended.code };
}

/** Digest of every file of a folder, by path. */
function readTree(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const digest = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
  return Object.fromEntries(
    files.map((entry) => join(entry.parentPath, entry.name)).map((path) => [path.slice(root.length), digest(path)]),
  );
}

const JOURNAL = "run-events.jsonl";
const CHECKPOINT = "orchestrator_checkpoint.json";

function readLines(folder: string): string[] {
  return readFileSync(join(folder, JOURNAL), "utf8").split("\n").slice(0, -1);
}

function keepLines(folder: string, count: number): void {
  const lines = readLines(folder).slice(0, count);
  writeFileSync(join(folder, JOURNAL), lines.map((line) => `${line}\n`).join(""));
}

function pinOf({ repository, runId }: Broken): string {
  return repository.git("for-each-ref", "--format=%(objectname)", `refs/conveyor/base/${runId}`);
}

interface SafeCase {
  readonly name: string;
  /** The findings that must be there, by their repair. */
  readonly acts: readonly string[];
  readonly says: string;
  /** Once repaired, the run folder is what it was before the harm, to the byte. */
  readonly traceless?: true;
  readonly harm: (run: Broken) => void;
  readonly mended?: (run: Broken) => void;
}

const SAFE: readonly SafeCase[] = [
  {
    name: "a checkpoint that is missing is made again",
    acts: ["checkpoint"],
    says: "the checkpoint was missing",
    traceless: true,
    harm: ({ folder }) => rmSync(join(folder, CHECKPOINT)),
  },
  {
    name: "a checkpoint that cannot be read is made again",
    acts: ["checkpoint"],
    says: "could not be read",
    traceless: true,
    harm: ({ folder }) => writeFileSync(join(folder, CHECKPOINT), '{"schema_ver'),
  },
  {
    name: "a checkpoint that is older than the journal is made again",
    acts: ["checkpoint"],
    says: "was older than the journal (event 20 of",
    traceless: true,
    harm: ({ folder }) => {
      const { prev } = JSON.parse(readLines(folder)[20] ?? "{}") as { prev: string };
      const older = readFileSync(join(folder, CHECKPOINT), "utf8")
        .replace(/"journal_head":"[^"]+"/, `"journal_head":"${prev}"`)
        .replace(/"journal_seq":\d+/, '"journal_seq":20');
      writeFileSync(join(folder, CHECKPOINT), older);
    },
  },
  {
    name: "a torn last line is cut off, and its bytes are kept and named",
    acts: ["torn_tail"],
    says: "9 bytes of a torn last line",
    harm: ({ folder }) => appendFileSync(join(folder, JOURNAL), '{"at":"20'),
    mended: ({ folder, repository }) => {
      const [path] = setAside(repository, "torn_tail");
      expect(readFileSync(join(folder, path ?? ""), "utf8")).toBe('{"at":"20');
    },
  },
  {
    name: "a file that no event names is set aside and named",
    acts: ["leftover_files"],
    says: "items/01/attempt-1/stray.txt",
    harm: ({ folder }) => writeFileSync(join(folder, "items/01/attempt-1/stray.txt"), "what a killed process wrote"),
    mended: ({ folder, repository }) => {
      const [path] = setAside(repository, "leftover");
      expect(path).toMatch(/^leftovers\/\d+\/items\/01\/attempt-1\/stray\.txt$/);
      expect(readFileSync(join(folder, path ?? ""), "utf8")).toBe("what a killed process wrote");
      expect(existsSync(join(folder, "items/01/attempt-1/stray.txt"))).toBe(false);
    },
  },
  {
    name: "a file that was being written is removed",
    acts: ["temporary_files"],
    says: "items/01/report.json.writing",
    traceless: true,
    harm: ({ folder }) => writeFileSync(join(folder, "items/01/report.json.writing"), "ha"),
    mended: ({ folder }) => expect(existsSync(join(folder, "items/01/report.json.writing"))).toBe(false),
  },
  {
    name: "a pin of the base commit that is missing is made again",
    acts: ["base_pin"],
    says: "is missing",
    traceless: true,
    harm: ({ repository, runId }) => void repository.git("update-ref", "-d", `refs/conveyor/base/${runId}`),
    mended: (run) => expect(pinOf(run)).toBe(run.repository.git("rev-parse", "main")),
  },
  {
    name: "a sealing that was interrupted is finished",
    acts: ["checkpoint", "sealing"],
    says: "its reports were not written",
    harm: ({ folder }) => {
      keepLines(folder, readLines(folder).length - 1);
      for (const path of [CHECKPOINT, "report.md"]) rmSync(join(folder, path), { force: true });
    },
    mended: ({ folder }) => {
      expect(readFileSync(join(folder, "report.md"))).toEqual(readFileSync(join(template.runFolder(), "report.md")));
    },
  },
];

function setAside(repository: TestRepository, reason: string): string[] {
  const events = repository
    .events()
    .filter((event: JournalLine) => event.type === "files_set_aside" && event.details["reason"] === reason);
  return events.flatMap(({ details }) => (details["files"] as { path: string }[]).map(({ path }) => path));
}

/** Harms of one and the same file, of which a run can have but one. */
const EXCLUSIVE = /older|cannot be read/;

function expectTold(findings: readonly Finding[], acts: readonly string[], ...says: readonly string[]): void {
  expect(findings.map(({ act }) => act)).toEqual(acts);
  for (const said of says) expect(findings.map(({ message }) => message).join("\n")).toContain(said);
  expect(findings.every(({ level, repair }) => level === "warning" && repair === "safe")).toBe(true);
}

/** What every repair leaves behind it: its lock, where the user's objects lie, and no worktree of an item that passed. */
const LEFT_BY_ANY = /^\/(lock\.\d+|repo\.git\/(worktrees\/.*|objects\/info\/alternates))$/;

/** Digest of every file of a run folder that a repair without effect leaves as it was. */
function readRecords(folder: string): Record<string, string> {
  return Object.fromEntries(Object.entries(readTree(folder)).filter(([path]) => !LEFT_BY_ANY.test(path)));
}

describe("what is safe", () => {
  test.each(SAFE)("$name", async ({ harm, acts, says, traceless, mended }) => {
    const run = copyTemplate();
    harm(run);
    const fixed = await examine(run, "--fix-safe");
    expect([fixed.code, fixed.healthy]).toEqual([0, true]);
    expectTold(fixed.repaired, acts, says);
    expect(fixed.findings).toEqual([
      expect.objectContaining({ level: "ok", repair: "none", message: expect.stringContaining("is sealed") as string }),
    ]);
    mended?.(run);
    // What is the template again, to the byte, needs no judgment of its own.
    if (traceless) expect(readRecords(run.folder)).toEqual(readRecords(template.runFolder()));
    else expect((await run.repository.conveyor(["verify"])).code).toBe(0);
  });

  // The others are told together, where a run with all of them goes on to its end.
  test.each(SAFE.filter(({ name }) => EXCLUSIVE.test(name)))(
    "$name, but not before that is asked for",
    async ({ harm, acts, says }) => {
      const run = copyTemplate();
      harm(run);
      const before = readTree(run.folder);
      const { findings } = await examine(run);
      expectTold(
        findings.filter(({ repair }) => repair === "safe"),
        acts,
        says,
      );
      expect(readTree(run.folder)).toEqual(before);
    },
  );

  test("worktrees of an item that has passed are removed, those of one that waits are kept", async () => {
    const run = copyTemplate();
    const worktrees = join(run.repository.cache, "conveyor", run.runId, "worktrees");
    const metadata = join(run.folder, "repo.git/worktrees");
    const of = (names: readonly string[], item: string): string[] =>
      names.filter((name) => name.startsWith(`${item}-`));
    const waiting = of(readdirSync(worktrees), "02");
    // Git knows no more of what was verified and audited there; the folders are for people.
    const known = of(readdirSync(metadata), "02");
    expect(known).toEqual(["02-1-work"]);
    expect([of(readdirSync(worktrees), "01").length, waiting.length].every((count) => count > 0)).toBe(true);
    const ended = await run.repository.conveyor(["doctor", "--fix-safe"]);
    expect(ended.stdout).toMatch(/^fixed {3}run: worktrees: .*01-1-work/m);
    expect([of(readdirSync(worktrees), "01"), of(readdirSync(metadata), "01")]).toEqual([[], []]);
    expect([of(readdirSync(worktrees), "02"), of(readdirSync(metadata), "02")]).toEqual([waiting, known]);
    expect((await run.repository.conveyor(["doctor"])).stdout).not.toContain("safe to repair");
  });

  test("a program that a killed orchestrator left running is ended", async () => {
    const run = copyTemplate();
    const home = join(run.repository.cache, "conveyor", run.runId, "homes", "left");
    mkdirSync(home, { recursive: true });
    const env = { PATH: process.env["PATH"] ?? "", HOME: home };
    const left = startProcess("sleep", ["600"], { cwd: run.repository.base, env });
    const found = await examine(run);
    expect(found.findings).toContainEqual(
      expect.objectContaining({ act: "processes", message: expect.stringContaining("1 program of it") as string }),
    );
    expect(left.child.exitCode).toBe(null);
    expect((await examine(run, "--fix-safe")).repaired.map(({ act }) => act)).toEqual(["processes"]);
    expect((await left.ended).signal).toBe("SIGKILL");
  });

  test("a run that was cut short is put in order without going on with it; a resume then does", async () => {
    const run = copyTemplate();
    const lines = readLines(run.folder).map((line) => JSON.parse(line) as JournalLine);
    const cut = lines.findIndex((line) => line.type === "session_started" && line.item_id === "02") + 1;
    keepLines(run.folder, cut);
    rmSync(join(run.folder, CHECKPOINT));
    appendFileSync(join(run.folder, JOURNAL), "torn");
    const fixed = await examine(run, "--fix-safe");
    expect(new Set(fixed.repaired.map(({ act }) => act))).toEqual(
      new Set(["checkpoint", "leftover_files", "torn_tail"]),
    );
    expect(fixed.findings.map(({ level, message }) => [level, message])).toEqual([
      ["warning", `${run.runId} was cut short: conveyor resume goes on with it`],
    ]);
    expect(readLines(run.folder)).toHaveLength(cut + 2);
    const resumed = await run.repository.resume(GATES_OPEN);
    expect([resumed.code, resumed.outcome.items[1]?.terminal_state]).toEqual([3, "awaiting_human_gate"]);
    expect((await run.repository.conveyor(["verify"])).code).toBe(0);
  });

  test("a run that was repaired goes on to its end", async () => {
    const run = copyTemplate();
    // The torn line comes last: a line that is cut off takes what follows it along.
    const harms = SAFE.filter(({ name }) => !EXCLUSIVE.test(name));
    const isTorn = ({ name }: SafeCase): boolean => name.includes("torn");
    for (const { harm } of [...harms.filter((safe) => !isTorn(safe)), ...harms.filter(isTorn)]) harm(run);
    const before = [readTree(run.folder), pinOf(run)];
    const { findings } = await examine(run);
    const safe = findings.filter(({ repair }) => repair === "safe");
    expect(new Set(safe.map(({ act }) => act))).toEqual(new Set(harms.flatMap(({ acts }) => acts)));
    expectTold(
      safe,
      safe.map(({ act }) => act ?? "none"),
      ...harms.map(({ says }) => says),
    );
    expect([readTree(run.folder), pinOf(run)]).toEqual(before);
    const fixed = await examine(run, "--fix-safe");
    expect([fixed.healthy, fixed.repaired]).toEqual([true, safe]);
    const mended = readTree(run.folder);
    expect((await examine(run, "--fix-safe")).repaired).toEqual([]);
    expect(readTree(run.folder)).toEqual(mended);
    const gate = ["gate", "approve", run.runId, "02", "--by", "Ada", "--note", "read it"];
    expect((await run.repository.conveyor(gate)).code).toBe(0);
    expect((await run.repository.resume(GATES_OPEN)).outcome.terminal_state).toBe("done");
    expect((await run.repository.conveyor(["verify"])).code).toBe(0);
  });
});

/** The commit of the item that passed, as the private repository stores it. */
function findObject(folder: string): string {
  const head = git(
    folder,
    `--git-dir=${join(folder, "repo.git")}`,
    "for-each-ref",
    "--format=%(objectname)",
    "refs/heads/conveyor",
  );
  return join(folder, "repo.git/objects", head.slice(0, 2), head.slice(2));
}

describe("what is not safe is named, and then nothing at all is repaired", () => {
  const cases: { name: string; code: string | null; says: string; harm: (run: Broken) => void }[] = [
    {
      name: "a file that was changed",
      code: "ARTIFACT_TAMPERED",
      says: "plan.md: is not what the journal names",
      harm: ({ folder }) => appendFileSync(join(folder, "plan.md"), "more"),
    },
    {
      name: "a file that is gone",
      code: "ARTIFACT_TAMPERED",
      says: "items/01/attempt-1/prepared-paths.json: is missing",
      harm: ({ folder }) => rmSync(join(folder, "items/01/attempt-1/prepared-paths.json")),
    },
    {
      name: "a report that says something else",
      code: "ARTIFACT_TAMPERED",
      says: "report.md: is not what the journal names",
      harm: ({ folder }) => appendFileSync(join(folder, "report.md"), "all is well"),
    },
    {
      name: "a link that no event names",
      code: "ARTIFACT_TAMPERED",
      says: "items/link: stands in the run folder",
      harm: ({ folder }) => symlinkSync("/etc/hostname", join(folder, "items/link")),
    },
    {
      name: "a run branch that names another commit",
      code: "GIT_TAMPERED",
      says: "the journal says",
      harm: ({ folder, repository }) => {
        const gitDir = join(folder, "repo.git");
        const ref = git(folder, `--git-dir=${gitDir}`, "for-each-ref", "--format=%(refname)", "refs/heads/conveyor");
        git(folder, `--git-dir=${gitDir}`, "update-ref", ref, repository.git("rev-parse", "main"));
      },
    },
    {
      name: "an object that was forged",
      code: "GIT_TAMPERED",
      says: "its bytes are not those its name promises",
      harm: ({ folder }) => {
        const path = findObject(folder);
        chmodSync(path, 0o600);
        writeFileSync(path, "forged");
      },
    },
    {
      name: "a journal with a line that was changed",
      code: "JOURNAL_CORRUPT",
      says: "run-events.jsonl: line 2",
      harm: ({ folder }) => {
        const path = join(folder, JOURNAL);
        const text = readFileSync(path, "utf8").split("\n");
        writeFileSync(path, text.map((line, index) => (index === 1 ? "{}" : line)).join("\n"));
      },
    },
    {
      name: "a checkpoint that is ahead of the journal",
      code: "CHECKPOINT_CORRUPT",
      says: "it is at event 999",
      harm: ({ folder }) => {
        const path = join(folder, CHECKPOINT);
        writeFileSync(path, readFileSync(path, "utf8").replace(/"journal_seq":\d+/, '"journal_seq":999'));
      },
    },
    {
      name: "a pin that names another commit",
      code: null,
      says: "names",
      harm: ({ repository, runId }) => {
        const other = repository.git("commit-tree", "-m", "other", "main^{tree}");
        repository.git("update-ref", `refs/conveyor/base/${runId}`, other);
      },
    },
  ];
  test.each(cases)("$name", async ({ harm, code, says }) => {
    const run = copyTemplate();
    // Something that would be safe by itself: repairing it would cover the traces.
    writeFileSync(join(run.folder, "items/01/stray.txt"), "stray");
    harm(run);
    const [before, pin] = [readTree(run.folder), pinOf(run)];
    const fixed = await examine(run, "--fix-safe");
    expect([fixed.code, fixed.healthy, fixed.repaired]).toEqual([1, false, []]);
    const unsafe = fixed.findings.filter(({ repair }) => repair === "unsafe");
    expect(unsafe).toContainEqual(
      expect.objectContaining({ level: "error", code, message: expect.stringContaining(says) as string }),
    );
    expect([readTree(run.folder), pinOf(run)]).toEqual([before, pin]);
  });

  test.each([
    ["of a live process", buildLiveLock(), `process ${process.pid}`],
    ["that nobody can read", "garbage", "lock.9, which cannot be read"],
  ])("a lock %s: exit 73 with its holder", async (_, lock, holder) => {
    const run = copyTemplate();
    rmSync(join(run.folder, CHECKPOINT));
    writeFileSync(join(run.folder, "lock.9"), lock);
    const before = readTree(run.folder);
    const ended = await run.repository.conveyor(["doctor", "--fix-safe"]);
    expect([ended.code, ended.stdout]).toEqual([73, ""]);
    expect(ended.stderr).toContain("LOCKED");
    expect(ended.stderr).toContain(holder);
    expect(readTree(run.folder)).toEqual(before);
  });
});
