import {
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
import { describe, expect, it } from "vitest";
import {
  createRunRepository,
  inspectRunRepository,
  openRunRepository,
} from "../../../src/effects/git/run-repository.ts";
import {
  commitFiles,
  git,
  makeFixture,
  startSession,
  writeFiles,
  type Session,
  buildTree,
} from "../../support/git-fixture.ts";

const DATE = "2026-03-25T12:34:56.789Z";

async function commitAll(session: Session, message = "Item done\n\nPlan: P"): Promise<string> {
  const { tree } = await buildTree(session.repository, session.worktree, session.base, []);
  return session.repository.commitTree({ tree, parent: session.base, message, at: DATE });
}

describe("the private repository", () => {
  it("has no remotes, no hooks, its own attributes, and the user's objects as alternate", async () => {
    using fixture = makeFixture();
    git(fixture.user, ["remote", "add", "origin", "/nowhere"]);
    git(fixture.user, ["config", "core.pager", "evil"]);
    await createRunRepository(fixture.options);
    const { gitDir } = fixture.options;
    expect(git(gitDir, ["--git-dir", gitDir, "remote"])).toBe("");
    expect(readFileSync(join(gitDir, "config"), "utf8")).not.toContain("evil");
    expect(readFileSync(join(gitDir, "info/attributes"), "utf8")).toBe(
      "* -text -filter -ident -working-tree-encoding\n",
    );
    expect(readFileSync(join(gitDir, "objects/info/alternates"), "utf8")).toBe(
      `${join(fixture.user, ".git/objects")}\n`,
    );
    expect(existsSync(join(gitDir, "hooks", "pre-commit.sample"))).toBe(false);
    expect(git(gitDir, ["--git-dir", gitDir, "fsck", "--no-dangling"])).toBe("");
  });

  it("can be made again after a kill at any point, and keeps refs and objects", async () => {
    using fixture = makeFixture();
    const { gitDir } = fixture.options;
    mkdirSync(`${gitDir}.partial/objects`, { recursive: true });
    writeFileSync(`${gitDir}.partial/config.lock`, "");
    const first = await createRunRepository(fixture.options);
    await first.swapRef("refs/heads/run", undefined, fixture.base);
    rmSync(join(gitDir, "objects/info/alternates"));
    writeFileSync(join(gitDir, "config.lock"), "");
    writeFileSync(join(gitDir, "hooks/pre-commit"), "");
    const second = await createRunRepository(fixture.options);
    expect(await second.readRef("refs/heads/run")).toBe(fixture.base);
    expect(existsSync(join(gitDir, "hooks/pre-commit"))).toBe(false);
    expect(existsSync(join(gitDir, "config.lock"))).toBe(false);
  });

  it("throws when the base commit cannot be read", async () => {
    using fixture = makeFixture();
    await expect(createRunRepository({ ...fixture.options, baseCommit: "d".repeat(40) })).rejects.toThrow(
      "base commit",
    );
  });

  it("opens again where run folder and user repository were copied to", async () => {
    using session = await startSession();
    writeFiles(session.worktree.path, { "new.txt": "new" });
    const commit = await commitAll(session);
    await session.repository.swapRef("refs/heads/run", undefined, commit);
    const moved = join(session.folder, "moved\nrun");
    cpSync(join(session.folder, "run folder"), moved, { recursive: true });
    renameSync(session.user, join(session.folder, 'other: "user"\n'));
    const options = {
      ...session.options,
      gitDir: join(moved, "repo.git"),
      userGitCommonDir: join(session.folder, 'other: "user"\n', ".git"),
      worktreesRoot: join(session.folder, "elsewhere"),
    };
    const inspected = inspectRunRepository(options);
    expect(await inspected.listFilesAt(commit)).toEqual(["a.txt", "dir/b.txt", "new.txt"]);
    expect((await inspected.listChanges(session.base, commit)).map((change) => change.path)).toEqual(["new.txt"]);
    expect(await inspected.readRef("refs/heads/run")).toBe(commit);
    expect(await inspected.findForgedObjects()).toEqual([]);
    expect(readFileSync(join(options.gitDir, "objects/info/alternates"), "utf8")).not.toContain("other");
    const opened = await openRunRepository(options);
    expect(await opened?.readRef("refs/heads/run")).toBe(commit);
    expect(await opened?.findWorktree("item-1")).toBeUndefined();
    expect(await opened?.listFilesAt(commit)).toEqual(["a.txt", "dir/b.txt", "new.txt"]);
    expect(await openRunRepository({ ...options, gitDir: join(moved, "missing.git") })).toBeUndefined();
    // A link would have us write, and remove, in the user's own repository.
    const theirs = join(options.userGitCommonDir, "objects");
    mkdirSync(join(theirs, "info"), { recursive: true });
    writeFileSync(join(theirs, "info", "kept"), "");
    rmSync(join(options.gitDir, "objects"), { recursive: true });
    symlinkSync(theirs, join(options.gitDir, "objects"));
    rmSync(join(options.gitDir, "worktrees"), { recursive: true });
    symlinkSync(theirs, join(options.gitDir, "worktrees"));
    await inspected.removeWorktrees();
    expect(await openRunRepository(options)).toBeUndefined();
    expect(readdirSync(join(theirs, "info"))).toEqual(["kept"]);
    symlinkSync(join(session.folder, "run folder", "repo.git"), join(moved, "linked.git"));
    expect(await openRunRepository({ ...options, gitDir: join(moved, "linked.git") })).toBeUndefined();
  });

  it.each(["sha1", "sha256"] as const)("works from start to end with %s", async (format) => {
    using session = await startSession({ format });
    writeFiles(session.worktree.path, { "new.txt": "new" });
    const commit = await commitAll(session);
    expect(commit.length).toBe(format === "sha1" ? 40 : 64);
    expect(await session.repository.readParentsOf(commit)).toEqual([session.base]);
    expect(
      await session.repository.compareSnapshot(await session.repository.snapshot(session.worktree), session.worktree),
    ).toEqual([]);
  });

  it("reads through alternates of the user's own, relative ones too", async () => {
    using fixture = makeFixture();
    git(fixture.folder, ["clone", "-q", "--shared", "user repo", "clone"]);
    writeFileSync(join(fixture.folder, "clone/.git/objects/info/alternates"), "../../../user repo/.git/objects\n");
    const repository = await createRunRepository({
      ...fixture.options,
      userGitCommonDir: join(fixture.folder, "clone/.git"),
    });
    expect(await repository.listFilesAt(fixture.base)).toEqual(["a.txt", "dir/b.txt"]);
  });
});

describe("an item", () => {
  it("costs at most twelve git processes, without prepare", async () => {
    using fixture = makeFixture();
    const log = join(fixture.folder, "spawned");
    const script = `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\nPATH='${process.env["PATH"] ?? ""}' exec git "$@"\n`;
    writeFiles(fixture.folder, { "bin/git": { executable: script } });
    const first = await createRunRepository({ ...fixture.options, searchPath: join(fixture.folder, "bin") });
    const warm = await first.openWorktree("warm", fixture.base);
    await buildTree(first, warm, fixture.base, []);
    // What the base holds lies loose in the user's repository.
    expect(readFileSync(log, "utf8")).not.toContain("cat-file");
    rmSync(log);
    const worktree = await first.openWorktree("item", fixture.base);
    const before = await first.snapshot(worktree);
    writeFiles(worktree.path, { "new.txt": "new" });
    expect(await first.compareSnapshot(before, worktree)).toEqual([]);
    const { tree } = await buildTree(first, worktree, fixture.base, []);
    const commit = await first.commitTree({ tree, parent: fixture.base, message: "m", at: DATE });
    await first.openWorktree("verify", commit);
    await first.buildPatch(fixture.base, commit);
    await first.swapRef("refs/heads/run", undefined, commit);
    expect(readFileSync(log, "utf8").trim().split("\n").length).toBeLessThanOrEqual(12);
  });
});

describe("worktrees", () => {
  it("are detached at the commit, clean for git, and found again", async () => {
    using session = await startSession();
    const { repository, worktree } = session;
    expect(worktree.path).toBe(join(session.options.worktreesRoot, "item-1"));
    expect(git(worktree.path, ["rev-parse", "HEAD"])).toBe(session.base);
    expect(git(worktree.path, ["status", "--porcelain"])).toBe("");
    expect(git(worktree.path, ["worktree", "list", "--porcelain"])).toContain(
      `worktree ${worktree.path}\nHEAD ${session.base}`,
    );
    expect(await repository.findWorktree("item-1")).toEqual(worktree);
    expect(await repository.findWorktree("item-2")).toBeUndefined();
    rmSync(join(worktree.path, ".git"));
    expect(await repository.findWorktree("item-1")).toBeUndefined();
  });

  it("are always fresh, whatever a killed try left", async () => {
    using session = await startSession();
    const { path } = session.worktree;
    writeFiles(path, { "left/over": "x", "a.txt": "changed" });
    git(path, ["update-index", "--skip-worktree", "a.txt"]);
    chmodSync(join(path, "left"), 0o000);
    writeFileSync(join(session.options.gitDir, "worktrees/item-1/index.lock"), "");
    const again = await session.repository.openWorktree("item-1", session.base);
    expect(existsSync(join(path, "left"))).toBe(false);
    expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("one\ntwo\n");
    expect(await session.repository.listUntracked(again)).toEqual([]);
    expect(await session.repository.compareSnapshot(await session.repository.snapshot(again), again)).toEqual([]);
  });

  it("never remove what a link in their place points to", async () => {
    using session = await startSession();
    writeFiles(session.folder, { "precious/file": "x" });
    rmSync(session.worktree.path, { recursive: true });
    symlinkSync(join(session.folder, "precious"), session.worktree.path);
    await session.repository.openWorktree("item-1", session.base);
    writeFiles(session.worktree.path, { out: { link: join(session.folder, "precious") } });
    writeFiles(session.options.worktreesRoot, { "cache/kept": "x" });
    await session.repository.removeWorktrees();
    expect(existsSync(session.worktree.path)).toBe(false);
    expect(existsSync(join(session.folder, "precious/file"))).toBe(true);
    expect(existsSync(join(session.options.worktreesRoot, "cache/kept"))).toBe(true);
    expect(await session.repository.findWorktree("item-1")).toBeUndefined();
  });

  it.each(["../up", "", ".", "a/b", "-x"])("refuse the name %j", async (name) => {
    using session = await startSession();
    await expect(session.repository.openWorktree(name, session.base)).rejects.toThrow("expected a name");
  });

  it("take over the files of a tree while HEAD and index stay", async () => {
    using session = await startSession({ files: { keep: "k", gone: "g", same: "aaa", "d/x": "1" } });
    const { repository, worktree } = session;
    rmSync(join(worktree.path, "gone"));
    writeFiles(worktree.path, { "new\nfile": "n", same: "bbb", l: { link: "keep" } });
    const { tree } = await buildTree(repository, worktree, session.base, []);
    const fresh = await repository.openWorktree("item-1-again", session.base);
    writeFiles(fresh.path, { keep: "spoilt", "node_modules/prepared": "p", "new\nfile": "in the way" });
    await repository.restoreTree(fresh, tree);
    expect(readFileSync(join(fresh.path, "keep"), "utf8")).toBe("k");
    expect(existsSync(join(fresh.path, "node_modules/prepared"))).toBe(true);
    expect(git(fresh.path, ["rev-parse", "HEAD"])).toBe(session.base);
    expect(git(fresh.path, ["diff", "--cached", "--name-only"])).toBe("");
    expect((await buildTree(repository, fresh, session.base, ["node_modules/prepared"])).tree).toBe(tree);
  });
});

describe("bytes", () => {
  const ATTRIBUTES = [
    "*.crlf text eol=crlf",
    "*.auto text=auto",
    "*.x filter=x",
    "*.id ident",
    "*.u16 text working-tree-encoding=UTF-16",
    "",
  ].join("\n");

  it("stay as they are through checkout and candidate, and no filter runs", async () => {
    const files = {
      ".gitattributes": ATTRIBUTES,
      "a.crlf": "unix\nlines\n",
      "b.crlf": "dos\r\nlines\r\n",
      "c.auto": "mixed\r\nlines\n",
      "d.x": "filtered",
      "e.id": "$Id$ $Id: 123 $",
      "f.u16": "not utf-16 at all",
    };
    using session = await startSession({ files });
    const { repository, worktree, options } = session;
    const marker = join(session.folder, "marker");
    // Planted after the snapshot and with our own attributes emptied: still nothing of it may run.
    plantConfig(
      session,
      `[filter "x"]\n\tclean = touch '${marker}'\n\tsmudge = touch '${marker}'\n\trequired = true\n`,
    );
    writeFileSync(join(options.gitDir, "info/attributes"), "");
    for (const [path, content] of Object.entries(files)) {
      expect(readFileSync(join(worktree.path, path), "utf8")).toBe(content);
    }
    expect((await buildTree(repository, worktree, session.base, [])).changes).toEqual([]);
    writeFiles(worktree.path, { "g.x": "new", "h.crlf": "new\r\n", "d.x": "changed" });
    const { tree } = await buildTree(repository, worktree, session.base, []);
    const again = await repository.openWorktree(
      "verify",
      await repository.commitTree({ tree, parent: session.base, message: "m", at: DATE }),
    );
    expect(readFileSync(join(again.path, "h.crlf"), "utf8")).toBe("new\r\n");
    expect(Buffer.from((await repository.readFileAt(tree, "g.x")) ?? []).toString()).toBe("new");
    expect(await repository.listTrackedChanges(again, tree)).toEqual([]);
    await repository.restoreTree(again, session.base);
    expect(existsSync(marker)).toBe(false);
  });

  it("are never handed to programs that the private configuration names", async () => {
    using session = await startSession({ files: { ".gitattributes": "* diff=x merge=x\n", "a.txt": "1\n" } });
    const { repository, worktree, folder, options } = session;
    const marker = join(folder, "marker");
    const script = join(folder, "evil.sh");
    writeFiles(folder, { "evil.sh": { executable: `#!/bin/sh\ntouch '${marker}'\n` } });
    const keys = [
      "core.fsmonitor",
      "core.pager",
      "core.sshCommand",
      "core.editor",
      "core.askPass",
      "core.gitProxy",
      "core.alternateRefsCommand",
      "diff.external",
      "diff.x.command",
      "diff.x.textconv",
      "merge.x.driver",
      "credential.helper",
      "gpg.program",
      "gpg.ssh.program",
      "sequence.editor",
      "uploadpack.packObjectsHook",
      "alias.read-tree",
      "alias.add",
      "interactive.diffFilter",
      "filter.x.process",
    ];
    for (const key of keys) git(worktree.path, ["config", key, key.startsWith("alias") ? `!${script}` : script]);
    const settings = [
      ["commit.gpgSign", "true"],
      ["core.hooksPath", join(folder, "hooks")],
      ["core.worktree", folder],
      ["core.attributesFile", join(folder, "attributes")],
      ["include.path", join(folder, "included")],
    ] as const;
    writeFiles(folder, { attributes: "* filter=x diff=x\n", included: `[core]\n\tfsmonitor = ${script}\n` });
    const hooks = [
      "post-checkout",
      "post-commit",
      "pre-commit",
      "reference-transaction",
      "post-index-change",
      "update",
    ];
    for (const hook of hooks) {
      for (const at of [join(folder, "hooks"), join(options.gitDir, "hooks")]) {
        writeFiles(at, { [hook]: { executable: `#!/bin/sh\ntouch '${marker}'\n` } });
      }
    }
    for (const [key, value] of settings) git(worktree.path, ["config", key, value]);
    rmSync(marker, { force: true });
    rmSync(join(options.gitDir, "info/attributes"));
    writeFiles(worktree.path, { "a.txt": "2\n", "b.txt": "3\n" });
    const commit = await commitAll(session);
    await repository.swapRef("refs/heads/run", undefined, commit);
    await repository.buildPatch(session.base, commit);
    await repository.listTrackedChanges(worktree, session.base);
    await repository.openWorktree("verify", commit);
    expect(existsSync(marker)).toBe(false);
    expect(await repository.readRef("refs/heads/run")).toBe(commit);
  });
});

describe("commits, refs and patches", () => {
  it("name Plan Conveyor as author and committer at the given time in UTC", async () => {
    using session = await startSession();
    writeFiles(session.worktree.path, { "new.txt": "new" });
    const commit = await commitAll(session, "-Subject: h\u00e4\n\nItem: 'x'\n");
    const format = "--format=%an <%ae>|%cn <%ce>|%aI|%cI|%B";
    const person = "Plan Conveyor <plan-conveyor@noreply.invalid>";
    const date = "2026-03-25T12:34:56Z";
    const shown = git(session.worktree.path, ["log", "-1", format, commit]).replaceAll("+00:00", "Z");
    expect(shown).toBe(`${person}|${person}|${date}|${date}|-Subject: h\u00e4\n\nItem: 'x'`);
    expect(await commitAll(session, "-Subject: h\u00e4\n\nItem: 'x'\n")).toBe(commit);
  });

  it("move a ref only from what it was", async () => {
    using session = await startSession();
    const { repository, base } = session;
    const next = commitFiles(session.user, { "a.txt": "2" });
    expect(await repository.readRef("refs/heads/run")).toBeUndefined();
    expect(await repository.swapRef("refs/heads/run", next, base)).toBe("refused");
    expect(await repository.swapRef("refs/heads/run", undefined, base)).toBe("moved");
    expect(await repository.swapRef("refs/heads/run", undefined, next)).toBe("refused");
    expect(await repository.swapRef("refs/heads/run", next, next)).toBe("refused");
    expect(await repository.swapRef("refs/heads/run", base, next)).toBe("moved");
    expect(await repository.swapRef("refs/heads/run/below", undefined, next)).toBe("refused");
    expect(await repository.readRef("refs/heads/run")).toBe(next);
    await expect(repository.swapRef("refs/heads/x", undefined, "d".repeat(40))).rejects.toThrow("update-ref");
    await expect(repository.swapRef("HEAD", undefined, next)).rejects.toThrow("full ref name");
  });

  it("show content as text in a patch that can be applied, whatever attributes say", async () => {
    using session = await startSession({
      files: { ".gitattributes": "*.x -diff\n*.b binary\n", "a.x": "before\n", "r.txt": "moved\n" },
    });
    const { worktree, repository } = session;
    renameSync(join(worktree.path, "r.txt"), join(worktree.path, "new name\n\u00e4.txt"));
    writeFiles(worktree.path, { "a.x": "hidden change\n", "n.b": "nul \0 byte\n", run: { executable: "#!/bin/sh\n" } });
    const commit = await commitAll(session);
    const patch = Buffer.from(await repository.buildPatch(session.base, commit));
    const text = patch.toString("utf8");
    for (const part of [
      "-before\n+hidden change\n",
      "+nul \0 byte\n",
      "-moved\n",
      "+moved\n",
      "new file mode 100755",
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toMatch(/Binary files|GIT binary patch|rename from/);
    expect(text).toMatch(/^index [0-9a-f]{40}\.\.[0-9a-f]{40}/m);
    writeFileSync(join(session.folder, "patch"), patch);
    const target = await repository.openWorktree("apply", session.base);
    git(target.path, ["apply", join(session.folder, "patch")]);
    expect((await buildTree(repository, target, session.base, [])).tree).toBe(await repository.readTreeOf(commit));
    const changes = await repository.listChanges(session.base, commit);
    expect(changes.map((change) => `${change.status} ${change.path}`)).toEqual([
      "modified a.x",
      "added n.b",
      "added new name\n\u00e4.txt",
      "deleted r.txt",
      "added run",
    ]);
  });

  it("give files of a commit by odd paths, and nothing for folders and what is not there", async () => {
    const names = ["new\nline", "a^1", "x-gabcdef1", ":odd", "dir/@{u}", "-x", "\u00e4 b"];
    using session = await startSession({ files: { ...Object.fromEntries(names.map((n) => [n, n])), empty: "" } });
    for (const name of names) {
      expect(Buffer.from((await session.repository.readFileAt(session.base, name)) ?? []).toString()).toBe(name);
    }
    expect(await session.repository.readFileAt(session.base, "empty")).toEqual(Buffer.alloc(0));
    for (const name of ["dir", "missing", "dir/missing", "a^1/x", "../x", ""]) {
      expect(await session.repository.readFileAt(session.base, name)).toBeUndefined();
    }
    expect(await session.repository.readFileAt("d".repeat(40), "empty")).toBeUndefined();
    expect([...(await session.repository.listFilesAt(session.base))].toSorted()).toEqual(
      [...names, "empty"].toSorted(),
    );
  });
});

function plantConfig({ options }: Session, text: string): void {
  const path = join(options.gitDir, "config");
  writeFileSync(path, readFileSync(path, "utf8") + text);
}
