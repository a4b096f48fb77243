import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { buildTree, git, startSession, type Session } from "../../support/git-fixture.ts";

const AT = "2026-03-25T12:34:56.789Z";

describe("a commit that is written without git", () => {
  it.each(["sha1", "sha256"] as const)("is the very commit that git would make: %s", async (format) => {
    using session = await startSession({ format });
    const { repository, worktree, base } = session;
    const { tree } = await buildTree(repository, worktree, base, []);
    const message = "Item done: h\u00e4\u00df\n\nPlan: P\n";
    const commit = await repository.commitTree({ tree, parent: base, message, at: AT });
    const by = { NAME: "Plan Conveyor", EMAIL: "plan-conveyor@noreply.invalid", DATE: "2026-03-25T12:34:56Z" };
    const env = Object.fromEntries(
      Object.entries(by).flatMap(([name, value]) =>
        ["AUTHOR", "COMMITTER"].map((who) => [`GIT_${who}_${name}`, value]),
      ),
    );
    expect(commit).toBe(git(session.user, ["commit-tree", tree, "-p", base, "-F", "-"], env, message));
    expect(git(worktree.path, ["fsck", "--strict"])).not.toContain("error");
    expect(await repository.readTreeOf(commit)).toBe(tree);
  });
});

describe("a checkout that somebody worked in", () => {
  const deeds: Record<string, (session: Session) => void> = {
    "a change of the same size": (s) => writeFileSync(join(s.worktree.path, "a.txt"), "ONE\ntwo\n"),
    "a file that is gone": (s) => rmSync(join(s.worktree.path, "a.txt")),
    "a file that may be executed": (s) => chmodSync(join(s.worktree.path, "a.txt"), 0o755),
    "a new file": (s) => writeFileSync(join(s.worktree.path, "new"), ""),
    "a repository in a folder": (s) => mkdirSync(join(s.worktree.path, "dir", ".git")),
    "a link to the same files in place of their folder": (s) => linkFolder(s, "dir"),
  };
  it.each(Object.entries(deeds))("is not untouched: %s", async (_, act) => {
    using session = await startSession();
    act(session);
    expect(await session.repository.isUntouched(session.worktree, session.base, [])).toBe(false);
  });

  it("is untouched as it was checked out, beside what was prepared, and beside what the commit ignores", async () => {
    using session = await startSession({ files: { "a.txt": "one\n", ".gitignore": "*.log\n" } });
    const { repository, worktree, base } = session;
    expect(await repository.isUntouched(worktree, base, [])).toBe(true);
    writeFileSync(join(worktree.path, "made"), "");
    expect(await repository.isUntouched(worktree, base, ["made"])).toBe(true);
    writeFileSync(join(worktree.path, "x.log"), "");
    expect(await repository.isUntouched(worktree, base, ["made"])).toBe(true);
  });
});

describe("a candidate", () => {
  it("loses the files of a folder whose place a link took, also when it leads to the same content", async () => {
    using session = await startSession();
    linkFolder(session, "dir");
    const { changes } = await buildTree(session.repository, session.worktree, session.base, []);
    const seen = changes.map(({ status, path }) => `${status} ${path}`).toSorted();
    expect(seen).toEqual(["added dir", "deleted dir/b.txt"]);
  });

  it("follows ignore rules that an earlier candidate changed", async () => {
    using session = await startSession({ files: { ".gitignore": "*.log\n" } });
    const { repository, worktree, base } = session;
    writeFileSync(join(worktree.path, ".gitignore"), "*.txt\n");
    const { tree } = await buildTree(repository, worktree, base, []);
    const commit = await repository.commitTree({ tree, parent: base, message: "m\n", at: AT });
    const next = await repository.openWorktree("next", commit);
    for (const name of ["x.log", "x.txt"]) writeFileSync(join(next.path, name), "");
    const { changes } = await buildTree(repository, next, commit, []);
    expect(changes.map(({ path }) => path)).toEqual(["x.log"]);
  });
});

