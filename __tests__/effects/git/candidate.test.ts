import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { TreeChange } from "../../../src/domain/candidate.ts";
import { treeChangeSchema } from "../../../src/domain/candidate.ts";
import { commitFiles, git, startSession, writeFiles, type Session, buildTree } from "../../support/git-fixture.ts";

const ODD_NAMES = [
  "with space",
  "h\u00e4\u00df\u2603.txt",
  'quo"te',
  "single'quote",
  "back\\slash",
  "-leading-dash",
  ":leading-colon",
  ":(exclude)magic",
  "new\nline",
  "tab\there",
  "star*[x]?",
  "!bang",
  "#hash",
  " trailing ",
  "dir with space/-x\n/:y",
];

async function build(session: Session, excluded: readonly string[] = []): Promise<readonly TreeChange[]> {
  const { changes } = await buildTree(session.repository, session.worktree, session.base, excluded);
  for (const change of changes) treeChangeSchema.parse(change);
  return changes;
}

async function changed(session: Session, excluded: readonly string[] = []): Promise<string[]> {
  return (await build(session, excluded)).map((change) => `${change.status} ${change.path}`).toSorted();
}

describe("a candidate tree", () => {
  it("is the tree of the tip when nothing changed, for every odd name", async () => {
    using session = await startSession({ files: Object.fromEntries(ODD_NAMES.map((name) => [name, name])) });
    const { tree, changes } = await buildTree(session.repository, session.worktree, session.base, []);
    expect(changes).toEqual([]);
    expect(tree).toBe(git(session.user, ["rev-parse", "HEAD^{tree}"]));
    for (const name of ODD_NAMES) expect(readFileSync(join(session.worktree.path, name), "utf8")).toBe(name);
  });

  it("takes in added, changed, deleted files of every odd name, with sizes, lines and ids", async () => {
    using session = await startSession({ files: { "a.txt": "one\ntwo\n", gone: "x\n", "k/deep": "1" } });
    writeFiles(session.worktree.path, Object.fromEntries(ODD_NAMES.map((name) => [name, `${name}\n`])));
    writeFiles(session.worktree.path, { "a.txt": "one\n2\n3\n" });
    rmSync(join(session.worktree.path, "gone"));
    rmSync(join(session.worktree.path, "k"), { recursive: true });
    const changes = await build(session);
    const byPath = new Map(changes.map((change) => [change.path, change]));
    expect([...byPath.keys()].toSorted()).toEqual(["a.txt", "gone", "k/deep", ...ODD_NAMES].toSorted());
    expect(byPath.get("a.txt")).toMatchObject({ status: "modified", added_lines: 2, deleted_lines: 1, new_bytes: 8 });
    expect(byPath.get("gone")).toMatchObject({ status: "deleted", new_mode: "000000", new_bytes: 0, deleted_lines: 1 });
    expect(byPath.get("new\nline")).toMatchObject({ status: "added", old_mode: "000000", new_mode: "100644" });
    const file = byPath.get('quo"te');
    expect(file?.new_oid).toBe(git(session.worktree.path, ["hash-object", 'quo"te']));
  });

  it("keeps the bytes of a path that is not UTF-8", async () => {
    using session = await startSession();
    const name = Buffer.from([0x66, 0xff, 0x0a, 0x67]);
    writeFileSync(Buffer.concat([Buffer.from(`${session.worktree.path}/`), name]), "x");
    expect(await build(session)).toMatchObject([{ path: "f\ufffd\ng", path_hex: "66ff0a67", new_bytes: 1 }]);
    await session.repository.removeWorktrees();
    expect(existsSync(session.worktree.path)).toBe(false);
  });

  it("reports symlinks with their target, mode changes and changes of type", async () => {
    using session = await startSession({ files: { run: "x", plain: "y", d: "z", "f/g": "1", l: { link: "plain" } } });
    const root = session.worktree.path;
    chmodSync(join(root, "run"), 0o755);
    rmSync(join(root, "d"));
    writeFiles(root, {
      plain: { link: "../outside\nof it" },
      new: { link: "run" },
      "d/inside": "now a folder",
      f: "file",
    });
    rmSync(join(root, "l"));
    const byPath = Object.fromEntries(
      (await build(session)).map((change) => [`${change.status} ${change.path}`, change]),
    );
    expect(byPath["modified run"]).toMatchObject({ old_mode: "100644", new_mode: "100755" });
    expect(byPath["type_changed plain"]).toMatchObject({ new_mode: "120000", link_target: "../outside\nof it" });
    expect(byPath["added new"]).toMatchObject({ new_mode: "120000", link_target: "run", new_bytes: 3 });
    expect(Object.keys(byPath).toSorted()).toEqual([
      "added d/inside",
      "added f",
      "added new",
      "deleted d",
      "deleted f/g",
      "deleted l",
      "modified run",
      "type_changed plain",
    ]);
  });

  it("counts a file with NUL bytes by its size, wherever they are and whatever attributes say", async () => {
    using session = await startSession({ files: { ".gitattributes": "*.x -diff\n*.y diff\n", "b.x": "1\n2\n" } });
    writeFiles(session.worktree.path, {
      "early.bin": Buffer.alloc(801),
      "late.txt": Buffer.concat([Buffer.from("a\n"), Buffer.alloc(9000, 0x61), Buffer.alloc(800)]),
      "n.y": Buffer.alloc(160),
      "b.x": "1\n3\n4\n",
    });
    const lines = Object.fromEntries((await build(session)).map((c) => [c.path, [c.added_lines, c.deleted_lines]]));
    expect(lines).toEqual({ "early.bin": [11, 0], "late.txt": [123, 0], "n.y": [2, 0], "b.x": [2, 1] });
  });

  it("sees an edit of the same size and time, and one hidden by index flags", async () => {
    using session = await startSession({ files: { same: "aaa", skip: "aaa", assume: "aaa" } });
    const root = session.worktree.path;
    git(root, ["update-index", "--skip-worktree", "skip"]);
    git(root, ["update-index", "--assume-unchanged", "assume"]);
    const { atime, mtime } = statSync(join(root, "same"));
    for (const name of ["same", "skip", "assume"]) writeFileSync(join(root, name), "bbb");
    utimesSync(join(root, "same"), atime, mtime);
    expect(await changed(session)).toEqual(["modified assume", "modified same", "modified skip"]);
  });

  it("pays no attention to what the session staged or committed", async () => {
    using session = await startSession();
    const root = session.worktree.path;
    writeFiles(root, { "new.txt": "staged" });
    git(root, ["add", "-A"]);
    git(root, ["rm", "-q", "--cached", "a.txt"]);
    writeFiles(root, { "new.txt": "final" });
    const [change, ...others] = await build(session);
    expect(others).toEqual([]);
    expect(change).toMatchObject({ path: "new.txt", new_bytes: 5 });
  });
});

