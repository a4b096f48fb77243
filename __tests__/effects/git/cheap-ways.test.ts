import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

function linkFolder({ worktree }: Session, name: string): void {
  const folder = join(worktree.path, name);
  const elsewhere = `${worktree.path}-elsewhere`;
  renameSync(folder, elsewhere);
  symlinkSync(elsewhere, folder);
}