describe("a tree that is written without git", () => {
  it.each(["sha1", "sha256"] as const)("is the very tree that git would make: %s", async (format) => {
    const files = {
      "a.txt": "a",
      a: { link: "a.txt" },
      "b/c/d.txt": "d",
      "b/e": { executable: "#!/bin/sh\n" },
      "b-": "-",
    };
    using session = await startSession({ format, files: { ...files, "only/here/x": "x", "over/y": "y" } });
    const { repository, user, base } = session;
    const placed = [
      { path: "b/c/n\u00e4w.txt", text: "n\u00e4w\n" },
      { path: "b.txt", text: "" },
      { path: "only/here/x", text: null },
      { path: "not/there", text: null },
      { path: "b/e/not/there", text: null },
      { path: "b/c", text: null },
      { path: "over", text: "a file now\n" },
      { path: "a.txt/under/a/file", text: "deep\n" },
    ];
    const index = { GIT_INDEX_FILE: join(session.folder, "index") };
    git(user, ["read-tree", base], index);
    const lines = placed.map(({ path, text }) => {
      const oid = text === null ? "0".repeat(base.length) : git(user, ["hash-object", "-w", "--stdin"], {}, text);
      return `${text === null ? "0" : "100644"} ${oid}\t${path}\0`;
    });
    git(user, ["update-index", "-z", "--index-info"], index, lines.join(""));
    expect(await repository.buildTree(base, placed)).toBe(git(user, ["write-tree"], index));
    const all = [...Object.keys(files), "only/here/x", "over/y"].map((path) => ({ path, text: null }));
    expect(await repository.buildTree(base, all)).toBe(git(user, ["hash-object", "-t", "tree", "/dev/null"]));
  });
});

describe("a tree with a folder whose mode begins with zero, as old tools wrote it", () => {
  it("keeps what lies in that folder", async () => {
    using session = await startSession({ files: { "p/q/x": "x", "p/q/y": "y" } });
    const { repository, user } = session;
    const inner = makeTree(user, "040000 q", git(user, ["rev-parse", "HEAD:p/q"]));
    const root = makeTree(user, "40000 p", inner);
    expect(await repository.listFilesAt(root)).toEqual(["p/q/x", "p/q/y"]);
    const tree = await repository.buildTree(root, [{ path: "p/q/z", text: "z" }]);
    expect(await repository.listFilesAt(tree)).toEqual(["p/q/x", "p/q/y", "p/q/z"]);
  });
});

describe("a checkout that was only read", () => {
  const FILES = {
    "a.txt": "a\n",
    link: { link: "a.txt" },
    "b/run": { executable: "#!/bin/sh\n" },
    "h\u00e4\u00df/x": "x",
  };
  const CHANGES: readonly (readonly [string, (root: string) => void])[] = [
    ["another byte", (root) => writeFileSync(join(root, "a.txt"), "b\n")],
    ["one more file", (root) => writeFileSync(join(root, "b", "new"), "")],
    ["a file less", (root) => rmSync(join(root, "b", "run"))],
    ["another mode", (root) => chmodSync(join(root, "a.txt"), 0o755)],
    ["a mode less", (root) => chmodSync(join(root, "b", "run"), 0o644)],
    ["another link", (root) => replaceBy(join(root, "link"), (path) => symlinkSync("b/run", path))],
    ["a file for a link", (root) => replaceBy(join(root, "link"), (path) => writeFileSync(path, "a.txt"))],
    ["a link for a file", (root) => replaceBy(join(root, "a.txt"), (path) => symlinkSync("/dev/null", path))],
    ["a link for a folder", (root) => replaceBy(join(root, "b"), (path) => symlinkSync("h\u00e4\u00df", path))],
    ["what a repository inside is found by", (root) => mkdirSync(join(root, "b", ".git"))],
    ["a repository inside", (root) => git(root, ["init", "-q", "b"])],
  ];

  it("is known without git, and whatever is done to it is seen", async () => {
    using session = await startSession({ files: FILES });
    const { repository, base } = session;
    const tracked = (await repository.listFilesAt(base)).toSorted();
    expect(tracked).toEqual(["a.txt", "b/run", "h\u00e4\u00df/x", "link"]);
    for (const [what, change] of CHANGES) {
      const worktree = await repository.openWorktree(what.replaceAll(" ", "-"), base);
      expect([what, await repository.isUntouched(worktree, base, [])]).toEqual([what, true]);
      change(worktree.path);
      expect([what, await repository.isUntouched(worktree, base, [])]).toEqual([what, false]);
    }
  });
});