describe("untracked files of a candidate", () => {
  it("follow the ignore rules of the base, nested ones too, and no rule a session wrote", async () => {
    using session = await startSession({
      files: {
        ".gitignore": "*.log\n/build/\n!keep.log\n",
        "sub/.gitignore": "/only-here\n*.tmp\n!deep.log\r\n",
        "o[d]d/.gitignore": "x\n",
        "sub/.gitkeep": "",
        "o[d]d/.gitkeep": "",
        "forced.log": "tracked although ignored",
      },
    });
    const root = session.worktree.path;
    writeFiles(root, {
      ".gitignore": "*\n",
      "hidden/.gitignore": "*\n",
      "hidden/file": "1",
      "a.log": "",
      "keep.log": "",
      "build/x": "",
      "sub/build/x": "",
      "sub/only-here": "",
      "sub/deeper/only-here": "",
      "sub/deeper/y.tmp": "",
      "y.tmp": "",
      "sub/deep.log": "",
      "o[d]d/x": "",
      "odd/x": "",
      "forced.log": "changed",
    });
    const excludeFile = join(session.options.gitDir, "info", "exclude");
    writeFileSync(excludeFile, "*\n");
    expect(await changed(session)).toEqual(
      [
        "modified .gitignore",
        "modified forced.log",
        "added hidden/.gitignore",
        "added hidden/file",
        "added keep.log",
        "added odd/x",
        "added sub/build/x",
        "added sub/deep.log",
        "added sub/deeper/only-here",
        "added y.tmp",
      ].toSorted(),
    );
  });

  it("agree with git's own reading of the same rules", async () => {
    const files = {
      ".gitignore": "a*\n!ab\n/c/d\n**/e/f\ng/**\nh\\ \n[i-k]\n\\!l\nm/\n",
      "s/.gitignore": "!a*\nb?\n/c/d\n**/e/f\ng/**\n[!i-k]\n",
      "s/n\n[x]/.gitignore": "*\n!keep\n",
    };
    using session = await startSession({ files });
    const names = ["a1", "ab", "c/d", "e/f", "g/x", "h ", "i", "z", "!l", "m/x", "m1", "bq", "keep", "x/e/f", "x/c/d"];
    const folders = ["", "s/", "s/n\n[x]/", "s/n\nx/", "t/"];
    writeFiles(session.worktree.path, Object.fromEntries(folders.flatMap((f) => names.map((name) => [f + name, "."]))));
    const options = ["-c", "core.quotePath=false", "ls-files", "-o", "-z", "--exclude-standard"];
    const expected = git(session.worktree.path, options)
      .split("\0")
      .filter((path) => path !== "");
    expect(expected.length).toBeGreaterThan(10);
    expect((await build(session)).map((change) => change.path).toSorted()).toEqual(expected.toSorted());
  });

  it("leave out what prepare added, by exact path or by folder", async () => {
    using session = await startSession();
    writeFiles(session.worktree.path, { "gen/one": "", "gen/two": "", "cache/x/y": "", cached: "", "-p": "" });
    expect(await session.repository.listUntracked(session.worktree)).toEqual(
      expect.arrayContaining(["gen/one", "gen/two", "cache/x/y", "cached", "-p"]),
    );
    expect(await changed(session, ["gen/one", "cache/", "-p"])).toEqual(["added cached", "added gen/two"]);
  });

  it("list what prepare added also where it is ignored, and tracked files it changed", async () => {
    using session = await startSession({ files: { ".gitignore": "node_modules\n", "a.txt": "aaa", "b\n.txt": "bbb" } });
    writeFiles(session.worktree.path, { "node_modules/x/y": "", "a.txt": "bbb" });
    rmSync(join(session.worktree.path, "b\n.txt"));
    expect(await session.repository.listUntracked(session.worktree)).toEqual(["node_modules/x/y"]);
    expect(await session.repository.listTrackedChanges(session.worktree, session.base)).toEqual(["a.txt", "b\n.txt"]);
  });
});

