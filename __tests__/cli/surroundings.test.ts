import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  auditLanes,
  auditorScript,
  CLI,
  GATES_OPEN,
  makeFolder,
  PLAN_PATH,
  startProcess,
  TestRepository,
  withExecutor,
} from "../support/conveyor.ts";
import { once } from "../support/once.ts";

/** A run that waits at its gates, made once: each test that looks at one, or goes on with it, has a copy. */
const waiting = once(async () => {
  const repository = new TestRepository();
  expect((await repository.run()).code).toBe(3);
  return repository;
});
const copyWaiting = async () => new TestRepository({ copyOf: await waiting() });

/** An executor that ends its item at once, for tests of what comes before all work. */
const BLOCKED = withExecutor(`echo '{"status": "blocked"}' > "$ORCH_RESULT_PATH"`);

describe("a signal to the whole group, as Ctrl-C in a terminal sends it", () => {
  test("does not reach git in the middle of a step: the run is sealed as interrupted and goes on", async () => {
    const repository = new TestRepository();
    const bin = join(repository.base, "bin");
    const sent = join(repository.base, "sent");
    mkdirSync(bin);
    // This git sends the signal itself, once, while the candidate is being built. Its parent leads the group.
    const wrapper = [
      "#!/bin/bash",
      `if [[ " $* " == *" write-tree "* ]] && [ ! -e '${sent}' ]; then touch '${sent}'; kill -INT -- "-$PPID"; fi`,
      `PATH="\${PATH#*:}" exec git "$@"`,
      "",
    ].join("\n");
    writeFileSync(join(bin, "git"), wrapper);
    chmodSync(join(bin, "git"), 0o755);
    const ended = await startProcess("setsid", ["--wait", process.execPath, CLI, "run", PLAN_PATH], {
      cwd: repository.path,
      env: repository.env({ PATH: `${bin}:${process.env["PATH"] ?? ""}` }),
    }).ended;
    expect(existsSync(sent)).toBe(true);
    expect({ code: ended.code, failure: /conveyor failed.*/.exec(ended.stderr)?.[0] }).toEqual({ code: 130 });
    expect(repository.events().at(-1)?.type).toBe("report_written");
    const resumed = await repository.resume(GATES_OPEN);
    expect(resumed.outcome).toMatchObject({ terminal_state: "done", items: [{ attempts: 1 }] });
  });
});

describe("code under test that reaches for git metadata", () => {
  test("is found after the verification: GIT_TAMPERED, nothing is committed", async () => {
    const repository = new TestRepository({
      rows: [{ step_id: "01", required_verification_commands: "git update-ref refs/heads/evil HEAD" }],
    });
    const ended = await repository.run();
    expect(ended.code).toBe(1);
    expect(ended.outcome.items[0]).toMatchObject({ terminal_state: "escalated", reason_codes: ["GIT_TAMPERED"] });
    expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
  });

  test("is found after it was tried on the base, where a test is to fail", async () => {
    const greets = "grep -q Ada src/greet.txt || { git update-ref refs/heads/evil HEAD; exit 1; }";
    const repository = new TestRepository({
      rows: [
        {
          step_id: "01",
          requires_red_green: "yes",
          allowed_write_roots: "src; tests",
          deliverable: "src/greet.txt",
          required_verification_commands: "bash tests/greet.sh",
        },
      ],
      configLines: ["validation: {test-paths: ['tests/**']}"],
      executor: `mkdir -p src tests; echo Ada > src/greet.txt; echo '${greets}' > tests/greet.sh\n`,
    });
    const ended = await repository.run(GATES_OPEN);
    expect(ended.code).toBe(1);
    expect(ended.outcome.items[0]).toMatchObject({ terminal_state: "escalated", reason_codes: ["GIT_TAMPERED"] });
    expect(repository.events().map(({ type }) => type)).not.toContain("packet_frozen");
    const resumed = await repository.resume(["--new-attempt", "01"]);
    expect({ code: resumed.code, says: resumed.stderr.startsWith("GIT_TAMPERED") }).toEqual({ code: 1, says: true });
  });

  test("is found after the validation: nothing is closed or delivered, and no resume builds on it", async () => {
    const repository = new TestRepository({
      configLines: ["validation: {commands: [[git, update-ref, refs/heads/evil, HEAD]]}"],
    });
    const ended = await repository.run(GATES_OPEN);
    expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }, ended.stderr).toEqual({
      code: 1,
      codes: ["GIT_TAMPERED"],
    });
    expect(repository.report().failure).toContain("refs/heads/evil added");
    expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
    const resumed = await repository.resume(GATES_OPEN);
    expect({ code: resumed.code, says: resumed.stderr.startsWith("GIT_TAMPERED") }).toEqual({ code: 1, says: true });
  });
});

