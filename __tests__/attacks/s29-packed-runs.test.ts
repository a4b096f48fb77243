import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openPackedRun } from "../../src/compose/unpack.ts";
import { openWorkplace, type Workplace } from "../../src/compose/workplace.ts";
import { sha256 } from "../../src/domain/digest.ts";
import { judgePackedRun } from "../../src/kernel/judge-packed-run.ts";
import { GATES_OPEN, makeFolder, TestRepository } from "../support/conveyor.ts";
import { forgeRun } from "../support/forgery.ts";
import { git } from "../support/git-run.ts";
import {
  forgeArchive,
  forgePack,
  OtherMachine,
  packRun,
  readEntries,
  type Entry,
  type PackAnswer,
} from "../support/packs.ts";

/** S-29: somebody hands us a packed run that is another than the one that was packed. Each is refused by name. */
let repository: TestRepository;
let packed: PackAnswer;
let other: OtherMachine;
let workplace: Workplace;

beforeAll(async () => {
  repository = new TestRepository({ rows: [{ step_id: "01", manual_gate: "signoff" }] });
  await repository.run(GATES_OPEN);
  packed = await packRun(repository);
  other = new OtherMachine(repository);
  const opened = await openWorkplace(other.path, { PATH: process.env["PATH"], HOME: other.base });
  if (!opened.ok) throw new Error(opened.error.message);
  workplace = opened.value;
}, 120_000);

/** Opens a packed folder as every command does, and gives how it was refused; nothing may be left behind of it. */
async function open(folder: string, kind: "read" | "go_on" = "read"): Promise<string> {
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = other.temporary;
  try {
    return await openThere(folder, kind);
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
}

async function openThere(folder: string, kind: "read" | "go_on"): Promise<string> {
  const opened = await openPackedRun(workplace, {
    folder,
    packSha256: undefined,
    use: kind === "read" ? { kind } : { kind, outputDir: undefined },
    judge: ({ run, reports }, reading) => judgePackedRun(run, reports, reading, kind),
  });
  if (opened.ok) {
    await opened.value[Symbol.asyncDispose]();
    return "accepted";
  }
  expect(other.leavings()).toEqual([]);
  const { code, path, message } = opened.error;
  return `${code} ${path}: ${message}`;
}

const archived = (name: RegExp): Entry => {
  const entry = readEntries(readFileSync(join(packed.dir, "run.tar"))).find((each) => name.test(each.name));
  if (entry === undefined) throw new Error(`the archive has no ${String(name)}`);
  return entry;
};
const flip = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return copy;
};
const replace = (name: RegExp, change: (bytes: Buffer) => Buffer) => (entries: Entry[]) =>
  entries.map((entry) => (name.test(entry.name) ? { ...entry, bytes: change(entry.bytes) } : entry));