describe("what no tree may hold", () => {
  it("shows nested repositories as submodules: new, in a tracked folder, hollow, in place of a file", async () => {
    using session = await startSession({ files: { "dir/b.txt": "b", file: "x", ".gitignore": "ignored/\n" } });
    const root = session.worktree.path;
    for (const name of ["sub", "dir", "ignored/repo"]) {
      mkdirSync(join(root, name), { recursive: true });
      git(root, ["init", "-q", name]);
    }
    writeFiles(root, { "hollow/x": "1", "hollow/.git/config": "" });
    rmSync(join(root, "file"));
    git(root, ["init", "-q", "file"]);
    writeFiles(root, { "file/inner": "1" });
    git(join(root, "file"), ["add", "inner"]);
    git(join(root, "file"), ["commit", "-q", "-m", "inner"]);
    const changes = (await build(session)).filter((change) => change.new_mode === "160000");
    expect(changes.map((change) => change.path).toSorted()).toEqual(["dir/.git", "file", "hollow/.git", "sub"]);
    expect(await session.repository.listUntracked(session.worktree)).toEqual(
      expect.arrayContaining(["sub/", "dir/.git/", "hollow/.git/"]),
    );
  });

  it("shows names that git refuses instead of failing, and takes in the rest", async () => {
    using session = await startSession();
    const names = [
      ".GIT/config",
      "x/.Git/hooks/a",
      "git~1",
      "y/.g\u200cit/z",
      ".git./q",
      ".git::$DATA/q",
      "b\\.git\\c",
    ];
    writeFiles(session.worktree.path, Object.fromEntries([...names, "fine"].map((name) => [name, "x"])));
    writeFiles(session.worktree.path, { ".gitmodules": { link: "x" } });
    const { tree, changes } = await buildTree(session.repository, session.worktree, session.base, []);
    expect(changes.map((change) => change.path).toSorted()).toEqual([...names, ".gitmodules", "fine"].toSorted());
    expect(await session.repository.listFilesAt(tree)).toEqual(["a.txt", "dir/b.txt", "fine"]);
  });

  it("refuses a worktree that became a link to somewhere else", async () => {
    using session = await startSession();
    renameSync(session.worktree.path, `${session.worktree.path}.moved`);
    writeFiles(session.folder, { "work trees/item-1": { link: session.user } });
    await expect(build(session)).rejects.toThrow("is not a folder");
  });
});

