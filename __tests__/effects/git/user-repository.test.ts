import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { createRunRepository } from "../../../src/effects/git/run-repository.ts";
import { openUserRepository, type OpenedUserRepository } from "../../../src/effects/git/user-repository.ts";
import {
  commitFiles,
  git,
  makeFixture,
  PERSON_ENV,
  writeFiles,
  type GitFixture,
  buildTree,
} from "../../support/git-fixture.ts";

const RUN_ID = "RUN_20260325T120000Z_deadbeef";
const BRANCH = `conveyor/plan/${RUN_ID}`;

/** Writes into a pipe that somebody reads from at this moment. */
function writeWhereRead(pipe: string, text: string): void {
  let file: number;
  try {
    file = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return;
  }
  try {
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
}

async function open(cwd: string, env: Readonly<Record<string, string>> = {}): Promise<OpenedUserRepository> {
  const opened = await openUserRepository(cwd, { env: { ...PERSON_ENV, ...env } });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

/** A commit on `base` that adds one file, made in a private repository over `user`. */
async function makeHead(fixture: GitFixture, user: OpenedUserRepository): Promise<{ gitDir: string; head: string }> {
  const gitDir = join(fixture.folder, "delivery run", "repo.git");
  const repository = await createRunRepository({
    gitDir,
    userGitCommonDir: user.gitCommonDir,
    worktreesRoot: join(fixture.folder, "delivery worktrees"),
    objectFormat: user.objectFormat,
    baseCommit: user.headCommit,
    searchPath: PERSON_ENV["PATH"] ?? "",
  });
  const worktree = await repository.openWorktree("item", user.headCommit);
  writeFiles(worktree.path, { "delivered\n.txt": "delivered" });
  const { tree } = await buildTree(repository, worktree, user.headCommit, []);
  const at = "2026-03-25T12:00:00Z";
  const head = await repository.commitTree({ tree, parent: user.headCommit, message: "done", at });
  return { gitDir, head };
}

async function deliver(
  fixture: GitFixture,
  user: OpenedUserRepository,
  from?: string,
): Promise<{ outcome: string; head: string }> {
  const { gitDir, head } = await makeHead(fixture, user);
  const base = user.headCommit;
  return { outcome: await user.deliverBranch({ privateGitDir: gitDir, branch: BRANCH, base, head, from }), head };
}

describe("the user's repository", () => {
  it.each(["sha1", "sha256"] as const)("is found from a folder below, with %s objects", async (format) => {
    using fixture = makeFixture({ format, name: 'a "user"\n\u00e4 repo' });
    const user = await open(join(fixture.user, "dir"));
    expect(user).toMatchObject({
      root: fixture.user,
      gitDir: join(fixture.user, ".git"),
      gitCommonDir: join(fixture.user, ".git"),
      objectFormat: format,
      headCommit: fixture.base,
      headRef: "refs/heads/main",
    });
    expect((await deliver(fixture, user)).outcome).toBe("moved");
  });

  it("may have a detached HEAD", async () => {
    using fixture = makeFixture();
    git(fixture.user, ["checkout", "-q", "--detach"]);
    expect((await open(fixture.user)).headRef).toBeUndefined();
  });

  it("may be a linked worktree", async () => {
    using fixture = makeFixture();
    git(fixture.user, ["worktree", "add", "-q", "-b", "side", "../linked tree"]);
    const user = await open(join(fixture.folder, "linked tree"));
    expect(user).toMatchObject({ headRef: "refs/heads/side", gitCommonDir: join(fixture.user, ".git") });
    expect(user.gitDir).not.toBe(user.gitCommonDir);
    expect((await deliver(fixture, user)).outcome).toBe("moved");
    expect(git(fixture.user, ["show", `${BRANCH}:delivered\n.txt`])).toBe("delivered");
  });

  it("is read without git where it says plainly what it is, and is never believed without a digest", async () => {
    using fixture = makeFixture();
    const log = join(fixture.folder, "starts");
    const script = `#!/bin/sh\necho x >> '${log}'\nPATH='${PERSON_ENV["PATH"] ?? ""}' exec git "$@"\n`;
    writeFiles(fixture.folder, { "bin/git": { executable: script } });
    const starts = async (act: () => Promise<unknown>): Promise<number> => {
      rmSync(log, { force: true });
      await act();
      return existsSync(log) ? readFileSync(log, "utf8").length / 2 : 0;
    };
    const look = async () =>
      await openUserRepository(fixture.user, { env: { ...PERSON_ENV, PATH: join(fixture.folder, "bin") } });
    // Its version, and where it lies.
    expect(await starts(look)).toBe(2);
    const opened = await look();
    if (!opened.ok) throw new Error(opened.error.message);
    const user = opened.value;
    const read = async () => [
      await user.readRef("refs/heads/main"),
      (await user.readFileAt(fixture.base, "dir/b.txt"))?.toString(),
    ];
    expect(await starts(async () => expect(await read()).toEqual([fixture.base, "b\n"]))).toBe(0);
    const list = async () => [await user.listUnsupported(fixture.base), await user.listFilesAt(fixture.base)];
    expect(await list()).toEqual([[], ["a.txt", "dir/b.txt"]]);
    expect(await starts(list)).toBe(1);
    git(fixture.user, ["pack-refs", "--all"]);
    expect(await look()).toMatchObject({ ok: true, value: { headCommit: fixture.base, headRef: "refs/heads/main" } });
    git(fixture.user, ["update-ref", "refs/heads/main", commitFiles(fixture.user, { "c.txt": "c" })]);
    const tip = git(fixture.user, ["rev-parse", "HEAD"]);
    expect(await starts(look)).toBe(2);
    const object = join(fixture.user, ".git", "objects", tip.slice(0, 2), tip.slice(2));
    const before = readFileSync(join(fixture.user, ".git", "objects", fixture.base.slice(0, 2), fixture.base.slice(2)));
    rmSync(object);
    writeFileSync(object, before);
    expect(await look()).toMatchObject({ ok: false, error: { kind: "no_commit" } });
    // A branch that names what is no commit.
    const blob = git(fixture.user, ["rev-parse", `${fixture.base}:a.txt`]);
    writeFileSync(join(fixture.user, ".git", "refs", "heads", "main"), `${blob}\n`);
    expect(await look()).toMatchObject({ ok: false, error: { kind: "no_commit" } });
  });

  it("is read from its packs where a loose object was torn, as after a power cut", async () => {
    using fixture = makeFixture();
    git(fixture.user, ["repack", "-a", "-q"]);
    for (const name of ["HEAD", "HEAD^{tree}", "HEAD:a.txt"]) {
      const oid = git(fixture.user, ["rev-parse", name]);
      const object = join(fixture.user, ".git", "objects", oid.slice(0, 2), oid.slice(2));
      rmSync(object);
      writeFileSync(object, "");
    }
    const user = await open(fixture.user);
    expect(user.headCommit).toBe(fixture.base);
    expect((await user.readFileAt(fixture.base, "a.txt"))?.toString()).toBe("one\ntwo\n");
    const run = await createRunRepository(fixture.options);
    expect((await run.readFileAt(fixture.base, "a.txt"))?.toString()).toBe("one\ntwo\n");
  });

  it("does not take one branch for another whose name has the same letters in an older encoding", async () => {
    using fixture = makeFixture();
    const name = "\u00e4";
    git(fixture.user, ["branch", Buffer.from(name).toString("latin1")]);
    git(fixture.user, ["checkout", "-q", "-b", name]);
    const headCommit = commitFiles(fixture.user, { "c.txt": "c" });
    expect(await open(fixture.user)).toMatchObject({ headCommit, headRef: `refs/heads/${name}` });
  });

  it("does not stand still where a pipe lies in the place of a branch: git waits for it, and is told when to stop", async () => {
    using fixture = makeFixture();
    const user = await open(fixture.user);
    const pipe = join(fixture.user, ".git", "refs", "heads", "pipe");
    execFileSync("mkfifo", [pipe]);
    let isAnswered = false;
    const asked = user.readRef("refs/heads/pipe").finally(() => {
      isAnswered = true;
    });
    for (; !isAnswered; await sleep(5)) writeWhereRead(pipe, `${fixture.base}\n`);
    expect(await asked).toBe(fixture.base);
  });

  it("is not misled by variables that point git elsewhere", async () => {
    using fixture = makeFixture();
    const env = {
      GIT_DIR: "/nowhere",
      GIT_WORK_TREE: "/nowhere",
      GIT_INDEX_FILE: "/nowhere",
      GIT_OBJECT_DIRECTORY: "/x",
    };
    const user = await open(fixture.user, env);
    expect(await user.listUncommitted()).toEqual([]);
  });

  it("is refused as a value when there is none, it is bare or has no commit", async () => {
    using fixture = makeFixture();
    const refusal = async (cwd: string): Promise<string> => {
      const opened = await openUserRepository(cwd, { env: PERSON_ENV });
      return opened.ok ? "opened" : opened.error.kind;
    };
    git(fixture.folder, ["init", "-q", "--bare", "bare.git"]);
    git(fixture.folder, ["init", "-q", "empty"]);
    mkdirSync(join(fixture.folder, "nothing"));
    expect(await refusal(join(fixture.folder, "bare.git"))).toBe("bare");
    expect(await refusal(join(fixture.folder, "empty"))).toBe("no_commit");
    expect(await refusal(join(fixture.folder, "nothing"))).toBe("not_a_repository");
    expect(await refusal(join(fixture.user, ".git"))).toBe("not_a_repository");
  });
});

describe("reading it", () => {
  it("gives refs, ancestry and files", async () => {
    using fixture = makeFixture({ files: { "odd\n\u00e4": "content" } });
    const next = commitFiles(fixture.user, { more: "x" });
    git(fixture.user, ["tag", "-a", "-m", "t", "v1", fixture.base]);
    const user = await open(fixture.user);
    expect(await user.readRef("refs/heads/main")).toBe(next);
    expect(await user.readRef("refs/tags/v1")).toBe(fixture.base);
    expect(await user.readRef("refs/heads/none")).toBeUndefined();
    expect(await user.readRef("--all")).toBeUndefined();
    expect(await user.isAncestor(fixture.base, next)).toBe(true);
    expect(await user.isAncestor(next, fixture.base)).toBe(false);
    expect(await user.isAncestor("d".repeat(40), next)).toBe(false);
    expect(Buffer.from((await user.readFileAt(fixture.base, "odd\n\u00e4")) ?? []).toString()).toBe("content");
    expect(await user.readFileAt(fixture.base, "more")).toBeUndefined();
    expect(await user.listFilesAt(next)).toEqual(["more", "odd\n\u00e4"]);
  });

  it("lists tracked changes, staged ones too, and no untracked files", async () => {
    const names = ["staged", "edited", "new\nline", " lead", "gone", "kept", "renamed"];
    using fixture = makeFixture({ files: Object.fromEntries(names.map((name) => [name, name])) });
    writeFiles(fixture.user, { staged: "1", added: "1" });
    git(fixture.user, ["add", "staged", "added"]);
    git(fixture.user, ["mv", "renamed", "to"]);
    writeFiles(fixture.user, { edited: "1", "new\nline": "1", " lead": "1", untracked: "1" });
    rmSync(join(fixture.user, "gone"));
    const user = await open(fixture.user);
    expect([...(await user.listUncommitted())].toSorted()).toEqual(
      ["staged", "added", "edited", "new\nline", " lead", "gone", "renamed", "to"].toSorted(),
    );
  });

  it("lets the user's own configuration decide what is dirty", async () => {
    using fixture = makeFixture({ files: { "a.txt": "unix\n" } });
    writeFiles(fixture.folder, { gitconfig: "[core]\n\tautocrlf = true\n" });
    const env = { GIT_CONFIG_GLOBAL: join(fixture.folder, "gitconfig") };
    rmSync(join(fixture.user, "a.txt"));
    git(fixture.user, ["checkout", "-q", "--", "a.txt"], env);
    expect(readFileSync(join(fixture.user, "a.txt"), "utf8")).toBe("unix\r\n");
    // Another time of change makes git look at the content again.
    utimesSync(join(fixture.user, "a.txt"), 1, 1);
    expect(await (await open(fixture.user)).listUncommitted()).toEqual(["a.txt"]);
    expect(await (await open(fixture.user, env)).listUncommitted()).toEqual([]);
  });

  it("names submodules, LFS and partial clones, and nothing else", async () => {
    using fixture = makeFixture({ files: { ".gitattributes": "# *.a filter=lfs\n*.b text\n", "filter=lfs": "" } });
    expect(await (await open(fixture.user)).listUnsupported(fixture.base)).toEqual([]);
    const lfs = commitFiles(fixture.user, { "d/.gitattributes": "*.psd filter=lfs diff=lfs -text\n" });
    git(fixture.user, ["update-index", "--add", "--cacheinfo", `160000,${fixture.base},sub`]);
    git(fixture.user, ["commit", "-qm", "sub"]);
    git(fixture.user, ["config", "remote.origin.promisor", "true"]);
    const user = await open(fixture.user);
    expect(await user.listUnsupported(lfs)).toEqual([
      "Git LFS: d/.gitattributes",
      "partial clone: objects are missing",
    ]);
    expect(await user.listUnsupported(user.headCommit)).toContain("submodule: sub");
  });

  it("runs no hook and no fsmonitor", async () => {
    using fixture = makeFixture();
    const marker = join(fixture.folder, "marker");
    const script = `#!/bin/sh\ntouch '${marker}'\n`;
    const hooks = ["reference-transaction", "post-index-change", "post-update", "update", "fsm"];
    writeFiles(
      join(fixture.user, ".git/hooks"),
      Object.fromEntries(hooks.map((name) => [name, { executable: script }])),
    );
    git(fixture.user, ["config", "core.fsmonitor", `'${join(fixture.user, ".git/hooks/fsm")}'`]);
    git(fixture.user, ["status"]);
    expect(existsSync(marker)).toBe(true);
    rmSync(marker);
    const user = await open(fixture.user);
    await user.listUncommitted();
    await user.pinBase(RUN_ID, fixture.base);
    expect((await deliver(fixture, user)).outcome).toBe("moved");
    expect(existsSync(marker)).toBe(false);
  });
});

describe("writing to it", () => {
  it("pins the base of a run, twice without harm", async () => {
    using fixture = makeFixture();
    const user = await open(fixture.user);
    await user.pinBase(RUN_ID, fixture.base);
    await user.pinBase(RUN_ID, fixture.base);
    expect(await user.readRef(`refs/conveyor/base/${RUN_ID}`)).toBe(fixture.base);
    await expect(user.pinBase("../evil", fixture.base)).rejects.toThrow("run id");
  });

  it("delivers what the base lacks and nothing of the checkout moves", async () => {
    using fixture = makeFixture();
    const user = await open(fixture.user);
    const { outcome, head } = await deliver(fixture, user);
    expect(outcome).toBe("moved");
    rmSync(join(fixture.folder, "delivery run"), { recursive: true });
    expect(await user.readRef(`refs/heads/${BRANCH}`)).toBe(head);
    expect(git(fixture.user, ["fsck", "--no-dangling"])).toBe("");
    expect(git(fixture.user, ["status", "--porcelain"])).toBe("");
    expect(git(fixture.user, ["rev-parse", "HEAD"])).toBe(fixture.base);
    expect(git(fixture.user, ["show", `${head}:delivered\n.txt`])).toBe("delivered");
  });

  it("is refused when the branch is not what it was, and moves nothing", async () => {
    using fixture = makeFixture();
    const user = await open(fixture.user);
    git(fixture.user, ["branch", BRANCH]);
    expect((await deliver(fixture, user)).outcome).toBe("refused");
    expect(await user.readRef(`refs/heads/${BRANCH}`)).toBe(fixture.base);
    expect(git(fixture.user, ["fsck"])).toBe("");
    const other = commitFiles(fixture.user, { x: "x" });
    expect((await deliver(fixture, user, other)).outcome).toBe("refused");
    expect((await deliver(fixture, user, fixture.base)).outcome).toBe("moved");
  });

  it("is refused when another branch lies where a folder is needed, or the branch is checked out", async () => {
    using fixture = makeFixture();
    const user = await open(fixture.user);
    git(fixture.user, ["branch", "conveyor"]);
    expect((await deliver(fixture, user)).outcome).toBe("refused");
    git(fixture.user, ["branch", "-D", "conveyor"]);
    git(fixture.user, ["worktree", "add", "-q", "-b", BRANCH, "../checked out"]);
    expect((await deliver(fixture, user, fixture.base)).outcome).toBe("refused");
    expect(await user.readRef(`refs/heads/${BRANCH}`)).toBe(fixture.base);
  });

  it("works in a shallow clone", async () => {
    using fixture = makeFixture();
    commitFiles(fixture.user, { "a.txt": "second" });
    const url = pathToFileURL(fixture.user).href;
    git(fixture.folder, ["clone", "-q", "--depth", "1", url, "shallow clone"]);
    const user = await open(join(fixture.folder, "shallow clone"));
    const { outcome, head } = await deliver(fixture, user);
    expect(outcome).toBe("moved");
    for (const gitDir of [user.gitDir, join(fixture.folder, "delivery run", "repo.git")]) {
      expect(git(gitDir, ["--git-dir", gitDir, "log", "--format=%H", head])).toBe(`${head}\n${user.headCommit}`);
    }
    expect(git(user.root, ["fsck", "--no-dangling"])).toBe("");
  });

  it("works beside a person who commits and collects garbage meanwhile", async () => {
    using fixture = makeFixture();
    const user = await open(fixture.user);
    await user.pinBase(RUN_ID, fixture.base);
    const { gitDir, head } = await makeHead(fixture, user);
    git(fixture.user, ["checkout", "-q", "--orphan", "fresh"]);
    commitFiles(fixture.user, { other: "x" });
    git(fixture.user, ["branch", "-D", "main"]);
    git(fixture.user, ["reflog", "expire", "--expire=all", "--all"]);
    git(fixture.user, ["gc", "-q", "--prune=now"]);
    const input = { privateGitDir: gitDir, branch: BRANCH, base: fixture.base, head, from: undefined };
    expect(await user.deliverBranch(input)).toBe("moved");
    expect(git(fixture.user, ["fsck", "--no-dangling"])).toBe("");
  });

  it("throws, and moves no branch, when the head cannot be read", async () => {
    using fixture = makeFixture();
    const user = await open(fixture.user);
    const { gitDir } = await makeHead(fixture, user);
    const head = "d".repeat(40);
    const input = { privateGitDir: gitDir, branch: BRANCH, base: fixture.base, head, from: undefined };
    await expect(user.deliverBranch(input)).rejects.toThrow("pack-objects");
    expect(await user.readRef(`refs/heads/${BRANCH}`)).toBeUndefined();
  });
});
