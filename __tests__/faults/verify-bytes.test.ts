import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { evaluateGates } from "../../src/domain/gates.ts";
import { BEFORE_JOURNAL, followJournal, parseJournal } from "../../src/domain/journal-text.ts";
import { makeFolder, type Ended } from "../support/conveyor.ts";
import { createRandom, forAll, isLong, LedgerRepository, sample } from "../support/faults.ts";
import { forgeRun, type ForgedEvent } from "../support/forgery.ts";

const JOURNAL = "run-events.jsonl";
const CHECKPOINT = "orchestrator_checkpoint.json";
const SEED = 7;

/** Three items, the second with a fix round, and a payload; a suggested command that fails and decides nothing. */
const finished = new LedgerRepository({
  rows: ["01", "02", "03"].map((id) => ({
    step_id: id,
    required_verification_commands: id === "02" ? "grep -q right out/02.txt" : `test -s out/${id}.txt`,
    suggested_verification_commands: id === "03" ? "false" : "",
  })),
  executor: [
    "mkdir -p out",
    'word=right; if [ "$ORCH_ITEM_ID" = 02 ] && [ "$ORCH_ROUND" = 1 ]; then word=wrong; fi',
    'echo "$word" > "out/$ORCH_ITEM_ID.txt"',
    `printf '{"status":"completed","summary":"wrote %s"}' "$word" > "$ORCH_RESULT_PATH"`,
    "",
  ].join("\n"),
});
/** An item outside its write roots in its first round, and one that is never right: the run fails. */
const failed = new LedgerRepository({
  rows: [{ step_id: "01" }, { step_id: "02", required_verification_commands: "false" }],
  executor: [
    'mkdir -p out; echo done > "out/$ORCH_ITEM_ID.txt"',
    '[ "$ORCH_ITEM_ID$ORCH_ROUND" = 011 ] && echo stray > stray.txt',
    'echo "$ORCH_ROUND" >> "out/$ORCH_ITEM_ID.txt"',
    "",
  ].join("\n"),
});

/** A run that waits at its gates. */
const blocked = new LedgerRepository();

beforeAll(async () => {
  expect((await blocked.conveyor(["run", "docs/exec-plans/active/plan.md", ...blocked.options([])])).code).toBe(3);
  expect((await finished.conveyor(["run", "docs/exec-plans/active/plan.md", ...finished.options()])).code).toBe(0);
  expect((await failed.conveyor(["run", "docs/exec-plans/active/plan.md", ...failed.options()])).code).toBe(1);
});

/** A copy of a run folder to spoil; verify reads it like the original. */
function copyRun(repository: LedgerRepository = finished): string {
  const copy = join(makeFolder("conveyor-copy-"), "run");
  cpSync(repository.runFolder(), copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

async function verify(folder: string, repository: LedgerRepository = finished): Promise<Ended & { said: string }> {
  const ended = await repository.conveyor(["verify", folder]);
  return { ...ended, said: `${ended.stdout}${ended.stderr}` };
}

/** Every file that counts: all of the run folder but repository and locks. */
function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith("repo.git/") && !path.startsWith("lock."));
}

/** A change of one file of a run. */
interface Change {
  readonly path: string;
  readonly what: string;
  readonly make: (full: string, bytes: Buffer) => void;
}

/** Files without which nothing else can be looked at: verify names them and ends. */
const READ_FIRST: readonly string[] = [JOURNAL, "normalized_plan.json", "policy.json"];

/**
 * Makes changes in copies of the run, each of which is put in order again: as many as there are files at once, since every
 * one of them must be named, and those that end verify one by one.
 */
async function expectAllNamed(changes: readonly Change[]): Promise<void> {
  const alone = changes.filter(({ path }) => READ_FIRST.includes(path)).map((change) => [change]);
  const together: Change[][] = [];
  for (const change of changes.filter(({ path }) => !READ_FIRST.includes(path))) {
    const batch = together.find((others) => others.every(({ path }) => path !== change.path));
    if (batch === undefined) together.push([change]);
    else batch.push(change);
  }
  const batches = [...alone, ...together];
  const copies = [copyRun(), copyRun(), copyRun()];
  await forAll(
    copies.map((copy, index) => ({ copy, own: batches.filter((_, at) => at % copies.length === index) })),
    async ({ copy, own }) => {
      for (const batch of own) await expectNamed(copy, batch);
    },
  );
}