describe("the folder", () => {
  test("as it was packed, and remade by hand from its own entries, is accepted", async () => {
    expect(await open(packed.dir)).toBe("accepted");
    expect(await open(forgeArchive(packed.dir, (entries) => entries))).toBe("accepted");
  });

  test.each(["orchestrator_run_report.json", "report.md", "run.tar"])("%s changed, or missing", async (name) => {
    const changed = forgePack(packed.dir, (files) => files.set(name, flip(files.get(name) ?? Buffer.alloc(0))), {
      sums: "kept",
    });
    expect(await open(changed)).toBe(`ARTIFACT_TAMPERED ${name}: is not what SHA256SUMS says`);
    const gone = forgePack(packed.dir, (files) => void files.delete(name), { sums: "kept" });
    expect(await open(gone)).toBe(`ARTIFACT_TAMPERED ${name}: is missing`);
  });

  test("SHA256SUMS changed, missing, unsorted or with a line too many; a file that is not listed, or no file of ours", async () => {
    const sums = (change: (text: string) => string) =>
      forgePack(packed.dir, (files) => files.set("SHA256SUMS", Buffer.from(change(String(files.get("SHA256SUMS"))))), {
        sums: "kept",
      });
    expect(await open(sums((text) => text.replace(/^./, "0").replace(/^0/, text.startsWith("0") ? "1" : "0")))).toMatch(
      /^ARTIFACT_TAMPERED .*is not what SHA256SUMS says$/,
    );
    expect(await open(sums((text) => `${text}${"0".repeat(64)}  ../evil\n`))).toMatch(
      /^ARTIFACT_TAMPERED SHA256SUMS: expected lines/,
    );
    expect(await open(sums((text) => text.split("\n").slice(0, -1).toReversed().join("\n")))).toMatch(
      /^ARTIFACT_TAMPERED SHA256SUMS: is not sorted/,
    );
    expect(await open(sums((text) => text.split("\n").slice(1).join("\n")))).toMatch(
      /^ARTIFACT_TAMPERED .*: is not listed in SHA256SUMS$/,
    );
    expect(await open(sums(() => ""))).toMatch(/is not listed in SHA256SUMS$/);
    expect(await open(sums((text) => text.padEnd(5000, "x")))).toMatch(/^ARTIFACT_TAMPERED SHA256SUMS: is larger/);
    const none = forgePack(packed.dir, (files) => void files.delete("SHA256SUMS"), { sums: "kept" });
    expect(await open(none)).toBe("ARTIFACT_TAMPERED SHA256SUMS: is missing, or no plain file");
    const foreign = forgePack(packed.dir, (files) => files.set("evil.sh", Buffer.from("x")));
    expect(await open(foreign)).toBe("ARTIFACT_TAMPERED evil.sh: is no file of a packed run");
  });

  test("a link or a folder in the place of a file is not followed", async () => {
    const copy = join(makeFolder(), "packed");
    cpSync(packed.dir, copy, { recursive: true });
    rmSync(join(copy, "report.md"));
    symlinkSync(join(packed.dir, "report.md"), join(copy, "report.md"));
    expect(await open(copy)).toBe("ARTIFACT_TAMPERED report.md: is no plain file");
    rmSync(join(copy, "report.md"));
    mkdirSync(join(copy, "report.md"));
    expect(await open(copy)).toBe("ARTIFACT_TAMPERED report.md: is no plain file");
  });

  test("a report of another run, or with a field too many, whatever the digests say", async () => {
    const report = (text: string) =>
      forgePack(packed.dir, (files) => files.set("orchestrator_run_report.json", Buffer.from(text)));
    const own = readFileSync(join(packed.dir, "orchestrator_run_report.json"), "utf8");
    const theirs = own.replaceAll(packed.run_id, "RUN_20260325T120000Z_deadbeef");
    expect(await open(report(theirs))).toMatch(/^ARTIFACT_TAMPERED orchestrator_run_report\.json: is not the report/);
    expect(await open(report(own.replace("{", '{"more": 1,')))).toMatch(
      /^ARTIFACT_TAMPERED orchestrator_run_report\.json/,
    );
    const html = forgePack(packed.dir, (files) => files.set("report.md", Buffer.from("# done")));
    expect(await open(html)).toMatch(/^ARTIFACT_TAMPERED report\.md: is not the report/);
  });
});