describe("a program of the run that writes to the run folder", () => {
  /** Finds the run folder as any program can: by the pointer to the private repository. */
  const RUN = "run=$(sed 's/^gitdir: //; s#/repo.git.*##' .git)";
  const WORK = "mkdir -p out && echo done > out/01.txt";
  const AUDITS = auditLanes(["careful", "quick"], { retries: "1" });
  /** The first time it answers, the auditor fails and leaves another patch for whoever is asked next. */
  const swaps = (once: string): string =>
    `${RUN}; if test ! -e '${once}'; then touch '${once}'; echo fine > "$run/items/01/attempt-1/round-1/packet-1/candidate.patch"; exit 1; fi\n${auditorScript()}`;

  async function expectStopped(repository: TestRepository, path: string): Promise<void> {
    const ended = await repository.run(GATES_OPEN);
    expect({ code: ended.code, codes: ended.outcome.blocked_reason_codes }, ended.stderr).toEqual({
      code: 1,
      codes: ["ARTIFACT_TAMPERED"],
    });
    expect(repository.report().failure).toBe(`${path} is not what the journal names`);
    expect(repository.git("branch", "--list", "conveyor/*")).toBe("");
    const resumed = await repository.resume(GATES_OPEN);
    expect({ code: resumed.code, says: resumed.stderr.startsWith("ARTIFACT_TAMPERED") }).toEqual({
      code: 1,
      says: true,
    });
  }

  test.each(["plan.md", "items/01/attempt-1/prepared-paths.json"])("an executor that rewrites %s", async (path) => {
    const repository = new TestRepository({ executor: `${WORK}; ${RUN}; echo '["out/x"]' > "$run/${path}"\n` });
    await expectStopped(repository, path);
    expect(repository.events().map(({ type }) => type)).not.toContain("packet_frozen");
  });

  test("a lane that swaps the patch: the lane that is asked again is not shown it", async () => {
    const once = join(makeFolder(), "once");
    const repository = new TestRepository({
      configLines: [AUDITS],
      auditors: { careful: swaps(once), quick: auditorScript() },
    });
    await expectStopped(repository, "items/01/attempt-1/round-1/packet-1/candidate.patch");
    expect(repository.events().filter(({ type }) => type === "audit_started")).toHaveLength(1);
  });

  test("a validation command that rewrites what was audited: nothing is closed or delivered", async () => {
    const path = "items/01/attempt-1/round-1/packet-1/manifest.json";
    const repository = new TestRepository({
      configLines: ["validation: {commands: [[bash, tools/validate.sh]]}"],
      files: { "tools/validate.sh": `${RUN}; echo '{}' > "$run/${path}"\n` },
    });
    await expectStopped(repository, path);
    expect(repository.events().map(({ type }) => type)).not.toContain("closing_prepared");
  });
});