/** Changes files, verifies, and puts the files back; verify must refuse and name each of them. */
async function expectNamed(folder: string, batch: readonly Change[]): Promise<void> {
  const before = batch.map(({ path }) => readFileSync(join(folder, path)));
  for (const [index, { path, make }] of batch.entries()) make(join(folder, path), before[index] ?? Buffer.alloc(0));
  const { code, said } = await verify(folder);
  for (const [index, { path }] of batch.entries()) {
    rmSync(join(folder, path), { force: true, recursive: true });
    writeFileSync(join(folder, path), before[index] ?? "");
  }
  const isNamed = (path: string): boolean =>
    batch.length === 1 ? said.includes(path) : said.split("\n").some((line) => line.startsWith(`${path}: `));
  expect(code, said).toBe(1);
  expect(said).not.toContain("conveyor failed");
  for (const { path, what } of batch) expect(isNamed(path), `${what} of ${path}: ${said}`).toBe(true);
}

test("a run that nobody touched agrees, here and as a copy", async () => {
  expect((await verify(finished.runFolder())).code).toBe(0);
  expect((await verify(copyRun())).code).toBe(0);
  expect((await verify(failed.runFolder(), failed)).code).toBe(0);
});

test("one changed byte of any file is found and the file is named", { timeout: 180_000 }, async () => {
  const random = createRandom(SEED);
  const folder = finished.runFolder();
  const all = listFiles(folder).filter((path) => readFileSync(join(folder, path)).length > 0);
  const isOfItem = (path: string): boolean => path.startsWith("items/");
  const files = [...all.filter((path) => !isOfItem(path)), ...sample(all.filter(isOfItem), 2)];
  const extra = [
    JOURNAL,
    CHECKPOINT,
    "orchestrator_run_report.json",
    "report.md",
    "plan.md",
    "normalized_plan.json",
    "policy.json",
  ];
  const flips = [...files, ...extra, ...extra, ...extra, ...extra, ...extra].map((path) => ({
    path,
    at: random(),
    bit: 1 << Math.floor(random() * 8),
  }));
  expect(flips.length).toBeGreaterThanOrEqual(60);
  await expectAllNamed(
    flips.map(({ path, at, bit }) => ({
      path,
      what: `bit ${bit} at ${at}`,
      make(full, bytes) {
        const changed = Buffer.from(bytes);
        const offset = Math.floor(at * bytes.length);
        changed.writeUInt8(changed.readUInt8(offset) ^ bit, offset);
        writeFileSync(full, changed);
      },
    })),
  );
  console.log(`flips: ${flips.length} in ${files.length} files`);
});

test("one changed bit at any byte of a journal breaks it or its head", { timeout: 180_000 }, async () => {
  const small = new LedgerRepository();
  await small.conveyor(["run", "docs/exec-plans/active/plan.md", ...small.options()]);
  const journal = readFileSync(join(small.runFolder(), JOURNAL));
  const sound = parseJournal(journal);
  const head = sound.ok ? sound.value.head : "";
  const unnoticed: number[] = [];
  let place = BEFORE_JOURNAL;
  for (let start = 0; start < journal.length;) {
    const end = journal.indexOf("\n", start);
    for (let offset = start; offset <= end; offset += 1) {
      const changed = Buffer.from(journal.subarray(start));
      changed.writeUInt8(changed.readUInt8(offset - start) ^ (1 << (offset % 8)), offset - start);
      // A head that differs is one that the checkpoint does not name: verify refuses that one by the checkpoint.
      if (headAfter(place, changed) === head) unnoticed.push(offset);
    }
    // What stands before the line that is changed was read already.
    const followed = followJournal(place, journal.subarray(start, end));
    if (!followed.ok) throw new Error(followed.error);
    place = followed.value;
    start = end + 1;
  }
  expect(place.prev).toBe(head);
  expect(unnoticed).toEqual([]);
  console.log(`flips in memory: ${journal.length}`);
});

/** Reads the rest of a journal as `parseJournal` does, and gives its head; nothing when it is broken or torn. */
function headAfter(place: typeof BEFORE_JOURNAL, rest: Buffer): string | undefined {
  for (let start = 0; start < rest.length;) {
    const end = rest.indexOf("\n", start);
    if (end === -1) return undefined;
    const followed = followJournal(place, rest.subarray(start, end));
    if (!followed.ok) return undefined;
    place = followed.value;
    start = end + 1;
  }
  return place.prev;
}

