import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildPlan, GATES_OPEN, TestRepository, type Row } from "../support/conveyor.ts";

const NO_FIXES = "limits: {fix-rounds: 0, remediation-rounds: 0}";

/** Entries of a tree below a folder: mode and name, quoted by nobody. */
function listTree(repository: TestRepository, commit: string, folder: string): string[] {
  const output = execFileSync("git", ["ls-tree", "-r", "-z", commit, folder], {
    cwd: repository.path,
    encoding: "utf8",
  });
  return output
    .split("\0")
    .filter((record) => record !== "")
    .map((record) => `${record.slice(0, 6)} ${record.slice(record.indexOf("\t") + 1)}`)
    .sort();
}

/** One item whose executor is a few lines of bash. */
function oneItem(executor: string, row: Partial<Row> = {}, files: Record<string, string> = {}): TestRepository {
  return new TestRepository({
    rows: [{ step_id: "01", deliverable: "out", required_verification_commands: "test -d out", ...row }],
    executor: `set -eu\nmkdir -p out\n${executor}\n`,
    configLines: [NO_FIXES],
    files,
  });
}

async function expectDone(repository: TestRepository, args: readonly string[] = []) {
  const ran = await repository.run([...GATES_OPEN, ...args]);
  expect(ran.code, ran.stderr).toBe(0);
  expect((await repository.conveyor(["verify"])).code).toBe(0);
  return ran.outcome;
}

/** A run in which the candidate is refused; gives the violations as the journal has them. */
async function expectRefused(repository: TestRepository) {
  const ran = await repository.run(GATES_OPEN);
  expect(ran.code, ran.stderr).toBe(1);
  expect(ran.outcome.terminal_state).toBe("failed");
  expect(repository.git("for-each-ref", "refs/heads/conveyor")).toBe("");
  expect((await repository.conveyor(["verify"])).code).toBe(0);
  const built = repository.events().filter((event) => event.type === "candidate_built");
  const violations = built.flatMap(
    ({ details }) => details["violations"] as { code: string; path: string; detail: string }[],
  );
  return { ...ran, violations: violations.map(({ code, path }) => [code, path]) };
}

describe("names that an executor gives to files", () => {
  test("spaces, quotes, backslashes, dashes, colons, globs and letters of any script are taken as they are", async () => {
    const names = [
      " leading and trailing ",
      "--help",
      "-n",
      "a\\b\\n",
      "a`b`",
      "c:d",
      "glob*?[x]",
      "it's",
      'say "hi"',
      "$HOME",
      "#hash",
      "!bang",
      "über/ñandú/文件/Ω.txt",
      "emoji 🚀",
      "e\u0301 decomposed",
      "a -> b",
      "100%41",
    ];
    const quoted = names.map((name) => `"${name.replaceAll(/["\\$`]/g, "\\$&")}"`).join(" ");
    const repository = oneItem(
      `cd out\nmkdir -p über/ñandú/文件\nfor name in ${quoted}; do printf %s "$name" > "./$name"; done`,
    );
    const { branch } = await expectDone(repository);
    expect(listTree(repository, branch, "out")).toEqual(names.map((name) => `100644 out/${name}`).sort());
    for (const name of names) {
      expect(
        execFileSync("git", ["cat-file", "blob", `${branch}:out/${name}`], { cwd: repository.path, encoding: "utf8" }),
      ).toBe(name);
    }
  });

  test.each([
    ["a line feed", "a\\nb", "out/a\nb"],
    ["a tab", "a\\tb", "out/a\tb"],
    ["an escape character", "a\\033[31mb", "out/a\u001b[31mb"],
    ["bytes that are no UTF-8", "a\\377b", "out/a\ufffdb"],
    ["a character that nobody sees", "a\\342\\200\\213b", "out/a\u200bb"],
    ["a character that turns the direction of text", "a\\342\\200\\256b", "out/a\u202eb"],
  ])("%s is PATH_UNSAFE, and steers no terminal", async (_name, escaped, path) => {
    const repository = oneItem(`echo x > "out/$(printf '${escaped}x')"`);
    const refused = await expectRefused(repository);
    expect(refused.violations).toEqual([["PATH_UNSAFE", `${path}x`]]);
    expect(refused.stderr.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f\u200b\u202e]/);
    const markdown = await repository.conveyor(["report", "--markdown"]);
    expect(markdown.stdout.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f\u200b\u202e]/);
  });

  test("a newline does not make one refused path look like two allowed ones", async () => {
    const repository = oneItem(`mkdir -p "$(printf 'evil\\nout')"; echo x > "$(printf 'evil\\nout')/file"`);
    const refused = await expectRefused(repository);
    expect(refused.violations).toEqual([
      ["PATH_UNSAFE", "evil\nout/file"],
      ["SCOPE_VIOLATION", "evil\nout/file"],
    ]);
  });

  test("a name that only begins like a write root is outside of it", async () => {
    const repository = oneItem('mkdir -p "out "; echo x > "out /a"; echo x > outside; echo x > "ouT"');
    const refused = await expectRefused(repository);
    expect(refused.violations).toEqual(
      expect.arrayContaining([
        ["SCOPE_VIOLATION", "out /a"],
        ["SCOPE_VIOLATION", "outside"],
        ["SCOPE_VIOLATION", "ouT"],
      ]),
    );
  });

  test.each([
    ["a nested repository", "git init -q out/nested; echo x > out/nested/file", "out/nested"],
    ["a nested repository around a file that was there before", "git init -q out/old", "out/old/.git"],
    ["a link that leaves the tree", "ln -s ../../x out/link", "out/link"],
    ["a link to an absolute path", "ln -s /etc/passwd out/link", "out/link"],
    ["another spelling of .git", "mkdir out/.GIT; echo x > out/.GIT/config", "out/.GIT/config"],
    ["a twin in other case", "echo x > out/OLD", "out/OLD"],
  ])("%s is PATH_UNSAFE", async (_name, executor, path) => {
    const repository = oneItem(executor, {}, { "out/old/file": "old\n" });
    const refused = await expectRefused(repository);
    expect(refused.violations).toContainEqual(["PATH_UNSAFE", path]);
  });
});

