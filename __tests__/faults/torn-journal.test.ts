import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parseJournal } from "../../src/domain/journal-text.ts";
import { PLAN_PATH, type Ended } from "../support/conveyor.ts";
import { CAMPAIGN_MS, forAll, isLong, LedgerRepository, readUndisturbedEnd, type RunEnd } from "../support/faults.ts";

const JOURNAL = "run-events.jsonl";
const CHECKPOINT = "orchestrator_checkpoint.json";

/** A run that waits at its gates: whole, and still with something to do. */
const make = () => new LedgerRepository({ rows: [{ step_id: "01", action: "Größe ändern – ✓" }] });
let end: RunEnd;
const template = make();

beforeAll(async () => {
  ({ end } = await readUndisturbedEnd(make));
  expect((await template.conveyor(["run", PLAN_PATH, ...template.options([])])).code).toBe(3);
});

/** A repository of its own with the template's run, which refers to nothing outside but its caches. */
function copyTemplate(): { repository: LedgerRepository; folder: string; journal: Buffer } {
  const repository = new LedgerRepository({ rows: [{ step_id: "99" }] });
  rmSync(repository.path, { recursive: true });
  cpSync(template.path, repository.path, { recursive: true, verbatimSymlinks: true });
  const folder = repository.runFolder();
  return { repository, folder, journal: readFileSync(join(folder, JOURNAL)) };
}

function resume(repository: LedgerRepository): Promise<Ended> {
  return repository.conveyor(["resume", ...repository.options()]);
}

/** What was set aside in the run folder. */
function readTorn(folder: string): Buffer[] {
  const leftovers = join(folder, "leftovers");
  if (!existsSync(leftovers)) return [];
  return readdirSync(leftovers)
    .filter((name) => name.startsWith("torn-"))
    .map((name) => readFileSync(join(leftovers, name)));
}

/** The line that is being written when the process dies, cut at any byte: kept aside, said, and the run goes on. */
async function expectSetAside(tail: Buffer, name: string, keepLines?: number): Promise<void> {
  const { repository, folder, journal } = copyTemplate();
  const lines = journal
    .toString("utf8")
    .split("\n")
    .slice(0, keepLines ?? -1);
  const valid = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  // The checkpoint of the template knows events that are cut off here; a killed process would have left an older one.
  if (keepLines !== undefined) rmSync(join(folder, CHECKPOINT));
  writeFileSync(join(folder, JOURNAL), Buffer.concat([valid, tail]));
  const ended = await resume(repository);
  expect(ended.code, `${name}: ${ended.stderr}`).toBe(0);
  expect(ended.stderr, name).toContain(`${tail.length} bytes of a torn last journal line were set aside`);
  expect(readTorn(folder), name).toEqual([tail]);
  expect({ ...(await repository.readEnd()), runTwice: [] }, name).toEqual(end);
  repository.remove();
}

test(
  "the last two lines cut at every byte: the whole journal is read or what is torn is known",
  { timeout: CAMPAIGN_MS },
  async () => {
    const { journal } = copyTemplate();
    const lines = journal.toString("utf8").split("\n").slice(0, -1);
    const start = Buffer.byteLength(
      lines
        .slice(0, -2)
        .map((line) => `${line}\n`)
        .join(""),
    );
    const ends = new Set(
      lines.map((_, index) =>
        Buffer.byteLength(
          lines
            .slice(0, index + 1)
            .map((line) => `${line}\n`)
            .join(""),
        ),
      ),
    );
    for (let length = start; length < journal.length; length += 1) {
      const read = parseJournal(journal.subarray(0, length));
      expect(read.ok).toBe(true);
      if (read.ok) expect(read.value.tornBytes === 0).toBe(ends.has(length));
      if (read.ok) expect(read.value.validBytes + read.value.tornBytes).toBe(length);
    }
  },
);