test("a byte more, a byte less, no file, a link in its place: found and named", { timeout: 180_000 }, async () => {
  const files = listFiles(finished.runFolder());
  const chosen = files.filter((path, index) => !path.startsWith("items/") || index % 18 === 0 || isLong);
  expect(chosen).toEqual(expect.arrayContaining([JOURNAL, CHECKPOINT, "plan.md", "policy.json", "report.md"]));
  const aside = makeFolder();
  const kinds: readonly Omit<Change, "path">[] = [
    { what: "a byte more", make: (full) => appendFileSync(full, "\n") },
    { what: "no file", make: (full) => rmSync(full) },
    {
      what: "a link",
      make(full, bytes) {
        const elsewhere = join(aside, String(readdirSync(aside).length));
        writeFileSync(elsewhere, bytes);
        rmSync(full);
        symlinkSync(elsewhere, full);
      },
    },
    { what: "a byte less", make: (full, bytes) => writeFileSync(full, bytes.subarray(0, -1)) },
  ];
  const isEmpty = (path: string): boolean => readFileSync(join(finished.runFolder(), path)).length === 0;
  await expectAllNamed(
    kinds.flatMap(({ what, make }) =>
      chosen.filter((path) => what !== "a byte less" || !isEmpty(path)).map((path) => ({ path, what, make })),
    ),
  );
});

describe("what does not belong there is found and named", () => {
  test.each(["stray.txt", "items/01/attempt-1/extra.log", "plan.md.writing", "leftovers/x"])(
    "the file %s",
    async (path) => {
      const copy = copyRun();
      mkdirSync(join(copy, path, ".."), { recursive: true });
      writeFileSync(join(copy, path), "x");
      const { code, said } = await verify(copy);
      expect(code, said).toBe(1);
      expect(said).toContain(path);
    },
  );

  test("a folder behind a link", async () => {
    const copy = copyRun();
    renameSync(join(copy, "items"), `${copy}.items`);
    symlinkSync(`${copy}.items`, join(copy, "items"));
    const { code, said } = await verify(copy);
    expect(code, said).toBe(1);
    expect(said).toContain("items");
  });
});

describe("the private repository", () => {
  test("a run branch that names another commit is named", async () => {
    const copy = copyRun();
    const branch = finished.report().branch;
    const before = readFileSync(join(copy, "repo.git", "refs", "heads", branch), "utf8").trim();
    finished.git("--git-dir", join(copy, "repo.git"), "update-ref", `refs/heads/${branch}`, `${before}^`);
    const { code, said } = await verify(copy);
    expect(code).toBe(1);
    expect(said).toContain(`repo.git refs/heads/${branch}`);
  });

  test("a run branch that is gone is named", async () => {
    const copy = copyRun();
    const branch = finished.report().branch;
    rmSync(join(copy, "repo.git", "refs", "heads", branch));
    expect((await verify(copy)).said).toContain(`repo.git refs/heads/${branch}`);
  });

  test("every object of the run branch: changed, it is found and named", { timeout: 180_000 }, async () => {
    const branch = finished.report().branch;
    const objects = finished
      .git("rev-list", "--objects", `main..${branch}`)
      .split("\n")
      .map((line) => line.split(" ")[0] ?? "");
    expect(objects.length).toBeGreaterThan(8);
    const copy = copyRun();
    for (const object of objects) {
      const path = join(copy, "repo.git", "objects", object.slice(0, 2), object.slice(2));
      expect(existsSync(path), path).toBe(true);
      const changed = readFileSync(path);
      chmodSync(path, 0o644);
      changed.writeUInt8(changed.readUInt8(changed.length - 3) ^ 4, changed.length - 3);
      writeFileSync(path, changed);
    }
    const { code, said } = await verify(copy);
    expect(code, said).toBe(1);
    for (const object of objects) expect(said, object).toContain(object);
  });

  test("an object that is nowhere is found", async () => {
    const copy = copyRun(failed);
    const commit = readEvents(copy).find(
      (event) => event.type === "candidate_built" && event.details["commit"] !== null && event.item_id === "02",
    );
    const tree = String(commit?.details["tree"]);
    const blob = failed.git("--git-dir", join(copy, "repo.git"), "rev-parse", `${tree}:out/02.txt`);
    rmSync(join(copy, "repo.git", "objects", blob.slice(0, 2), blob.slice(2)));
    const { code, said } = await verify(copy, failed);
    expect(code, said).toBe(1);
    expect(said).toContain(String(commit?.details["commit"]));
  });
});

function readEvents(folder: string): ForgedEvent[] {
  return readFileSync(join(folder, JOURNAL), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ForgedEvent);
}