describe("the archive", () => {
  test.each([
    ["plan.md", /^plan\.md$/],
    ["normalized_plan.json", /^normalized_plan\.json$/],
    ["policy.json", /^policy\.json$/],
    ["changes.json", /changes\.json$/],
    ["candidate.patch", /candidate-1\/candidate\.patch$/],
    ["result.json", /careful\/result\.json$/],
    ["manifest.json", /manifest\.json$/],
    ["command-1.stdout.log", /prompt\.md$/],
  ])("%s changed is not what the journal names", async (_, name) => {
    const { name: path } = archived(name);
    expect(await open(forgeArchive(packed.dir, replace(name, flip)))).toBe(
      `ARTIFACT_TAMPERED ${path}: is not what the journal names`,
    );
    expect(
      await open(
        forgeArchive(
          packed.dir,
          replace(name, (bytes) => bytes.subarray(1)),
        ),
      ),
    ).toMatch(new RegExp(`^ARTIFACT_TAMPERED ${path.replaceAll(/[.]/g, "\\.")}: has \\d+ bytes, the journal says`));
  });

  test("journal and checkpoint changed have codes of their own, and so has a line with a field too many", async () => {
    const journal = (change: (text: string) => string) =>
      forgeArchive(
        packed.dir,
        replace(/^run-events/, (bytes) => Buffer.from(change(bytes.toString("utf8")))),
      );
    expect(await open(journal((text) => text.replace('"base_commit"', '"base_commiT"')))).toMatch(
      /^JOURNAL_CORRUPT run-events\.jsonl: line 1/,
    );
    expect(await open(journal((text) => text.replace("{", '{"aaa":1,')))).toMatch(
      /^JOURNAL_CORRUPT run-events\.jsonl: line 1/,
    );
    expect(await open(journal((text) => text.split("\n").slice(1).join("\n")))).toMatch(
      /^JOURNAL_CORRUPT run-events\.jsonl: line 1/,
    );
    const short = journal((text) => text.split("\n").slice(0, -3).join("\n").concat("\n"));
    expect(await open(short)).toMatch(/^(ARTIFACT_TAMPERED|CHECKPOINT_CORRUPT)/);
    const checkpoint = forgeArchive(
      packed.dir,
      replace(/^orchestrator_checkpoint/, (bytes) => Buffer.from(bytes.toString("utf8").replace("01", "02"))),
    );
    expect(await open(checkpoint)).toMatch(/^CHECKPOINT_CORRUPT orchestrator_checkpoint\.json/);
  });

  test("entries that are missing, foreign, twice there, or before the journal", async () => {
    const { name } = archived(/changes\.json$/);
    expect(await open(forgeArchive(packed.dir, (entries) => entries.filter((entry) => entry.name !== name)))).toBe(
      `ARTIFACT_TAMPERED ${name}: is missing`,
    );
    const extra = { name: "items/01/evil.sh", bytes: Buffer.from("x") };
    expect(await open(forgeArchive(packed.dir, (entries) => [...entries, extra]))).toBe(
      "ARTIFACT_TAMPERED items/01/evil.sh: is named by no event of the journal",
    );
    expect(await open(forgeArchive(packed.dir, (entries) => [...entries, archived(/^plan\.md$/)]))).toBe(
      "ARTIFACT_TAMPERED plan.md: is there twice",
    );
    expect(await open(forgeArchive(packed.dir, (entries) => [...entries, archived(/^run-events/)]))).toBe(
      "ARTIFACT_TAMPERED run-events.jsonl: is there twice",
    );
    expect(await open(forgeArchive(packed.dir, (entries) => entries.toReversed()))).toMatch(
      /^ARTIFACT_TAMPERED run\.bundle: stands where run-events\.jsonl has to be/,
    );
    expect(await open(forgeArchive(packed.dir, () => []))).toBe("ARTIFACT_TAMPERED run-events.jsonl: is missing");
    for (const reserved of ["repo.git/config", "lock.7", "supervision/x", "left-out.json/x"]) {
      const entry = { name: reserved, bytes: Buffer.from("x") };
      expect(await open(forgeArchive(packed.dir, (entries) => [...entries, entry]))).toMatch(
        new RegExp(`^ARTIFACT_TAMPERED ${reserved}: is named by no event`),
      );
    }
  });

  test.each([
    ["1", "link"],
    ["2", "symlink"],
    ["3", "character-device"],
    ["4", "block-device"],
    ["5", "directory"],
    ["6", "fifo"],
    ["7", "contiguous-file"],
    ["S", "thing of an unknown kind"],
  ])("an entry of type %s in the place of a plain file is refused: %s", async (type, what) => {
    const folder = forgeArchive(packed.dir, (entries) =>
      entries.map((entry) =>
        entry.name === "plan.md" ? { ...entry, type, linkname: "/etc/passwd", bytes: Buffer.alloc(0) } : entry,
      ),
    );
    expect(await open(folder)).toMatch(new RegExp(`^ARTIFACT_TAMPERED plan\\.md/?: is a ${what}, and no plain file$`));
  });

  test.each([
    "../evil",
    "/tmp/evil",
    "items/../../evil",
    "items//evil",
    "./plan.md",
    "a\\..\\evil",
    "pl\u0007an.md",
    `${"d/".repeat(300)}f`,
  ])("no name leads out of the folder, nor hides itself: %j", async (name) => {
    const slip = forgeArchive(packed.dir, (entries) => [...entries, { name, bytes: Buffer.from("x") }]);
    expect(await open(slip)).toMatch(/^ARTIFACT_TAMPERED .*: has a name with /);
    expect(existsSync(join(other.temporary, "evil"))).toBe(false);
  });

  test("a size that is claimed and not there, a torn end, no archive at all", async () => {
    const bomb = forgeArchive(packed.dir, (entries) =>
      entries.map((entry) => (entry.name === "run.bundle" ? { ...entry, claims: 8 ** 11 - 1 } : entry)),
    );
    expect(await open(bomb)).toMatch(/^ARTIFACT_TAMPERED (run\.tar: is no archive|run\.bundle)/);
    const plan = forgeArchive(packed.dir, (entries) =>
      entries.map((entry) => (entry.name === "plan.md" ? { ...entry, claims: 8 ** 11 - 1 } : entry)),
    );
    expect(await open(plan)).toMatch(/^ARTIFACT_TAMPERED plan\.md: has \d+ bytes, the journal says/);
    const cut = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length - 3000);
    expect(
      await open(forgePack(packed.dir, (files) => files.set("run.tar", cut(files.get("run.tar") ?? Buffer.alloc(0))))),
    ).toMatch(/^ARTIFACT_TAMPERED run\.tar: is no archive/);
    expect(await open(forgePack(packed.dir, (files) => files.set("run.tar", Buffer.alloc(4096, "x"))))).toMatch(
      /^ARTIFACT_TAMPERED run\.tar: is no archive/,
    );
  });

  test("a list of what was left out hides nothing but logs that the journal names", async () => {
    const { name, bytes } = archived(/changes\.json$/);
    const hide = (path: string, digest: string, runId = packed.run_id) =>
      forgeArchive(packed.dir, (entries) => {
        const list = {
          schema_version: "conveyor.left_out.v1",
          run_id: runId,
          max_bytes: 1,
          files: [{ path, sha256: digest, bytes: 1 }],
        };
        const [journal, ...rest] = entries.filter((entry) => entry.name !== path);
        return journal === undefined
          ? []
          : [journal, { name: "left-out.json", bytes: Buffer.from(JSON.stringify(list)) }, ...rest];
      });
    expect(await open(hide(name, sha256(bytes)))).toMatch(/^ARTIFACT_TAMPERED left-out\.json: lists .*which is no log/);
    const log = archived(/command-1\.stdout\.log$/);
    expect(await open(hide(log.name, "0".repeat(64)))).toMatch(/^ARTIFACT_TAMPERED left-out\.json: lists/);
    expect(await open(hide(log.name, sha256(log.bytes), "RUN_20260325T120000Z_deadbeef"))).toMatch(
      /^ARTIFACT_TAMPERED left-out\.json: is of another run/,
    );
    expect(await open(hide(log.name, sha256(log.bytes)))).toBe("accepted");
  });
});

