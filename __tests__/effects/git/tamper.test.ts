import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { TamperFinding } from "../../../src/domain/candidate.ts";
import { git, startSession, writeFiles, type Session, buildTree } from "../../support/git-fixture.ts";

const DATE = "2026-03-25T12:00:00.000Z";

interface Act {
  readonly name: string;
  readonly kind: TamperFinding["kind"];
  readonly detail: string;
  readonly act: (session: Session) => void;
}

const inRepository =
  (path: string, content = "x\n") =>
  ({ options }: Session): void => {
    mkdirSync(dirname(join(options.gitDir, path)), { recursive: true });
    writeFileSync(join(options.gitDir, path), content);
  };
/** A path that ends in a byte that is no UTF-8 and an ending. */
const oddPath = (gitDir: string, path: string, ending: string): Buffer =>
  Buffer.concat([Buffer.from(join(gitDir, path)), Buffer.from([0xff]), Buffer.from(`.${ending}`)]);
const run =
  (...args: string[]) =>
  ({ worktree }: Session): void =>
    void git(worktree.path, args);

const ACTS: readonly Act[] = [
  {
    name: "git commit",
    kind: "head",
    detail: "worktrees/item-1/HEAD changed",
    act: run("commit", "-qm", "x", "--allow-empty"),
  },
  { name: "git tag", kind: "refs", detail: "refs/tags/v9 added", act: run("tag", "v9") },
  { name: "git branch", kind: "refs", detail: "refs/heads/evil added", act: run("branch", "evil") },
  {
    name: "git update-ref",
    kind: "refs",
    detail: "refs/heads/main added",
    act: run("update-ref", "refs/heads/main", "HEAD"),
  },
  { name: "git pack-refs", kind: "refs", detail: "packed-refs added", act: run("pack-refs", "--all") },
  { name: "git config", kind: "config", detail: "config changed", act: run("config", "core.pager", "touch /tmp/x") },
  {
    name: "git config --worktree",
    kind: "config",
    detail: "worktrees/item-1/config.worktree added",
    act: (session) => {
      run("config", "extensions.worktreeConfig", "true")(session);
      run("config", "--worktree", "core.pager", "x")(session);
    },
  },
  {
    name: "git stash",
    kind: "refs",
    detail: "refs/stash added",
    act: (session) => {
      writeFiles(session.worktree.path, { "a.txt": "stashed" });
      run("stash", "-q")(session);
    },
  },
  {
    name: "git worktree add",
    kind: "worktrees",
    detail: "worktrees/evil/HEAD added",
    act: run("worktree", "add", "-q", "--detach", "../evil"),
  },
  {
    name: "git worktree unlock",
    kind: "worktrees",
    detail: "worktrees/item-1/locked removed",
    act: run("worktree", "unlock", "."),
  },
  {
    name: "git checkout -b",
    kind: "head",
    detail: "worktrees/item-1/HEAD changed",
    act: run("checkout", "-qb", "mine"),
  },
  {
    name: "git bisect",
    kind: "refs",
    detail: "worktrees/item-1/refs/bisect/bad added",
    act: (session) => {
      run("bisect", "start")(session);
      run("bisect", "bad", "HEAD")(session);
    },
  },
  {
    name: "skip-worktree",
    kind: "index-flags",
    detail: "index: skip-worktree a.txt added",
    act: run("update-index", "--skip-worktree", "a.txt"),
  },
  {
    name: "assume-unchanged",
    kind: "index-flags",
    detail: "index: assume-unchanged dir/b.txt added",
    act: run("update-index", "--assume-unchanged", "dir/b.txt"),
  },
  {
    name: "flags in an index of version 4",
    kind: "index-flags",
    detail: "index: skip-worktree dir/b.txt added",
    act: (session) => {
      run("update-index", "--index-version", "4")(session);
      run("update-index", "--skip-worktree", "dir/b.txt")(session);
    },
  },
  {
    name: "split index",
    kind: "index-flags",
    detail: "index: split index added",
    act: run("update-index", "--split-index"),
  },
  {
    name: "garbage index",
    kind: "index-flags",
    detail: "index: cannot be read added",
    act: inRepository("worktrees/item-1/index"),
  },
  {
    name: "git replace",
    kind: "refs",
    detail: "refs/replace/",
    act: (session) => {
      const other = git(session.worktree.path, ["commit-tree", "-m", "lie", `${session.base}^{tree}`]);
      run("replace", session.base, other)(session);
    },
  },
  {
    name: "repository HEAD",
    kind: "head",
    detail: "HEAD changed",
    act: inRepository("HEAD", "ref: refs/heads/evil\n"),
  },
  { name: "grafts", kind: "info", detail: "info/grafts added", act: inRepository("info/grafts") },
  { name: "info/exclude", kind: "info", detail: "info/exclude added", act: inRepository("info/exclude", "*\n") },
  {
    name: "info/attributes",
    kind: "info",
    detail: "info/attributes changed",
    act: inRepository("info/attributes", "* -diff\n"),
  },
  {
    name: "info/sparse-checkout",
    kind: "info",
    detail: "worktrees/item-1/info/sparse-checkout added",
    act: inRepository("worktrees/item-1/info/sparse-checkout"),
  },
  {
    name: "shallow",
    kind: "info",
    detail: "shallow added",
    act: (session) => inRepository("shallow", `${session.base}\n`)(session),
  },
  { name: "commondir", kind: "config", detail: "commondir added", act: inRepository("commondir", "/tmp\n") },
  {
    name: "hook",
    kind: "hooks",
    detail: "hooks/post-commit added",
    act: inRepository("hooks/post-commit", "#!/bin/sh\n"),
  },
  {
    name: "hook as a link",
    kind: "hooks",
    detail: "hooks/pre-push added",
    act: ({ options }) => symlinkSync("/bin/true", join(options.gitDir, "hooks", "pre-push")),
  },
  {
    name: "alternates",
    kind: "alternates",
    detail: "objects/info/alternates changed",
    act: ({ options }) => appendFileSync(join(options.gitDir, "objects/info/alternates"), "/tmp\n"),
  },
  {
    name: "http alternates",
    kind: "alternates",
    detail: "objects/info/http-alternates added",
    act: inRepository("objects/info/http-alternates"),
  },
  {
    name: "pointer content",
    kind: "worktree-pointer",
    detail: "the worktree's .git changed",
    act: ({ worktree }) => writeFileSync(join(worktree.path, ".git"), "gitdir: /tmp/evil\n"),
  },
  {
    name: "pointer removed",
    kind: "worktree-pointer",
    detail: "the worktree's .git changed",
    act: ({ worktree }) => unlinkSync(join(worktree.path, ".git")),
  },
  {
    name: "pointer as a folder",
    kind: "worktree-pointer",
    detail: "the worktree's .git changed",
    act: (session) => {
      unlinkSync(join(session.worktree.path, ".git"));
      run("init", "-q")(session);
    },
  },
  {
    name: "pointer as a link to the same content",
    kind: "worktree-pointer",
    detail: "the worktree's .git changed",
    act: ({ worktree }) => {
      renameSync(join(worktree.path, ".git"), join(worktree.path, "kept"));
      symlinkSync("kept", join(worktree.path, ".git"));
    },
  },
  {
    name: "worktree folder swapped",
    kind: "worktree-pointer",
    detail: "the worktree's folder changed",
    act: ({ worktree, user }) => {
      renameSync(worktree.path, `${worktree.path}.old`);
      symlinkSync(user, worktree.path);
    },
  },
  {
    name: "refs swapped for a link",
    kind: "refs",
    detail: "refs/ changed",
    act: ({ options, folder }) => {
      renameSync(join(options.gitDir, "refs"), join(folder, "refs"));
      symlinkSync(join(folder, "refs"), join(options.gitDir, "refs"));
    },
  },
  { name: "stored object removed", kind: "objects", detail: "removed", act: (session) => rmSync(ownObject(session)) },
  {
    name: "stored object forged",
    kind: "objects",
    detail: "changed",
    act: (session) => {
      const path = ownObject(session);
      chmodSync(path, 0o644);
      writeFileSync(path, deflateSync("blob 4\0evil"));
    },
  },
  {
    name: "stored object swapped for a link to itself",
    kind: "objects",
    detail: "changed",
    act: (session) => {
      const path = ownObject(session);
      renameSync(path, join(session.folder, "object"));
      symlinkSync(join(session.folder, "object"), path);
    },
  },
  {
    name: "new object forged",
    kind: "objects",
    detail: `objects/ab/${"c".repeat(38)} forged`,
    act: (session) => plant(session, "ab", "c".repeat(38)),
  },
  {
    name: "fan-out folder as a link",
    kind: "objects",
    detail: "objects/ab added",
    act: ({ options, folder }) => symlinkSync(folder, join(options.gitDir, "objects", "ab")),
  },
  { name: "git gc", kind: "objects", detail: "removed", act: run("gc", "-q", "--prune=now") },
  {
    name: "a pack whose name is no text",
    kind: "objects",
    detail: "objects/pack/pack-\\xff.idx has a name that is no text",
    act: ({ options }) => {
      mkdirSync(join(options.gitDir, "objects", "pack"), { recursive: true });
      for (const kind of ["pack", "idx"]) writeFileSync(oddPath(options.gitDir, "objects/pack/pack-", kind), "PACK");
    },
  },
  {
    name: "new object in a folder that cannot be listed",
    kind: "objects",
    detail: "objects/ab locked",
    act: (session) => {
      plant(session, "ab", "c".repeat(38));
      chmodSync(join(session.options.gitDir, "objects", "ab"), 0o311);
    },
  },
  {
    name: "new object in a folder that cannot be entered, in another",
    kind: "objects",
    detail: "objects/pack/in locked",
    act: ({ options }) => {
      const pack = join(options.gitDir, "objects", "pack");
      mkdirSync(join(pack, "in"), { recursive: true });
      chmodSync(join(pack, "in"), 0o455);
      chmodSync(pack, 0o100);
    },
  },
  {
    name: "ref whose name is no text",
    kind: "refs",
    detail: "refs/heads/ \\xff.x added",
    act: ({ options, base }) => {
      mkdirSync(join(options.gitDir, "refs", "heads"), { recursive: true });
      writeFileSync(oddPath(options.gitDir, "refs/heads/", "x"), `${base}\n`);
    },
  },
  {
    name: "hooks that cannot be listed",
    kind: "hooks",
    detail: "hooks/ locked added",
    act: ({ options }) => {
      mkdirSync(join(options.gitDir, "hooks"), { recursive: true });
      chmodSync(join(options.gitDir, "hooks"), 0o311);
    },
  },
  {
    name: "worktree whose name is no text",
    kind: "worktrees",
    detail: "worktrees/ \\xff.x added",
    act: ({ options }) => mkdirSync(oddPath(options.gitDir, "worktrees/", "x")),
  },
];