describe("what an executor does to files that are there", () => {
  test("kinds of file and modes are in the commit as they are in the worktree", async () => {
    const repository = oneItem(
      [
        "cd out",
        "printf '\\000\\001\\377\\r\\n' > binary",
        ": > empty",
        "echo run > new-program; chmod 755 new-program",
        "chmod -x program",
        "chmod +x text",
        "ln -s sub/inner link",
        "ln -s nowhere dangling",
        "ln -s .. up",
        "ln -sfn text old-link",
        "rm removed",
        "mv moved renamed",
        "rm file-to-folder; mkdir file-to-folder; echo in > file-to-folder/in",
        "rm -r folder-to-file; echo flat > folder-to-file",
        "rm link-to-file; echo real > link-to-file",
        "rm file-to-link; ln -s text file-to-link",
        "mkdir empty-folder",
      ].join("\n"),
      {},
      {
        "out/removed": "removed\n",
        "out/moved": "moved\n",
        "out/text": "text\n",
        "out/program": "program\n",
        "out/sub/inner": "inner\n",
        "out/file-to-folder": "flat\n",
        "out/folder-to-file/a": "a\n",
        "out/folder-to-file/b/c": "c\n",
        "out/file-to-link": "text\n",
      },
    );
    symlinkSync("sub", join(repository.path, "out/old-link"));
    symlinkSync("text", join(repository.path, "out/link-to-file"));
    chmodSync(join(repository.path, "out/program"), 0o755);
    repository.commit("links and modes");
    const { branch } = await expectDone(repository);
    expect(listTree(repository, branch, "out")).toEqual(
      [
        "100644 out/binary",
        "120000 out/dangling",
        "100644 out/empty",
        "100644 out/file-to-folder/in",
        "120000 out/file-to-link",
        "100644 out/folder-to-file",
        "120000 out/link",
        "100644 out/link-to-file",
        "100755 out/new-program",
        "120000 out/old-link",
        "100644 out/program",
        "100644 out/renamed",
        "100644 out/sub/inner",
        "100755 out/text",
        "120000 out/up",
      ].sort(),
    );
    const blob = (path: string): Buffer =>
      execFileSync("git", ["cat-file", "blob", `${branch}:out/${path}`], { cwd: repository.path });
    expect(blob("binary")).toEqual(Buffer.from([0, 1, 0xff, 0x0d, 0x0a]));
    expect(blob("empty")).toHaveLength(0);
    expect(blob("link").toString()).toBe("sub/inner");
    expect(blob("old-link").toString()).toBe("text");
    expect(blob("renamed").toString()).toBe("moved\n");
    expect(blob("folder-to-file").toString()).toBe("flat\n");
  });

  test("an edit that keeps size and times of a file is seen", async () => {
    const repository = oneItem(
      "cd out; touch -r text ../stamp; printf TEXT > text; touch -r ../stamp text; rm ../stamp",
      {},
      { "out/text": "text" },
    );
    const { branch } = await expectDone(repository);
    expect(repository.git("show", `${branch}:out/text`)).toBe("TEXT");
  });

  test("rules of ignoring that an executor changes hide nothing and add nothing", async () => {
    const repository = oneItem(
      [
        "printf 'out/hidden\\n!*.log\\n' > .gitignore",
        "printf '*\\n' > out/.gitignore",
        "echo hidden > out/hidden",
        "echo also > out/also",
        "echo log > out/x.log",
        "mkdir -p out/node_modules && echo module > out/node_modules/m",
        'printf "*\\n" > "$HOME/ignore"; git config --global core.excludesFile "$HOME/ignore"',
      ].join("\n"),
      { allowed_write_roots: "out; .gitignore" },
      { ".gitignore": "*.log\nnode_modules/\n" },
    );
    const { branch } = await expectDone(repository);
    expect(listTree(repository, branch, "out")).toEqual([
      "100644 out/.gitignore",
      "100644 out/also",
      "100644 out/hidden",
    ]);
    expect(repository.git("show", `${branch}:.gitignore`)).toBe("out/hidden\n!*.log");
  });
});