describe("the bundle", () => {
  const withBundle = (bytes: Buffer) =>
    forgeArchive(
      packed.dir,
      replace(/^run\.bundle$/, () => bytes),
    );
  const split = () => {
    const { bytes } = archived(/^run\.bundle$/);
    const end = bytes.indexOf("\n\n") + 2;
    return { header: bytes.toString("latin1", 0, end), pack: bytes.subarray(end) };
  };

  test("with one more commit, on the branch or beside it, is refused by the ref that names it", async () => {
    const { header, pack } = split();
    const branch = /^([0-9a-f]{40}) refs\/heads\/(.*)$/m.exec(header);
    const own = join(repository.runFolder(), "repo.git");
    const more = git(own, "commit-tree", `${branch?.[1] ?? ""}^{tree}`, "-p", branch?.[1] ?? "", "-m", "more");
    const text = (line: string) => Buffer.concat([Buffer.from(line), pack]);
    expect(await open(withBundle(text(header.replace(/\n\n$/, `\n${more} refs/heads/more\n\n`))))).toMatch(
      /^ARTIFACT_TAMPERED run\.bundle: has a line that the journal does not give: [0-9a-f]{40} refs\/heads\/more$/,
    );
    expect(
      await open(withBundle(text(header.replace(branch?.[0] ?? "", `${more} refs/heads/${branch?.[2] ?? ""}`)))),
    ).toMatch(/^ARTIFACT_TAMPERED run\.bundle: says that the run branch is at/);
    const lines = header.split("\n");
    const without = lines.filter((line) => !line.includes("refs/conveyor/candidate")).join("\n");
    expect(await open(withBundle(text(without)))).toMatch(
      /^ARTIFACT_TAMPERED run\.bundle: lacks refs\/conveyor\/candidate\/01 at/,
    );
  });

  test("with objects that nothing leads to, with too few, with bytes behind, or with none of it", async () => {
    const { header, pack } = split();
    const own = join(repository.runFolder(), "repo.git");
    writeFileSync(join(other.base, "blob"), "smuggled");
    const blob = git(own, "hash-object", "-w", join(other.base, "blob"));
    const ids = [...header.matchAll(/^([0-9a-f]{40}) /gm)].map(([, id]) => id ?? "");
    const base = /^-([0-9a-f]{40})/m.exec(header)?.[1] ?? "";
    const packOf = (revisions: readonly string[]) => makePack(own, [...revisions, `^${base}`]);
    expect(await open(withBundle(Buffer.concat([Buffer.from(header), packOf([...ids, blob])])))).toBe(
      `ARTIFACT_TAMPERED run.bundle: holds an object that nothing in the journal leads to: ${blob}`,
    );
    expect(await open(withBundle(Buffer.concat([Buffer.from(header), packOf([base])])))).toMatch(
      /^ARTIFACT_TAMPERED run\.bundle: does not hold all that its refs name/,
    );
    expect(await open(withBundle(Buffer.concat([Buffer.from(header), flip(pack)])))).toMatch(
      /^ARTIFACT_TAMPERED run\.bundle: its pack cannot be taken in/,
    );
    expect(await open(withBundle(Buffer.concat([Buffer.from(header), pack, Buffer.from("more")])))).toMatch(
      /^ARTIFACT_TAMPERED run\.bundle: its pack cannot be taken in: bytes follow/,
    );
    expect(await open(withBundle(Buffer.from("no bundle")))).toBe(
      "ARTIFACT_TAMPERED run.bundle: is missing, or no git bundle",
    );
    expect(await open(withBundle(Buffer.from(header)))).toMatch(
      /^ARTIFACT_TAMPERED run\.bundle: its pack cannot be taken in/,
    );
  });
});