test(
  "a line that was being written is set aside, wherever it was cut, and the run goes on",
  { timeout: CAMPAIGN_MS },
  async () => {
    const { journal } = copyTemplate();
    const lines = journal.toString("utf8").split("\n").slice(0, -1);
    const cuts = [
      ...[lines.length - 1, lines.length - 2].flatMap((line) => [1, 60, 0.5, -1].map((at) => ({ line, at }))),
      // Further back, but after the run branch moved for the last time: before that it would know better.
      { line: lines.findIndex((line) => line.includes('"type":"delivery_started"')), at: 0.7 },
      { line: lines.findIndex((line) => line.includes('"type":"delivery_finished"')), at: -1 },
    ];
    const all = isLong
      ? [lines.length - 1, lines.length - 2].flatMap((line) =>
          Array.from({ length: Buffer.byteLength(lines[line] ?? "") - 1 }, (_, at) => ({ line, at: at + 1 })),
        )
      : cuts;
    await forAll(all, async ({ line, at }) => {
      const bytes = Buffer.from(lines[line] ?? "");
      const length = at < 0 ? bytes.length : at < 1 ? Math.floor(bytes.length * at) : at;
      await expectSetAside(bytes.subarray(0, length), `line ${line + 1} cut at ${length}`, line);
    });
  },
);

test("a journal cut back to before its item passed is refused: the run branch knows better", async () => {
  const { repository, folder, journal } = copyTemplate();
  const lines = journal.toString("utf8").split("\n");
  writeFileSync(join(folder, JOURNAL), `${lines.slice(0, 12).join("\n")}\n`);
  rmSync(join(folder, CHECKPOINT));
  const ended = await resume(repository);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain("GIT_TAMPERED repo.git refs/heads/");
  repository.remove();
});

describe("a tail without newline that no process of ours wrote is set aside too", () => {
  test.each([
    { name: "a block of NUL", tail: Buffer.alloc(4096) },
    { name: "garbage", tail: Buffer.from([0xff, 0xfe, 0x01, 0x7b, 0x7d]) },
    { name: "half a character", tail: Buffer.from('{"at":"Größe').subarray(0, 10) },
    { name: "a whole event that lacks its newline", tail: Buffer.from('{"seq":99}') },
  ])("$name", ({ name, tail }) => expectSetAside(tail, name));
});

describe("anything else wrong is refused, and nothing is changed", () => {
  const lineOf = (text: string, line: number): string => text.split("\n")[line] ?? "";
  const cases: { name: string; change: (text: string) => string | Buffer; code: string; where?: string }[] = [
    { name: "garbage with a newline", change: (text) => `${text}garbage\n`, code: "JOURNAL_CORRUPT" },
    {
      name: "a block of NUL with a newline",
      change: (text) => `${text}${"\0".repeat(4096)}\n`,
      code: "JOURNAL_CORRUPT",
    },
    {
      name: "bytes that are no UTF-8, with a newline",
      change: (text) => Buffer.concat([Buffer.from(text), Buffer.from([0xc3, 0x0a])]),
      code: "JOURNAL_CORRUPT",
    },
    { name: "an empty line", change: (text) => `${text}\n`, code: "JOURNAL_CORRUPT" },
    {
      name: "a block of NUL in the middle",
      change: (text) => text.replace(lineOf(text, 10), "\0".repeat(512)),
      code: "JOURNAL_CORRUPT",
      where: "line 11",
    },
    {
      name: "a line that is missing",
      change: (text) => text.replace(`${lineOf(text, 5)}\n`, ""),
      code: "JOURNAL_CORRUPT",
      where: "line 6",
    },
    {
      name: "a line twice",
      change: (text) => text.replace(`${lineOf(text, 5)}\n`, `${lineOf(text, 5)}\n`.repeat(2)),
      code: "JOURNAL_CORRUPT",
      where: "line 7",
    },
    {
      name: "a line in other spelling",
      change: (text) => text.replace(lineOf(text, 24), lineOf(text, 24).replace('":', '": ')),
      code: "JOURNAL_CORRUPT",
      where: "line 25",
    },
    { name: "CRLF", change: (text) => text.replaceAll("\n", "\r\n"), code: "JOURNAL_CORRUPT", where: "line 1" },
    { name: "no journal", change: () => "", code: "JOURNAL_CORRUPT" },
    {
      name: "the last line cut off at its start, checkpoint ahead",
      change: (text) => text.slice(0, text.slice(0, -1).lastIndexOf("\n") + 1),
      code: "CHECKPOINT_CORRUPT",
    },
    { name: "the last line torn, checkpoint ahead", change: (text) => text.slice(0, -20), code: "CHECKPOINT_CORRUPT" },
  ];
  test.each(cases)("$name", async ({ change, code, where }) => {
    const { repository, folder, journal } = copyTemplate();
    const changed = change(journal.toString("utf8"));
    writeFileSync(join(folder, JOURNAL), changed);
    const ended = await resume(repository);
    expect(ended.code, ended.stderr).toBe(1);
    expect(ended.stderr).toContain(code);
    if (where !== undefined) expect(ended.stderr).toContain(`${JOURNAL}: ${where}`);
    expect(readFileSync(join(folder, JOURNAL))).toEqual(Buffer.from(changed));
    repository.remove();
  });
});