describe("many questions in one", () => {
  it("gives for every pair of trees what it would give alone, and nothing for one that is missing", async () => {
    using session = await startSession();
    const { repository, worktree, base } = session;
    const before = (await repository.readTreeOf(base)) ?? "";
    writeFileSync(join(worktree.path, "dir", "new\n1"), "x\n");
    writeFileSync(join(worktree.path, "a.txt"), "one\n2\n");
    const { tree: after } = await buildTree(repository, worktree, base, []);
    const pairs = [
      { from: before, to: before },
      { from: before, to: after },
      { from: after, to: before },
      { from: after, to: after },
    ];
    const alone = await Promise.all(pairs.map(({ from, to }) => repository.listChanges(from, to)));
    expect(await repository.listChangesOfPairs(pairs)).toEqual(alone);
    const missing = { from: before, to: "f".repeat(40) };
    expect(await repository.listChangesOfPairs([...pairs, missing])).toEqual([...alone, undefined]);
  });
});

describe("what is known of the object store", () => {
  it("is kept between two programs: an object that is changed there in between is found", async () => {
    using session = await startSession();
    const { repository, worktree, base } = session;
    writeFileSync(join(worktree.path, "new"), "content\n");
    const { tree } = await buildTree(repository, worktree, base, []);
    const first = await repository.snapshot(worktree);
    expect(await repository.compareSnapshot(first, worktree)).toEqual([]);
    const object = join(session.options.gitDir, "objects", tree.slice(0, 2), tree.slice(2));
    rmSync(object);
    writeFileSync(object, "no object");
    const second = await repository.snapshot(worktree);
    expect((await repository.compareSnapshot(second, worktree)).map(({ kind }) => kind)).toEqual(["objects"]);
  });

  it("a worktree that git forgot and a session brings back is found", async () => {
    using session = await startSession();
    const { repository, worktree, base } = session;
    const verified = await repository.openWorktree("verified", base);
    const metadata = join(session.options.gitDir, "worktrees", "verified");
    await repository.forgetWorktree(verified);
    expect(await repository.findWorktree("verified")).toBeUndefined();
    const before = await repository.snapshot(worktree);
    mkdirSync(metadata);
    writeFileSync(join(metadata, "HEAD"), `${base}\n`);
    const findings = await repository.compareSnapshot(before, worktree);
    expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set(["worktrees"]));
  });
});

/** A tree of one entry, which no git of today would write. */
function makeTree(user: string, entry: string, oid: string): string {
  const content = Buffer.concat([Buffer.from(`${entry}\0`), Buffer.from(oid, "hex")]);
  const object = Buffer.concat([Buffer.from(`tree ${content.length}\0`), content]);
  const tree = createHash("sha1").update(object).digest("hex");
  mkdirSync(join(user, ".git", "objects", tree.slice(0, 2)), { recursive: true });
  writeFileSync(join(user, ".git", "objects", tree.slice(0, 2), tree.slice(2)), deflateSync(object));
  return tree;
}

function linkFolder({ worktree }: Session, name: string): void {
  const folder = join(worktree.path, name);
  const elsewhere = `${worktree.path}-elsewhere`;
  renameSync(folder, elsewhere);
  symlinkSync(elsewhere, folder);
}

function replaceBy(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true });
  make(path);
}