describe("objects that lie", () => {
  it.each(["blob", "tree"])(
    "refuses the candidate when a %s that the candidate needs was forged beforehand",
    async (type) => {
      using session = await startSession();
      writeFiles(session.worktree.path, { "new/evil.sh": "harmless\n" });
      git(session.worktree.path, ["add", "-A"]);
      const tree = git(session.worktree.path, ["write-tree"]);
      const oid = git(session.worktree.path, ["rev-parse", type === "blob" ? ":new/evil.sh" : `${tree}:new`]);
      forge(session.options.gitDir, oid, type === "blob" ? Buffer.from("blob 5\0evil\n") : Buffer.from("tree 0\0"));
      expect(await session.repository.buildCandidate(session.worktree, session.base, [])).toMatchObject({
        kind: "refused",
        code: "GIT_TAMPERED",
        detail: expect.stringContaining(oid),
      });
    },
  );

  it("refuses the candidate when a folder of the base lies, so that a change in it would not show", async () => {
    using session = await startSession({ files: { "dir/a": "a", "dir/hidden": "as it was" } });
    const { repository, worktree, user, base } = session;
    const folder = git(user, ["rev-parse", `${base}:dir`]);
    const changed = git(user, ["hash-object", "-w", "--stdin"], {}, "changed");
    const list = git(user, ["ls-tree", folder]).replace(/[0-9a-f]{40}\thidden/, `${changed}\thidden`);
    const lie = git(user, ["mktree"], {}, `${list}\n`);
    const content = inflateSync(readFileSync(join(user, ".git", "objects", lie.slice(0, 2), lie.slice(2))));
    writeFiles(worktree.path, { "dir/a": "b", "dir/hidden": "changed" });
    const paths = async () => (await build(session)).map(({ path }) => path);
    expect(await paths()).toEqual(["dir/a", "dir/hidden"]);
    forge(join(user, ".git"), folder, content);
    expect(await repository.buildCandidate(worktree, base, [])).toMatchObject({
      kind: "refused",
      code: "GIT_TAMPERED",
    });
  });

  it("finds a checkout of which a file lies, also where it was copied from another commit", async () => {
    using session = await startSession({ files: { "a.txt": "as it was\n", "dir/b.txt": "b\n" } });
    const { repository, user, base } = session;
    const changed = commitFiles(user, { "a.txt": "changed\n" });
    const findings = async (name: string, commit: string, paths: readonly string[]) => {
      const worktree = await repository.openWorktree(name, commit);
      await repository.copyPaths(worktree, base, paths);
      return repository.compareSnapshot(await repository.snapshot(worktree), worktree);
    };
    const found = (name: string) => [
      { kind: "objects", detail: `the checkout ${name} is not what its commit names: a.txt` },
    ];
    expect(await findings("sound", changed, ["a.txt", "gone"])).toEqual([]);
    forge(join(user, ".git"), git(user, ["rev-parse", `${base}:a.txt`]), Buffer.from("blob 5\0lies\n"));
    expect(await findings("checked-out", base, [])).toEqual(found("checked-out"));
    expect(await findings("not-copied", changed, [])).toEqual([]);
    expect(await findings("copied", changed, ["a.txt"])).toEqual(found("copied"));
  });

  it("refuses the candidate when what a file was before lies", async () => {
    using session = await startSession();
    const blob = git(session.user, ["rev-parse", `${session.base}:a.txt`]);
    writeFiles(session.worktree.path, { "a.txt": "other\n" });
    forge(join(session.user, ".git"), blob, Buffer.from("blob 6\0other\n"));
    expect(await session.repository.buildCandidate(session.worktree, session.base, [])).toMatchObject({
      kind: "refused",
      code: "GIT_TAMPERED",
      detail: expect.stringContaining(blob),
    });
  });

  it("does not read commits, files or changes from forged objects", async () => {
    using session = await startSession();
    const { repository, options } = session;
    const commit = commitFiles(session.user, { "a.txt": "other\n" });
    expect(await repository.readTreeOf(commit)).toMatch(/^[0-9a-f]{40}$/);
    expect(await repository.readParentsOf(commit)).toEqual([session.base]);
    const blob = git(session.user, ["rev-parse", "HEAD:a.txt"]);
    const content = `tree ${git(session.user, ["rev-parse", "HEAD^{tree}"])}\n\nforged`;
    forge(options.gitDir, commit, Buffer.from(`commit ${content.length}\0${content}`));
    forge(options.gitDir, blob, Buffer.from("blob 1\0x"));
    expect(await repository.readTreeOf(commit)).toBeUndefined();
    expect(await repository.readParentsOf(commit)).toBeUndefined();
    expect(await repository.readFileAt(git(session.user, ["rev-parse", "HEAD^{tree}"]), "a.txt")).toBeUndefined();
    forge(options.gitDir, "f".repeat(40), Buffer.from("garbage"));
    expect(await repository.readTreeOf("f".repeat(40))).toBeUndefined();
    expect(await repository.readTreeOf("e".repeat(40))).toBeUndefined();
    expect([...(await repository.findForgedObjects())].toSorted()).toEqual([commit, blob, "f".repeat(40)].toSorted());
    expect(await repository.readTreeOf(blob)).toBeUndefined();
  });
});

