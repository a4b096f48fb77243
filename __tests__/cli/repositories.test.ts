import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { GATES_OPEN, PLAN_PATH, TestRepository } from "../support/conveyor.ts";
import { git } from "../support/git-run.ts";
import { once } from "../support/once.ts";
import { conveyorAt, EVIDENCE_PATH, makeTwin, readEvents, WAIT_FOR_TEST, waitForFile } from "../support/worlds.ts";

const RUN = ["run", PLAN_PATH, ...GATES_OPEN];
const WORK = 'mkdir -p out && echo "$ORCH_ITEM_ID done" > "out/$ORCH_ITEM_ID.txt"\n';

/** Runs the plan in a checkout and expects all that a good run leaves there. */
async function expectGoodRun(repository: TestRepository, checkout: string, env: Record<string, string> = {}) {
  const ran = await conveyorAt(repository, checkout, RUN, env);
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.outcome.terminal_state).toBe("done");
  expect(git(checkout, "show", `${ran.outcome.branch}:out/01.txt`)).toBe("01 done");
  // The item's commit, and the closing one on top of it.
  expect(git(checkout, "rev-list", "--count", `HEAD..${ran.outcome.branch}`)).toBe("2");
  const changed = (from: string, to: string): string => git(checkout, "diff", "--name-only", from, to);
  expect(changed(`${ran.outcome.branch}~1`, ran.outcome.branch)).toBe(EVIDENCE_PATH);
  expect(changed("HEAD", `${ran.outcome.branch}~1`)).toMatch(/^out\/01\.txt(\nout\/log\.txt)?$/);
  expect(git(checkout, "status", "--porcelain")).toBe("");
  const verified = await repository.conveyor(["verify"], { cwd: checkout, env });
  expect(verified.code, verified.stdout + verified.stderr).toBe(0);
  return ran;
}

/** Runs the plan where nothing may be started. */
async function expectRefusal(repository: TestRepository, checkout: string, code: string) {
  const ran = await conveyorAt(repository, checkout, RUN);
  expect(ran.stderr).toContain(code);
  expect(ran.stderr).not.toContain("    at ");
  expect(ran.stdout).toBe("");
  expect(ran.code).toBe(2);
  expect(existsSync(join(checkout, ".conveyor"))).toBe(false);
  return ran;
}