/** Sets what a program may set: the time at which a folder was changed last, as it says itself. */
function setTimesOfFolders({ options }: Session): void {
  const objects = join(options.gitDir, "objects");
  for (const folder of ["", ...(existsSync(objects) ? readdirSync(objects) : [])])
    if (existsSync(join(objects, folder))) utimesSync(join(objects, folder), 1, 1);
}

describe("a session that changes git metadata", () => {
  it.each(ACTS)("is found out: $name", async ({ kind, detail, act }) => {
    using session = await startSession();
    await session.repository.commitTree({ tree: treeOf(session), parent: session.base, message: "own", at: DATE });
    const before = await session.repository.snapshot(session.worktree);
    act(session);
    const findings = await session.repository.compareSnapshot(before, session.worktree);
    expect(findings.map((finding) => finding.kind)).toContain(kind);
    expect(findings.find((finding) => finding.kind === kind && finding.detail.includes(detail))).toBeDefined();
  });

  it("is found out also where nobody added anything for so long that names are not read again", async () => {
    const acts = ACTS.filter(({ kind }) => kind === "objects");
    const sessions = await Promise.all(acts.map(() => startSession()));
    try {
      for (const session of sessions)
        await session.repository.commitTree({ tree: treeOf(session), parent: session.base, message: "own", at: DATE });
      for (const session of sessions) setTimesOfFolders(session);
      await sleep(2600);
      for (const [index, session] of sessions.entries()) {
        const { kind, detail, act, name } = acts[index] as Act;
        const { repository, worktree } = session;
        // Read once, and told to be unchanged by what anybody can set.
        const before = await repository.snapshot(worktree);
        act(session);
        setTimesOfFolders(session);
        const findings = await repository.compareSnapshot(before, worktree);
        expect(
          findings.filter((found) => found.kind === kind && found.detail.includes(detail)),
          name,
        ).not.toEqual([]);
      }
      expect(acts.length).toBeGreaterThan(5);
    } finally {
      for (const session of sessions) session[Symbol.dispose]();
    }
  });

  it("is found out when it changes another worktree's metadata", async () => {
    using session = await startSession();
    const other = await session.repository.openWorktree("audit-1", session.base);
    const before = await session.repository.snapshot(session.worktree);
    git(other.path, ["commit", "-q", "--allow-empty", "-m", "x"]);
    expect(await session.repository.compareSnapshot(before, session.worktree)).toEqual([
      { kind: "worktrees", detail: "worktrees/audit-1/HEAD changed" },
    ]);
  });

  it("is found out in a repository of SHA-256 objects", async () => {
    using session = await startSession({ format: "sha256" });
    git(session.worktree.path, ["update-index", "--skip-worktree", "a.txt"]);
    plant(session, "ab", "c".repeat(62));
    const findings = await session.repository.compareSnapshot(session.before, session.worktree);
    expect(findings.map((finding) => finding.kind).toSorted()).toEqual(["index-flags", "objects"]);
  });
});