describe("replace refs", () => {
  it("change nothing of what a candidate is compared with", async () => {
    using session = await startSession();
    const root = session.worktree.path;
    writeFiles(root, { "a.txt": "hidden change" });
    git(root, ["add", "-A"]);
    const lie = git(root, ["commit-tree", "-m", "lie", git(root, ["write-tree"])]);
    git(root, ["replace", session.base, lie]);
    expect(await changed(session)).toEqual(["modified a.txt"]);
    expect(await session.repository.readTreeOf(session.base)).toBe(git(session.user, ["rev-parse", "HEAD^{tree}"]));
  });
});

describe("a search for forged objects", () => {
  it("accepts sound objects and packs, and names a pack that is none", async () => {
    using session = await startSession();
    writeFiles(session.worktree.path, { "new.txt": "new" });
    const { tree } = await buildTree(session.repository, session.worktree, session.base, []);
    const packs = join(session.options.gitDir, "objects/pack");
    mkdirSync(packs, { recursive: true });
    const input = `${tree}\n`;
    git(session.worktree.path, ["pack-objects", "-q", join(packs, "pack")], {}, input);
    expect(await session.repository.findForgedObjects()).toEqual([]);
    writeFileSync(join(packs, "pack-evil.pack"), "PACK");
    expect(await session.repository.findForgedObjects()).toEqual(["pack-evil.pack"]);
  });

  it.each([
    ["a commit graph", "info/commit-graph"],
    ["a chain of commit graphs", "info/commit-graphs/commit-graph-chain"],
    ["an index of several packs", "pack/multi-pack-index"],
    ["a map of which objects reach which", "pack/pack-1.bitmap"],
    ["a folder with the name of an object", `ab/${"c".repeat(38)}.d/x`],
  ])("names what git would believe without a look at the objects: %s", async (_what, path) => {
    using session = await startSession();
    writeFiles(join(session.options.gitDir, "objects"), { [path]: "CGPH" });
    expect(await session.repository.findForgedObjects()).toEqual([path]);
  });

  it.each(["ab/tmp_obj_x", "tmp_obj_x", "tmp_objdir-bulk-fsync-x/ab/cd", "pack/tmp_pack_x", "pack/.tmp-1-pack-x.idx"])(
    "lets what a git that was killed leaves pass: %s",
    async (path) => {
      using session = await startSession();
      writeFiles(join(session.options.gitDir, "objects"), { [path]: "torso" });
      expect(await session.repository.findForgedObjects()).toEqual([]);
    },
  );

  it("names what cannot be listed, or has a name that is no text", async () => {
    using session = await startSession();
    const objects = join(session.options.gitDir, "objects");
    mkdirSync(join(objects, "ab"), { mode: 0o311 });
    mkdirSync(join(objects, "pack"), { recursive: true });
    writeFileSync(Buffer.concat([Buffer.from(join(objects, "pack", "pack-")), Buffer.from([0xff])]), "PACK");
    expect(await session.repository.findForgedObjects()).toEqual(["ab", "pack/pack-\\xff"]);
    chmodSync(objects, 0o311);
    expect(await session.repository.findForgedObjects()).toEqual(["objects"]);
    chmodSync(objects, 0o755);
  });

  it("names what git could not read although the digest is right, and links behind which objects would lie", async () => {
    using session = await startSession();
    const { repository } = session;
    const { gitDir } = session.options;
    const forged = async (oid: string, object: Buffer, behind = "") => {
      const path = forge(gitDir, oid, object);
      appendFileSync(path, behind);
      const found = await repository.findForgedObjects();
      rmSync(path);
      return found;
    };
    const sound = Buffer.from("blob 1\0x");
    const small = createHash("sha1").update(sound).digest("hex");
    const large = Buffer.concat([Buffer.from(`blob ${LARGE}\0`), Buffer.alloc(LARGE)]);
    const zeros = createHash("sha1").update(large).digest("hex");
    expect(await forged(small, sound)).toEqual([]);
    expect(await forged(small, sound, "more")).toEqual([small]);
    expect(await forged(small, Buffer.from("blob 01\0x"))).toEqual([small]);
    expect(await forged(zeros, large)).toEqual([]);
    expect(await forged(zeros, large, "more")).toEqual([zeros]);
    const objects = join(gitDir, "objects");
    const folder = small.slice(0, 2);
    rmSync(join(objects, folder), { recursive: true });
    writeFiles(objects, { [folder]: { link: session.user } });
    expect(await repository.findForgedObjects()).toEqual([folder]);
    renameSync(objects, join(session.folder, "elsewhere"));
    writeFiles(gitDir, { objects: { link: join(session.folder, "elsewhere") } });
    expect(await repository.findForgedObjects()).toEqual(["objects"]);
  });
});

/** More than is read in one piece. */
const LARGE = 9 * 1024 * 1024;

function forge(gitDir: string, oid: string, content: Buffer): string {
  const path = join(gitDir, "objects", oid.slice(0, 2), oid.slice(2));
  mkdirSync(join(path, ".."), { recursive: true });
  rmSync(path, { force: true });
  writeFileSync(path, deflateSync(content));
  return path;
}