describe("the checkpoint is a cache", () => {
  test.each([
    { name: "missing", change: () => undefined, warning: "the checkpoint was missing" },
    { name: "unreadable", change: (text: string) => text.slice(0, 100), warning: "the checkpoint could not be read" },
    { name: "empty", change: () => "", warning: "the checkpoint could not be read" },
    {
      name: "older",
      change: (text: string, lines: readonly string[]) => {
        const older = JSON.parse(lines[20] ?? "{}") as { prev: string };
        return text
          .replace(/"journal_head":"[^"]+"/, `"journal_head":"${older.prev}"`)
          .replace(/"journal_seq":\d+/, '"journal_seq":20');
      },
      warning: "the checkpoint was older than the journal (event 20 of",
    },
  ])("$name: rebuilt, with a warning that the report repeats", async ({ change, warning }) => {
    const { repository, folder, journal } = copyTemplate();
    const path = join(folder, CHECKPOINT);
    const changed = change(readFileSync(path, "utf8"), journal.toString("utf8").split("\n"));
    if (changed === undefined) rmSync(path);
    else writeFileSync(path, changed);
    const ended = await resume(repository);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain(warning);
    expect(readFileSync(join(folder, "orchestrator_run_report.json"), "utf8")).toContain(warning);
    expect({ ...(await repository.readEnd()), runTwice: [] }).toEqual(end);
    repository.remove();
  });

  test.each([
    { name: "ahead", change: (text: string) => text.replace(/"journal_seq":\d+/, '"journal_seq":999') },
    {
      name: "different at the same event",
      change: (text: string) => text.replace('"terminal_state":"blocked"', '"terminal_state":"done"'),
    },
    {
      name: "older, of another journal",
      change: (text: string) => text.replace(/"journal_seq":\d+/, '"journal_seq":20'),
    },
  ])("$name: CHECKPOINT_CORRUPT, and nothing is changed", async ({ change }) => {
    const { repository, folder, journal } = copyTemplate();
    const path = join(folder, CHECKPOINT);
    writeFileSync(path, change(readFileSync(path, "utf8")));
    const ended = await resume(repository);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(`CHECKPOINT_CORRUPT ${CHECKPOINT}`);
    expect(readFileSync(join(folder, JOURNAL))).toEqual(journal);
    repository.remove();
  });
});

test.each([
  { name: "changed", change: (path: string) => writeFileSync(path, "other"), message: "is not what the journal names" },
  { name: "missing", change: (path: string) => rmSync(path), message: "is missing" },
])(
  "a file that the journal names is $name: ARTIFACT_TAMPERED, named, nothing is changed",
  async ({ change, message }) => {
    for (const path of ["plan.md", "normalized_plan.json", "policy.json", "items/01/attempt-1/prepared-paths.json"]) {
      const { repository, folder, journal } = copyTemplate();
      change(join(folder, path));
      const ended = await resume(repository);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toContain(`ARTIFACT_TAMPERED ${path}: ${message}`);
      expect(readFileSync(join(folder, JOURNAL))).toEqual(journal);
      repository.remove();
    }
  },
);

test("a run that never got its first event is none: a fresh one starts beside it, and resume says so", async () => {
  const repository = make();
  await repository.startFaulty({ at: 12, when: "before" }).ended;
  for (const text of ["", '{"at":"2026']) {
    const [folder] = repository.runFolders();
    expect(folder).toBeDefined();
    writeFileSync(join(folder ?? "", JOURNAL), text);
    rmSync(join(folder ?? "", CHECKPOINT), { force: true });
    const ended = await repository.conveyor(["resume", ...repository.options()]);
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toContain("there is no run here yet");
  }
  expect((await repository.conveyor(["run", PLAN_PATH, ...repository.options()])).code).toBe(0);
  expect((await repository.conveyor(["resume", ...repository.options()])).stderr).toContain("is done");
});