describe("names in plans", () => {
  test("a plan file, write roots and deliverables with spaces and umlauts", async () => {
    const plan = "docs/exec-plans/active/Größe & Maß (1).md";
    const repository = new TestRepository({
      executor: 'mkdir -p "Ordner mit ä" && echo "größer" > "Ordner mit ä/Maß und Größe.txt"\n',
      files: {
        [plan]: buildPlan([
          {
            step_id: "01",
            deliverable: "Ordner mit ä/Maß und Größe.txt",
            allowed_write_roots: "`Ordner mit ä`",
            required_verification_commands: "`grep -q größer 'Ordner mit ä/Maß und Größe.txt'`",
          },
        ]),
      },
    });
    const ran = await repository.conveyor(["run", plan, "--format", "json", ...GATES_OPEN]);
    expect(ran.code, ran.stderr).toBe(0);
    expect((await repository.conveyor(["verify"])).code).toBe(0);
    expect(listTree(repository, repository.report().branch, "Ordner mit ä")).toEqual([
      "100644 Ordner mit ä/Maß und Größe.txt",
    ]);
    expect(repository.events()[0]?.details["plan_path"]).toBe(plan);
  });

  test("a plan that is not committed is refused with a command that can be pasted", async () => {
    const repository = new TestRepository();
    const plan = "docs/exec-plans/active/it's a plan.md";
    mkdirSync(dirname(join(repository.path, plan)), { recursive: true });
    writeFileSync(join(repository.path, plan), buildPlan([{ step_id: "01" }]));
    const refused = await repository.conveyor(["run", plan]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("PLAN_NOT_COMMITTED");
    const command = /commit it: (git .*)$/m.exec(refused.stderr)?.[1] ?? "";
    execFileSync("bash", ["-c", command], {
      cwd: repository.path,
      stdio: "pipe",
      env: {
        ...repository.env(),
        GIT_AUTHOR_NAME: "A",
        GIT_AUTHOR_EMAIL: "a@b.c",
        GIT_COMMITTER_NAME: "A",
        GIT_COMMITTER_EMAIL: "a@b.c",
      },
    });
    const ran = await repository.conveyor(["run", plan, ...GATES_OPEN]);
    expect(ran.code, ran.stderr).toBe(0);
  });

  test("ids with dots, colons and dashes keep their attempts, worktrees and commits apart", async () => {
    const ids = ["1.0", "1:0", "1-0", "1_0", "A", "x.y:z-1"];
    const repository = new TestRepository({
      rows: ids.map((id, at) => ({
        step_id: id,
        deliverable: `out/${at}.txt`,
        required_verification_commands: `grep -qx '${id}' out/${at}.txt`,
      })),
      executor: `set -eu\nmkdir -p out\nat=$(ls out | wc -l)\necho "$ORCH_ITEM_ID" > "out/$((at)).txt"\n`,
    });
    const { branch, items } = await expectDone(repository);
    expect(items.map((item) => item.id)).toEqual(ids);
    const trailers = repository
      .git("log", "--reverse", "--format=%(trailers:key=Item,valueonly)", `main..${branch}`)
      .split("\n");
    expect(trailers.filter((line) => line !== "")).toEqual(ids);
    const prompts = repository
      .events()
      .flatMap(({ type, details }) => (type === "session_started" ? [details["files"] as { path: string }[]] : []));
    expect(new Set(prompts.flat().map(({ path }) => path.toLowerCase())).size).toBe(prompts.flat().length);
  });
});