describe("a checkout that is reached by a link", () => {
  test("a plan named by its whole path through the link is inside", async () => {
    const repository = new TestRepository();
    const link = join(repository.base, "link");
    symlinkSync(repository.path, link);
    const ended = await repository.conveyor(["run", join(link, PLAN_PATH), "--dry-run"]);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("what the machine refuses", () => {
  test.each([
    ["a cache folder below a file", { XDG_CACHE_HOME: "/dev/null" }, 2, "USAGE expected a cache folder at /dev/null/"],
    ["a cache folder in /proc", { XDG_CACHE_HOME: "/proc/x" }, 2, "USAGE expected a cache folder at /proc/x/conveyor"],
    ["no git on PATH", { PATH: "/nowhere" }, 2, "expected git on PATH"],
  ])("%s is one clear message, no stack", async (_name, env, code, said) => {
    const repository = new TestRepository();
    const ended = await repository.conveyor(["run", PLAN_PATH], { env });
    expect(ended.code).toBe(code);
    expect(repository.runFolders()).toEqual([]);
    expect(ended.stderr).toContain(said);
    expect(ended.stderr).not.toMatch(/^ {4}at /m);
  });

  test("a resume is refused for a cache folder that cannot be, and nothing of the run changes", async () => {
    const repository = await copyWaiting();
    const before = repository.events();
    const refused = await repository.resume(GATES_OPEN, { env: { XDG_CACHE_HOME: "/proc/x" } });
    expect({ code: refused.code, said: refused.stderr }).toEqual({
      code: 2,
      said: expect.stringContaining("USAGE expected a cache folder at /proc/x/conveyor") as string,
    });
    expect(repository.events()).toEqual(before);
    expect((await repository.resume(GATES_OPEN)).code).toBe(0);
  });

  test.each([
    ["--output-dir", ["--output-dir", "/proc/x/run"]],
    ["--checkpoint-path", ["--checkpoint-path", "/proc/x/checkpoint.json"]],
  ])("%s in a place where nothing can be made: no run, and no talk of resuming one", async (_name, args) => {
    const repository = new TestRepository();
    const ended = await repository.conveyor(["run", PLAN_PATH, ...args]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("STATE_WRITE_FAILED could not write /proc/x");
    expect(ended.stderr).toContain("No run was begun");
    expect(ended.stderr).not.toContain("conveyor resume");
  });

  test("a demo that cannot be kept where it should is one message", async () => {
    const ended = await new TestRepository().conveyor(["demo", "--keep", "/proc/x/demo"]);
    expect({ code: ended.code, said: ended.stderr }).toEqual({
      code: 1,
      said: expect.stringContaining("mkdir '/proc/x'") as string,
    });
  });

  describe("git that is too old", () => {
    const withGit = (repository: TestRepository, version: string): Record<string, string> => {
      const bin = join(repository.base, "bin");
      mkdirSync(bin);
      const answer = `if [[ " $* " == *" version "* ]]; then echo "git version ${version}"; exit 0; fi`;
      writeFileSync(join(bin, "git"), `#!/bin/bash\n${answer}\nPATH="\${PATH#*:}" exec git "$@"\n`, { mode: 0o755 });
      return { PATH: `${bin}:${process.env["PATH"] ?? ""}` };
    };

    test.each(["2.37.9", "1.9.1", "(unknown)"])(
      "%s: run and resume are refused, with what doctor says",
      async (found) => {
        const repository = await copyWaiting();
        const env = withGit(repository, found);
        const runs = repository.runFolders();
        const before = repository.events();
        const refused = await repository.conveyor(["run", PLAN_PATH], { env });
        expect(refused.code).toBe(2);
        expect(refused.stderr).toContain("REPOSITORY_UNSUPPORTED expected git 2.38 or newer on PATH, found ");
        expect(repository.runFolders()).toEqual(runs);
        const again = await repository.resume(GATES_OPEN, { env });
        expect(again.code).toBe(2);
        expect(again.stderr).toContain("REPOSITORY_UNSUPPORTED expected git 2.38 or newer");
        expect(repository.events()).toEqual(before);
        expect((await repository.conveyor(["status"], { env })).code).toBe(0);
      },
    );

    test("the oldest that is supported runs", async () => {
      const repository = new TestRepository();
      const env = withGit(repository, "2.38.0");
      expect((await repository.run(GATES_OPEN, { env })).code).toBe(0);
    });
  });

  describe("the cache of a home folder inside the checkout, which lies among other users' folders", () => {
    /** A checkout that is its user's home, and a temporary folder of the test's own. */
    const makeHome = (): { repository: TestRepository; env: Record<string, string>; cache: string } => {
      const repository = new TestRepository();
      const temporary = join(repository.base, "tmp");
      mkdirSync(temporary);
      const env = { HOME: repository.path, XDG_CACHE_HOME: "", TMPDIR: temporary };
      return { repository, env, cache: join(temporary, `conveyor-${process.getuid?.() ?? 0}`) };
    };

    test("is made for its user alone", async () => {
      const { repository, env, cache } = makeHome();
      const { outcome } = await repository.run(BLOCKED, { env });
      expect(outcome.blocked_reason_codes).toEqual(["ITEM_BLOCKED_EXTERNAL"]);
      expect(statSync(cache).mode & 0o777).toBe(0o700);
    });

    const isRoot = process.getuid?.() === 0;
    test.each<[what: string, plant: (cache: string) => void, said: string]>([
      ["that others can write to", (cache) => (mkdirSync(cache), chmodSync(cache, 0o777)), "mode 777"],
      ["that is a link", (cache) => symlinkSync(makeFolder(), cache), "found no folder"],
      ["that is a file", (cache) => writeFileSync(cache, ""), "EEXIST"],
      // Only root can give a folder away.
      [
        "of another user",
        (cache) => (mkdirSync(cache), isRoot ? chownSync(cache, 4321, 4321) : chmodSync(cache, 0o770)),
        isRoot ? "uid 4321" : "mode 770",
      ],
    ])("one %s is refused", async (_what, plant, said) => {
      const { repository, env, cache } = makeHome();
      plant(cache);
      const refused = await repository.conveyor(["run", PLAN_PATH], { env });
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain(`USAGE expected a cache folder at ${cache}`);
      expect(refused.stderr).toContain(said);
      expect(repository.runFolders()).toEqual([]);
    });
  });

  test("no PATH at all", async () => {
    const repository = new TestRepository();
    const ended = await startProcess(process.execPath, [CLI, "run", PLAN_PATH], { cwd: repository.path, env: {} })
      .ended;
    expect(ended).toMatchObject({ code: 2 });
    expect(ended.stderr).toContain("expected git on PATH");
  });
});

test("an executor without a name is refused before anything starts", async () => {
  const ended = await new TestRepository().conveyor(["run", PLAN_PATH, "--executor-bin", ""]);
  expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(ended.stderr).toContain("expected a program, found an empty word");
});

describe("a promised artifact", () => {
  test.each([
    ["a required command", { required_verification_commands: "mkdir -p out && echo y > out/01.txt" }, []],
    [
      "prepare",
      { required_verification_commands: "test -s out/01.txt" },
      ["prepare: {commands: [[bash, -c, 'mkdir -p out && echo y > out/01.txt']], inputs: []}"],
    ],
  ])("that %s makes, and no commit holds, is missing", async (_who, row, configLines) => {
    const repository = new TestRepository({
      rows: [{ step_id: "01", ...row }],
      executor: "mkdir -p out && echo x > out/other.txt\n",
      configLines: [...configLines, "limits: {fix-rounds: 0}"],
    });
    const { outcome } = await repository.run();
    expect(outcome).toMatchObject({ terminal_state: "failed", items: [{ terminal_state: "escalated" }] });
    expect(repository.events().find((event) => event.type === "verification_finished")?.details["artifacts"]).toEqual([
      { path: "out/01.txt", status: "missing" },
    ]);
  });
});

describe("what a run hands out again", () => {
  test("the report of a sealed run is the very file that was saved, in both forms", async () => {
    const repository = await waiting();
    const saved = (name: string): string => readFileSync(join(repository.runFolder(), name), "utf8");
    expect((await repository.conveyor(["report"])).stdout).toBe(saved("orchestrator_run_report.json"));
    expect((await repository.conveyor(["report", "--markdown"])).stdout).toBe(saved("report.md"));
  });

  test.each(["", "."])("a second checkpoint cannot be the folder %j: exit 2, nothing is started", async (path) => {
    const repository = new TestRepository();
    const refused = await repository.conveyor(["run", PLAN_PATH, "--checkpoint-path", path]);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("USAGE --checkpoint-path: expected the name of a file");
    expect(repository.runFolders()).toEqual([]);
  });
});