describe("kinds of repository in which a run works", () => {
  test("a clone of depth 1, whose history ends for the executor too", async () => {
    const repository = new TestRepository({ executor: `set -e\n${WORK}git log --format=%s > out/log.txt\n` });
    repository.write({ "later.txt": "later\n" });
    repository.commit("later");
    const clone = join(repository.base, "clone");
    git(repository.base, "clone", "--quiet", "--depth", "1", pathToFileURL(repository.path).href, clone);
    expect(git(clone, "rev-parse", "--is-shallow-repository")).toBe("true");
    const ran = await expectGoodRun(repository, clone);
    expect(git(clone, "rev-list", "--count", ran.outcome.branch)).toBe("3");
    expect(git(clone, "show", `${ran.outcome.branch}:out/log.txt`)).toBe("later");
    expect(git(clone, "fsck", "--no-dangling")).toBe("");
  });

  test("a detached HEAD, which is then itself the base that is trusted", async () => {
    const repository = new TestRepository();
    repository.git("checkout", "--quiet", "--detach");
    const ran = await expectGoodRun(repository, repository.path);
    expect(repository.events()[0]?.details["trust_ref"]).toBeNull();
    expect(repository.git("rev-parse", "HEAD")).not.toBe(ran.outcome.head_sha);
    expect(repository.git("rev-parse", "--abbrev-ref", "HEAD")).toBe("HEAD");
  });

  test("a linked worktree, whose run lies in it and whose branch is everybody's", async () => {
    const repository = new TestRepository();
    const linked = join(repository.base, "linked");
    repository.git("worktree", "add", "--quiet", "-b", "side", linked);
    const ran = await expectGoodRun(repository, linked);
    expect(existsSync(join(linked, ".conveyor", "runs", ran.outcome.run_id))).toBe(true);
    expect(existsSync(join(repository.path, ".conveyor"))).toBe(false);
    expect(readEvents(ran.outcome.run_dir)[0]?.details["trust_ref"]).toBe("refs/heads/side");
    expect(repository.git("rev-parse", ran.outcome.branch)).toBe(ran.outcome.head_sha);
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  /** Names of objects say nothing of paths, nor the other way round: one run for both. */
  const twin = once(async () => {
    const repository = new TestRepository();
    const path = makeTwin(repository, `it's "a": ünï $HOME \\ 'répo' %41;#`, ["--object-format=sha256"]);
    const ran = await expectGoodRun(repository, path, { XDG_CACHE_HOME: join(repository.base, `cächë "of": a's`) });
    return { repository, path, ran };
  });

  test("object names of SHA-256", async () => {
    const { path, ran } = await twin();
    expect(ran.outcome.head_sha).toMatch(/^[0-9a-f]{64}$/);
    expect(git(path, "fsck", "--no-dangling")).toBe("");
  });

  test("a path with spaces, quotes, a dollar, a colon and letters that are not ASCII", async () => {
    const { repository, path, ran } = await twin();
    expect(ran.outcome.run_dir).toBe(join(path, ".conveyor", "runs", ran.outcome.run_id));
    expect(existsSync(join(repository.base, `cächë "of": a's`, "conveyor"))).toBe(true);
  });

  /** Started from a folder below the top, by a user who has no rule of what git is to ignore. */
  const startedBelow = once(async () => {
    const repository = new TestRepository();
    const folder = join(repository.path, "docs", "exec-plans");
    return { repository, folder, ran: await conveyorAt(repository, folder, ["run", "active/plan.md", ...GATES_OPEN]) };
  });

  test("a start from a folder below the top, with the plan named from there", async () => {
    const { repository, folder, ran } = await startedBelow();
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.outcome.run_dir).toBe(join(repository.path, ".conveyor", "runs", ran.outcome.run_id));
    expect(existsSync(join(folder, ".conveyor"))).toBe(false);
    expect((await repository.conveyor(["status", "--exit-code"], { cwd: folder })).code).toBe(0);
  });

  test.each([
    ["HOME is the checkout", (repository: TestRepository) => repository.path],
    [
      "HOME is a link to the checkout",
      (repository: TestRepository) => {
        const link = join(repository.base, "home");
        symlinkSync(repository.path, link);
        return link;
      },
    ],
  ])("worktrees and caches lie outside the checkout when %s", async (_name, homeOf) => {
    const repository = new TestRepository({ executor: `${WORK}pwd -P > out/where.txt\n` });
    const temporary = join(repository.base, "tmp");
    mkdirSync(temporary);
    const ran = await repository.run(GATES_OPEN, {
      env: { HOME: homeOf(repository), XDG_CACHE_HOME: "", TMPDIR: temporary },
    });
    expect(ran.code, ran.stderr).toBe(0);
    const where = repository.git("show", `${ran.outcome.branch}:out/where.txt`);
    expect(where.startsWith(`${repository.path}/`), where).toBe(false);
    expect(existsSync(join(repository.path, ".cache"))).toBe(false);
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  test("git ignores the folder of runs without any rule of the user's", async () => {
    const { repository } = await startedBelow();
    expect(repository.git("status", "--porcelain", "--untracked-files=all")).toBe("");
    expect(repository.git("status", "--porcelain", "--ignored")).toBe("!! .conveyor/");
    repository.git("add", "--all");
    expect(repository.git("diff", "--cached", "--name-only")).toBe("");
  });
});

describe("a repository that somebody else uses as well", () => {
  test("a person commits, stages and edits in the same checkout during the run", async () => {
    const repository = new TestRepository({
      rows: [{ step_id: "01" }, { step_id: "02" }],
      executor: WAIT_FOR_TEST + WORK,
    });
    const signals = join(repository.base, "signals");
    mkdirSync(signals);
    const base = repository.git("rev-parse", "HEAD");
    const running = repository.start([
      "run",
      PLAN_PATH,
      "--format",
      "json",
      "--executor-env",
      `SIGNALS=${signals}`,
      ...GATES_OPEN,
    ]);
    await waitForFile(join(signals, "begun-01"));
    repository.write({ "theirs.txt": "committed\n" });
    const theirs = repository.commit("by a person");
    repository.write({ "staged.txt": "staged\n", "README.md": "# Edited\n" });
    repository.git("add", "staged.txt");
    repository.git("branch", "their-branch");
    writeFileSync(join(signals, "go-01"), "");
    await waitForFile(join(signals, "begun-02"));
    repository.write({ "tools/executor.sh": "exit 1\n" });
    writeFileSync(join(signals, "go-02"), "");
    const ended = await running.ended;
    expect(ended.code, ended.stderr).toBe(0);
    const { branch } = repository.report();
    expect(repository.git("rev-parse", "main")).toBe(theirs);
    expect(repository.git("status", "--porcelain").split("\n")).toEqual([
      "M README.md",
      "A  staged.txt",
      " M tools/executor.sh",
    ]);
    expect(repository.git("merge-base", "main", branch)).toBe(base);
    expect(repository.git("rev-list", "--count", `${base}..${branch}`)).toBe("3");
    expect(repository.git("diff", "--name-only", base, branch)).toBe(`${EVIDENCE_PATH}\nout/01.txt\nout/02.txt`);
    const tips = repository.events().filter((event) => event.type === "trust_read");
    expect(tips.map(({ details }) => details["tip"])).toEqual(expect.arrayContaining([base, theirs]));
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("a second run of the same plan goes through beside the first", async () => {
    const repository = new TestRepository({
      executor: `if test -n "\${SIGNALS:-}"; then\n${WAIT_FOR_TEST}fi\n${WORK}`,
    });
    const signals = join(repository.base, "signals");
    mkdirSync(signals);
    const running = repository.start([
      "run",
      PLAN_PATH,
      "--format",
      "json",
      "--executor-env",
      `SIGNALS=${signals}`,
      ...GATES_OPEN,
    ]);
    await waitForFile(join(signals, "begun-01"));
    const second = await repository.run(GATES_OPEN);
    expect(second.code, second.stderr).toBe(0);
    writeFileSync(join(signals, "go-01"), "");
    const first = await running.ended;
    expect(first.code, first.stderr).toBe(0);
    const folders = repository.runFolders();
    expect(folders).toHaveLength(2);
    const branches = repository.git("for-each-ref", "--format=%(refname)", "refs/heads/conveyor").split("\n");
    expect(branches).toHaveLength(2);
    for (const folder of folders) expect((await repository.conveyor(["verify", folder])).code).toBe(0);
  });
});

describe("attributes of the repository", () => {
  /** Bytes of each file as git stores them, and the same where an executor changes it. */
  const stored: Record<string, string> = {
    "crlf.txt": "one\ntwo\n",
    "auto.txt": "one\ntwo\n",
    "filtered.txt": "plain\n",
    "ident.txt": "$Id$\n",
    "encoded.txt": "ä\n",
  };
  const attributes = [
    "*.txt text=auto",
    "crlf.txt text eol=crlf",
    "auto.txt text=auto",
    "filtered.txt filter=x",
    "ident.txt ident",
    "encoded.txt text working-tree-encoding=UTF-16LE",
    "out/crlf.txt text eol=crlf",
    "out/lf.txt text eol=lf",
    "out/filtered.txt filter=x",
    "out/ident.txt ident",
    "out/encoded.txt text working-tree-encoding=UTF-16LE",
    "",
  ].join("\n");
  const executor = [
    "set -eu",
    'rm -f "$MARKS/clean"',
    'mkdir "$MARKS/seen" && cp *.txt "$MARKS/seen"',
    "mkdir out",
    "printf 'a\\r\\nb\\n' > out/crlf.txt",
    "printf 'a\\r\\nb\\n' > out/lf.txt",
    "printf 'a\\r\\nb\\r\\n' > out/auto.txt",
    "printf 'plain\\n' > out/filtered.txt",
    "printf '$Id: 0123 $\\n' > out/ident.txt",
    "printf '\\303\\244\\n' > out/encoded.txt",
    // The session's own git must convert nothing either.
    'git hash-object out/*.txt > "$MARKS/hashes"',
    'git status --porcelain > "$MARKS/status"',
    "",
  ].join("\n");

  test("no filter runs, and every byte is in the candidate as the executor wrote it", async () => {
    const repository = new TestRepository({
      rows: [{ step_id: "01", deliverable: "out", required_verification_commands: "cmp out/crlf.txt out/lf.txt" }],
      executor,
      files: stored,
    });
    const marks = join(repository.base, "marks");
    mkdirSync(marks);
    repository.write({ ".gitattributes": attributes });
    for (const kind of ["clean", "smudge"]) {
      writeFileSync(join(repository.base, `${kind}.sh`), `echo "$*" >> '${marks}/${kind}'\nsed s/$/-${kind}/\n`);
      repository.git("config", `filter.x.${kind}`, `bash '${repository.base}/${kind}.sh' %f`);
    }
    repository.git("config", "filter.x.required", "true");
    // The user's own checkout, under the attributes; the commit holds the files as above, which is what a run works on.
    for (const name of Object.keys(stored)) {
      const oid = repository.git("rev-parse", `HEAD:${name}`);
      rmSync(join(repository.path, name));
      repository.git("update-index", "--cacheinfo", `100644,${oid},${name}`);
    }
    repository.git("add", ".gitattributes");
    repository.git("commit", "--quiet", "-m", "attributes");
    repository.git("checkout", "--quiet", "--", ".");
    expect(readFileSync(join(repository.path, "crlf.txt"), "latin1")).toBe("one\r\ntwo\r\n");
    expect(readFileSync(join(repository.path, "filtered.txt"), "latin1")).toBe("plain-smudge\n");
    expect(existsSync(join(marks, "smudge"))).toBe(true);
    rmSync(join(marks, "smudge"));

    const ran = await repository.run(["--allow-dirty", "--executor-env", `MARKS=${marks}`, ...GATES_OPEN]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(existsSync(join(marks, "smudge")), "a smudge filter ran").toBe(false);
    expect(existsSync(join(marks, "clean")), "a clean filter ran after the executor began").toBe(false);
    for (const [name, text] of Object.entries(stored)) {
      expect([name, readFileSync(join(marks, "seen", name), "utf8")]).toEqual([name, text]);
    }
    expect(readFileSync(join(marks, "status"), "utf8")).toBe("?? out/\n");
    const expected = {
      "out/auto.txt": "a\r\nb\r\n",
      "out/crlf.txt": "a\r\nb\n",
      "out/encoded.txt": "ä\n",
      "out/filtered.txt": "plain\n",
      "out/ident.txt": "$Id: 0123 $\n",
      "out/lf.txt": "a\r\nb\n",
    };
    expect(repository.git("diff", "--name-only", "main", ran.outcome.branch).split("\n")).toEqual([
      EVIDENCE_PATH,
      ...Object.keys(expected),
    ]);
    const hashes = readFileSync(join(marks, "hashes"), "utf8").trimEnd().split("\n");
    expect(hashes).toEqual(Object.values(expected).map((text) => hashOf(repository, text)));
    for (const [path, text] of Object.entries(expected)) {
      const oid = repository.git("rev-parse", `${ran.outcome.branch}:${path}`);
      expect([path, oid]).toEqual([path, hashOf(repository, text)]);
    }
    expect((await repository.conveyor(["verify"])).code).toBe(0);
    expect(existsSync(join(marks, "smudge"))).toBe(false);
  });
});

describe("repositories that are refused, with nothing started", () => {
  test("one with a submodule", async () => {
    const repository = new TestRepository();
    repository.git("update-index", "--add", "--cacheinfo", `160000,${repository.git("rev-parse", "HEAD")},sub`);
    repository.git("commit", "--quiet", "-m", "submodule");
    const refused = await expectRefusal(repository, repository.path, "REPOSITORY_UNSUPPORTED");
    expect(refused.stderr).toContain("submodule: sub");
  });

  test("one with a Git LFS attribute in any folder", async () => {
    const repository = new TestRepository({
      files: { "assets/.gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n" },
    });
    const refused = await expectRefusal(repository, repository.path, "REPOSITORY_UNSUPPORTED");
    expect(refused.stderr).toContain("Git LFS: assets/.gitattributes");
  });

  test("a partial clone", async () => {
    const repository = new TestRepository();
    repository.git("config", "uploadpack.allowFilter", "true");
    const clone = join(repository.base, "partial");
    git(repository.base, "clone", "--quiet", "--filter=blob:none", pathToFileURL(repository.path).href, clone);
    const refused = await expectRefusal(repository, clone, "REPOSITORY_UNSUPPORTED");
    expect(refused.stderr).toContain("partial clone");
  });
});

/** The name that git gives to a text as it is, whatever attributes say. */
function hashOf(repository: TestRepository, text: string): string {
  const file = join(repository.base, "blob");
  writeFileSync(file, text);
  return repository.git("hash-object", "--no-filters", file);
}