/** Details as a forger sees them: anything may stand anywhere. */
interface Loose {
  [name: string]: unknown;
  commands: { ending: unknown; command: string }[];
  executions: { args: string[] }[];
  signals: { ci: string };
  payload: { summary: string };
}

/** Edits the details of the events that `choose` names. */
function editing(choose: (event: ForgedEvent) => boolean, edit: (details: Loose) => void) {
  return (events: ForgedEvent[]): ForgedEvent[] => {
    const chosen = events.filter(choose);
    expect(chosen.length).toBeGreaterThan(0);
    for (const event of chosen) edit(event.details as Loose);
    return events;
  };
}

const exitCode = (code: number) => (details: Loose) => {
  for (const command of details["commands"]) command.ending = { kind: "exited", exit_code: code };
  for (const execution of details["executions"]) {
    Object.assign(execution, {
      exit_code: code,
      status: code === 0 ? "success" : "failed",
      error: code === 0 ? null : `exit code ${code}`,
    });
  }
};
const isVerification = (item: string, round: number) => (event: ForgedEvent) =>
  event.type === "verification_finished" && event.item_id === item && event.details["round"] === round;

interface Forgery {
  readonly name: string;
  readonly of: LedgerRepository;
  readonly edit?: (events: ForgedEvent[]) => ForgedEvent[];
  readonly files?: (folder: string) => Record<string, string>;
}

const CAUGHT: readonly Forgery[] = [
  { name: "a failed verification that now passed", of: finished, edit: editing(isVerification("02", 1), exitCode(0)) },
  { name: "a passed verification that now failed", of: finished, edit: editing(isVerification("01", 1), exitCode(1)) },
  {
    name: "only the ending of a command, not its execution",
    of: finished,
    edit: editing(isVerification("03", 1), (details) => {
      for (const command of details.commands) command.ending = { kind: "exited", exit_code: 0 };
    }),
  },
  {
    name: "a failed required command that was left out of its verification",
    of: failed,
    edit: editing(
      (event) => event.type === "verification_finished" && event.item_id === "02" && event.details["round"] === 3,
      (details) => {
        details["commands"] = [];
        details["executions"] = [];
      },
    ),
  },
  {
    name: "a required command that was never run",
    of: finished,
    edit: editing(isVerification("01", 1), (details) => Object.assign(details, { commands: [], executions: [] })),
  },
  {
    name: "a required command that always passes in its place",
    of: failed,
    edit: editing(
      (event) => event.type === "verification_finished" && event.item_id === "02",
      (details) => {
        exitCode(0)(details);
        for (const command of details.commands) command.command = "true";
        for (const execution of details.executions) execution.args = [...execution.args.slice(0, -1), "true"];
      },
    ),
  },
  {
    name: "an escalated item settled as passed",
    of: failed,
    edit: editing(
      (event) => event.type === "item_settled" && event.item_id === "02",
      (details) => Object.assign(details, { terminal_state: "passed", reason_codes: [] }),
    ),
  },
  {
    name: "an item settled with other reasons",
    of: failed,
    edit: editing(
      (event) => event.type === "item_settled" && event.item_id === "02",
      (details) => (details["reason_codes"] = ["NO_CHANGE_PRODUCED"]),
    ),
  },
  {
    name: "a failed run that stopped as done",
    of: failed,
    edit: editing(
      (event) => event.type === "run_stopped",
      (details) => Object.assign(details, { terminal_state: "done", reason_codes: [] }),
    ),
  },
  {
    name: "a scope violation that was never there",
    of: failed,
    edit: editing(
      (event) => event.type === "candidate_built" && event.item_id === "01",
      (details) => (details["violations"] = []),
    ),
  },
  {
    name: "a fix round cut out of the journal",
    of: finished,
    edit: (events) => {
      const first = events.findIndex(isVerification("02", 1));
      const last = events.findIndex(
        (event) => event.type === "session_finished" && event.item_id === "02" && event.details["round"] === 2,
      );
      return [...events.slice(0, first), ...events.slice(last + 1)];
    },
  },
  {
    name: "another commit as that of an item",
    of: finished,
    edit: (events) => {
      const [one, two] = events.filter((event) => event.type === "item_commit_prepared");
      const settled = events.find((event) => event.type === "item_settled" && event.item_id === two?.item_id);
      if (two !== undefined && settled !== undefined)
        two.details["commit"] = settled.details["commit"] = one?.details["commit"];
      return events;
    },
  },
  {
    name: "a gate that passed although its signal is missing",
    of: finished,
    edit: editing(
      (event) => event.type === "gates_evaluated",
      (details) => (details["signals"].ci = "missing"),
    ),
  },
  {
    name: "a payload that says something else than its file",
    of: finished,
    edit: editing(
      (event) => event.type === "session_finished",
      (details) => (details["payload"].summary = "made up"),
    ),
  },
  {
    name: "a plan whose items are verified by nothing",
    of: finished,
    edit: (events) => events,
    files: (folder) => ({
      "normalized_plan.json": readFileSync(join(folder, "normalized_plan.json"), "utf8").replaceAll(
        "grep -q right out/02.txt",
        "true",
      ),
    }),
  },
  {
    name: "a policy that allows more rounds than the configuration did",
    of: finished,
    files: (folder) => ({
      "policy.json": readFileSync(join(folder, "policy.json"), "utf8").replace('"fix-rounds":2', '"fix-rounds":9'),
    }),
  },
  {
    name: "a list of changes that leaves one out",
    of: finished,
    files: (folder) => ({
      [readEvents(folder)
        .flatMap((event) => listNamed(event))
        .find((path) => path.endsWith("changes.json")) ?? ""]: "[]\n",
    }),
  },
];