describe("a session that only works", () => {
  const harmless: readonly [string, (session: Session) => void][] = [
    ["nothing", () => undefined],
    ["git status", run("status")],
    ["git diff", run("diff")],
    ["git log", run("log")],
    ["git add", run("add", "-A")],
    [
      "git add of what is stored already",
      (session) => {
        writeFiles(session.worktree.path, { again: "own content" });
        const path = ownObject(session);
        utimesSync(path, 1, 1);
        run("add", "-A")(session);
        expect(statSync(path).mtimeMs).toBeGreaterThan(1000);
      },
    ],
    ["git add -N", run("add", "-N", ".")],
    ["git rm", run("rm", "-q", "a.txt")],
    ["git checkout of a file", run("checkout", "--", "dir")],
    ["git hash-object -w", run("hash-object", "-w", "a.txt")],
  ];

  it.each(harmless)("is not accused of anything: %s", async (_name, act) => {
    using session = await startSession();
    const worktree = await session.repository.openWorktree("writer", session.base);
    writeFiles(worktree.path, { own: "own content" });
    await buildTree(session.repository, worktree, session.base, []);
    const before = await session.repository.snapshot(session.worktree);
    writeFiles(session.worktree.path, { "dir/b.txt": "changed", "new.txt": "new" });
    act(session);
    expect(await session.repository.compareSnapshot(before, session.worktree)).toEqual([]);
  });

  it("loses the objects it added, and the candidate has them again", async () => {
    using session = await startSession();
    const objects = join(session.options.gitDir, "objects");
    writeFiles(session.worktree.path, { "new.txt": "new" });
    git(session.worktree.path, ["add", "-A"]);
    const oid = git(session.worktree.path, ["rev-parse", ":new.txt"]);
    const path = join(objects, oid.slice(0, 2), oid.slice(2));
    expect(existsSync(path)).toBe(true);
    writeFileSync(join(objects, "pack", "pack-planted.pack"), "PACK");
    chmodSync(dirname(path), 0o555);
    expect(await session.repository.compareSnapshot(session.before, session.worktree)).toEqual([]);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(join(objects, "pack"))).toEqual([]);
    const { tree } = await buildTree(session.repository, session.worktree, session.base, []);
    expect(Buffer.from((await session.repository.readFileAt(tree, "new.txt")) ?? []).toString()).toBe("new");
  });

  it("may work while a person commits in the user's repository", async () => {
    using session = await startSession();
    writeFiles(session.user, { "a.txt": "person" });
    git(session.user, ["commit", "-qam", "person"]);
    git(session.user, ["tag", "v1"]);
    git(session.user, ["gc", "-q"]);
    expect(await session.repository.compareSnapshot(session.before, session.worktree)).toEqual([]);
    expect((await buildTree(session.repository, session.worktree, session.base, [])).changes).toEqual([]);
  });
});

/** The one loose object that lies in the private repository. */
function ownObject({ options }: Session): string {
  const objects = join(options.gitDir, "objects");
  const paths = readdirSync(objects)
    .filter((name) => name.length === 2)
    .flatMap((name) => readdirSync(join(objects, name)).map((rest) => join(objects, name, rest)));
  const blob = paths.find((path) => readFileSync(path).length > 0);
  if (blob === undefined) throw new Error("expected an object in the private repository");
  return blob;
}

function plant({ options }: Session, folder: string, name: string): void {
  mkdirSync(join(options.gitDir, "objects", folder), { recursive: true });
  writeFileSync(join(options.gitDir, "objects", folder, name), deflateSync("blob 1\0x"));
}

function treeOf(session: Session): string {
  return git(session.user, ["rev-parse", `${session.base}^{tree}`]);
}