function makePack(gitDir: string, revisions: readonly string[]): Buffer {
  const file = join(makeFolder(), "pack");
  writeFileSync(`${file}.in`, `${revisions.join("\n")}\n`);
  git(gitDir, "-c", `alias.p=!git pack-objects --revs --stdout -q < '${file}.in' > '${file}'`, "p");
  return readFileSync(file);
}

describe("a journal that somebody wrote who knows all formats", () => {
  test("is refused when a run would be gone on with: what its decisions say does not follow", async () => {
    const run = makeFolder();
    cpSync(repository.runFolder(), run, { recursive: true });
    const accepted = forgeRun(run, (events) =>
      events.map((event) =>
        event.type === "audit_finished"
          ? {
              ...event,
              details: JSON.parse(JSON.stringify(event.details).replace("Looked at it.", "All is well.")) as Record<
                string,
                unknown
              >,
            }
          : event,
      ),
    );
    expect(accepted).toBe(true);
    const forged = await packRun(repository, [run]);
    const resumed = await other.conveyor(["resume", forged.dir]);
    expect({ code: resumed.code, said: resumed.stderr }).toMatchObject({
      code: 1,
      said: expect.stringMatching(/ARTIFACT_TAMPERED items\/.*result\.json: is not what the journal says/),
    });
    expect(other.leavings()).toEqual([]);
    const verified = await other.conveyor(["verify", forged.dir]);
    expect(verified.code).toBe(1);
  });

  test("names of its choice lead nowhere, whatever an event says", async () => {
    for (const path of ["../evil", "repo.git/hooks/x", "lock.9", "plan.md/x"]) {
      const run = makeFolder();
      cpSync(repository.runFolder(), run, { recursive: true });
      forgeRun(run, (events) =>
        events.map((event) =>
          event.type === "session_started"
            ? { ...event, details: { ...event.details, files: [{ path, sha256: sha256("x"), bytes: 1 }] } }
            : event,
        ),
      );
      const folder = forgeArchive(packed.dir, (entries) => [
        ...entries.map((entry) =>
          entry.name === "run-events.jsonl" ? { ...entry, bytes: readFileSync(join(run, "run-events.jsonl")) } : entry,
        ),
        { name: path, bytes: Buffer.from("x") },
      ]);
      expect(await open(folder)).toMatch(/^JOURNAL_CORRUPT run-events\.jsonl: names /);
      expect(readdirSync(other.temporary)).toEqual([]);
    }
  });
});