function listNamed(event: ForgedEvent): string[] {
  return Array.isArray(event.details["files"]) ? event.details["files"].map((file: { path: string }) => file.path) : [];
}

describe("a journal rewritten with chain, digests, reports and checkpoint in order is still refused", () => {
  test.each(CAUGHT)("$name", async ({ of, edit, files }) => {
    const copy = copyRun(of);
    forgeRun(copy, edit ?? ((events) => events), files?.(copy), { closing: "anew" });
    const { code, said } = await verify(copy, of);
    expect(code, said).toBe(1);
    expect(said).not.toContain("conveyor failed");
  });
});

/**
 * What nobody can tell from the folder alone. Whoever holds it can invent what only the orchestrator saw, as long as
 * every decision follows from it; running the commands again, or a digest kept elsewhere, would show it.
 */
const NOT_CAUGHT: readonly Forgery[] = [
  { name: "nothing at all, written anew", of: finished, edit: (events) => events },
  {
    name: "a signal and the decision that follows from it",
    of: blocked,
    edit: (events) => {
      for (const { type, details } of events) {
        if (type === "gates_evaluated") {
          Object.assign(details, { signals: { policy: "allow", ci: "success", review: "approved" } });
          details["decisions"] = evaluateGates({ policy: "allow", ci: "success", review: "approved" }, true);
        }
        if (type === "run_stopped") Object.assign(details, { terminal_state: "done", reason_codes: [] });
      }
      const stop = events.findIndex(({ type }) => type === "run_stopped");
      const closed = { ...events[stop], type: "stage_finished", details: { stage: "closure" } } as ForgedEvent;
      return [...events.slice(0, stop), closed, ...events.slice(stop)];
    },
  },
  {
    name: "other times",
    of: finished,
    edit: (events) =>
      events.map((event) => ({
        ...event,
        at: "2026-01-01T00:00:00.000Z",
        details: event.type === "closing_prepared" ? { ...event.details, date: "2026-01-01" } : event.details,
      })),
  },
  {
    name: "the end of a suggested command, which decides nothing",
    of: finished,
    edit: editing(isVerification("03", 1), exitCode(0)),
  },
  {
    name: "the text of a log",
    of: finished,
    files: (folder) => ({
      [readEvents(folder)
        .flatMap(listNamed)
        .find((path) => path.endsWith("stdout.log")) ?? ""]: "all is well\n",
    }),
  },
];

describe("cannot be told offline", () => {
  test.each(NOT_CAUGHT)("$name", async ({ of, edit, files }) => {
    const copy = copyRun(of);
    expect(forgeRun(copy, edit ?? ((events) => events), files?.(copy), { closing: "anew" })).toBe(true);
    const { code, said } = await verify(copy, of);
    expect(code, said).toBe(0);
  });

  test("what the closing commit tells: it was delivered, and it names the journal's head", async () => {
    const copy = copyRun();
    const edit = (events: ForgedEvent[]) => events.map((event) => ({ ...event, at: "2026-01-01T00:00:00.000Z" }));
    expect(forgeRun(copy, edit)).toBe(true);
    const { code, said } = await verify(copy);
    expect(code, said).toBe(1);
    expect(said).toContain("is not what plan, packets and journal give");
  });

  test("the bytes of a lock: the journal's fence is what counts", async () => {
    const copy = copyRun();
    appendFileSync(join(copy, "lock.1"), " ");
    expect((await verify(copy)).code).toBe(0);
  });
});
