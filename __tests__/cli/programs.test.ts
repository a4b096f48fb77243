import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { COMMAND_PLACEHOLDERS } from "../../src/domain/config.ts";
import { auditLanes, GATES_OPEN, makeFolder, PLAN_PATH, TestRepository } from "../support/conveyor.ts";

/** Writes environment, arguments and folder of the program it runs in as `$1.json`, or under the item's name. */
const dumpProgram = (
  drop: string,
): string => `import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
const [name, ...words] = process.argv.slice(2);
const prompt = process.env.ORCH_PROMPT_PATH;
const facts = {
  env: process.env,
  words,
  cwd: process.cwd(),
  prompt: prompt === undefined ? null : readFileSync(prompt, "utf8"),
  result: process.env.ORCH_RESULT_PATH !== undefined && existsSync(process.env.ORCH_RESULT_PATH),
  home: existsSync(process.env.HOME),
};
writeFileSync(${JSON.stringify(drop)} + "/" + name + ".json", JSON.stringify(facts));
if (name === "executor") {
  mkdirSync("out", { recursive: true });
  writeFileSync("out/01.txt", "done");
}
`;

interface Dump {
  readonly env: Record<string, string>;
  readonly words: readonly string[];
  readonly cwd: string;
  readonly prompt: string | null;
  readonly result: boolean;
  readonly home: boolean;
}

/** What every program has, and nothing else but what the test names. */
const COMMON = [
  "CI",
  "CONVEYOR_PROCESS_MARKER",
  "HOME",
  "LC_ALL",
  "PATH",
  "TERM",
  "TMPDIR",
  "XDG_CACHE_HOME",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
];
/** What bash itself sets for the program it starts. */
const OF_BASH = ["OLDPWD", "PWD", "SHLVL", "_"];
const OF_VERIFICATION = ["ORCH_ATTEMPT", "ORCH_ITEM_ID", "ORCH_PLAN_ID", "ORCH_ROUND", "ORCH_RUN_ID", "ORCH_STAGE"];

describe("what the programs of a run are given", () => {
  const drop = makeFolder();
  const dumps: Record<string, Dump> = {};
  let repository: TestRepository;
  let runId: string;

  beforeAll(async () => {
    const words = COMMAND_PLACEHOLDERS.map((name) => `"${name}=<{${name}}>"`).join(", ");
    repository = new TestRepository({
      rows: [
        {
          step_id: "01",
          required_verification_commands: "node tools/dump.mjs required",
          suggested_verification_commands: "node tools/dump.mjs suggested",
        },
      ],
      config: [
        "version: 1",
        `executor: {use: command, command: [node, tools/dump.mjs, executor, ${words}, "{item_id}{item_id}", "$HOME;{stage}"], env: [AGENT_KEY]}`,
        "prepare: {commands: [[node, tools/dump.mjs, prepare]]}",
        "validation: {commands: [[node, tools/dump.mjs, validation]]}",
        "sandbox: {env: [JAVA_HOME, NOT_SET]}",
        auditLanes(),
        "",
      ].join("\n"),
      files: { "tools/dump.mjs": dumpProgram(drop) },
    });
    mkdirSync(join(repository.path, "bin"));
    symlinkSync(join(repository.path, "bin"), join(repository.base, "link"));
    const ran = await repository.run([...GATES_OPEN, "--executor-env", "LANGUAGE=en=x"], {
      env: {
        PATH: [
          join(repository.path, "bin"),
          "node_modules/.bin",
          ".",
          "",
          join(repository.base, "link"),
          process.env["PATH"] ?? "",
        ].join(delimiter),
        SECRET: "s3cret-value",
        AWS_SECRET_ACCESS_KEY: "s3cret-value",
        GITHUB_TOKEN: "s3cret-value",
        GH_TOKEN: "s3cret-value",
        ACTIONS_RUNTIME_TOKEN: "s3cret-value",
        INPUT_TOKEN: "s3cret-value",
        NODE_OPTIONS: "--no-deprecation",
        GIT_AUTHOR_NAME: "s3cret-value",
        GIT_DIR: "/nowhere",
        SSH_AUTH_SOCK: "/nowhere",
        BASH_ENV: "/nowhere",
        ORCH_MODE: "s3cret-value",
        JAVA_HOME: "/opt/java",
        AGENT_KEY: "for-the-executor",
      },
    });
    expect(ran.code, ran.stderr).toBe(0);
    runId = ran.outcome.run_id;
    for (const name of ["executor", "prepare", "required", "suggested", "validation"]) {
      dumps[name] = JSON.parse(readFileSync(join(drop, `${name}.json`), "utf8")) as Dump;
    }
  });

  const dumpOf = (name: string): Dump => dumps[name] ?? expect.fail(`${name} did not run`);
  const namesOf = (name: string): string[] => Object.keys(dumpOf(name).env).sort();

  test("an executor has the allow-list, what configuration and command line hand on, and what it is told", () => {
    // There is nothing to find in the first round.
    const told = [
      ...COMMAND_PLACEHOLDERS.filter((name) => name !== "findings_path").map((name) => `ORCH_${name.toUpperCase()}`),
      "ORCH_CONTEXT_THRESHOLD",
    ];
    expect(namesOf("executor")).toEqual([...COMMON, "AGENT_KEY", "JAVA_HOME", "LANGUAGE", ...told].sort());
    expect(dumpOf("executor").env).toMatchObject({
      JAVA_HOME: "/opt/java",
      AGENT_KEY: "for-the-executor",
      LANGUAGE: "en=x",
      CI: "true",
      TERM: "dumb",
    });
  });

  test("preparation, validation and the plan's commands have less: no key of the executor, no prompt", () => {
    expect(namesOf("prepare")).toEqual([...COMMON, "JAVA_HOME"].sort());
    expect(namesOf("required").filter((name) => !OF_BASH.includes(name))).toEqual(
      [...COMMON, "JAVA_HOME", ...OF_VERIFICATION].sort(),
    );
    expect(namesOf("suggested")).toEqual(namesOf("required"));
    expect(namesOf("validation").filter((name) => !OF_BASH.includes(name) && !name.startsWith("ORCH_"))).toEqual(
      [...COMMON, "JAVA_HOME"].sort(),
    );
  });

  test("the report names the variables of each program, and no value", () => {
    const report = repository.report();
    const recorded = new Map(
      report.stage_executions.map((execution) => [
        execution.purpose,
        (execution as unknown as { env_keys: string[] }).env_keys,
      ]),
    );
    const marked = (names: readonly string[] | undefined): string[] =>
      [...(names ?? []), "CONVEYOR_PROCESS_MARKER"].sort();
    expect(marked(recorded.get("executor"))).toEqual(namesOf("executor"));
    expect(marked(recorded.get("prepare"))).toEqual(namesOf("prepare"));
    const journal = readFileSync(join(repository.runFolder(), "run-events.jsonl"), "utf8");
    expect(journal + JSON.stringify(report)).not.toMatch(/s3cret-value|for-the-executor|en=x|\/opt\/java/);
  });

  test("homes and temporary folders are each program's own and lie outside checkout and run folder", () => {
    const homes = Object.values(dumps).map(({ env }) => env["HOME"] ?? "");
    expect(new Set(homes.filter((_home, at) => !["suggested"].includes(Object.keys(dumps)[at] ?? ""))).size).toBe(4);
    for (const { env, home } of Object.values(dumps)) {
      expect(home).toBe(true);
      for (const name of ["HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"]) {
        expect(env[name]).toMatch(new RegExp(`^${repository.cache}/`));
      }
    }
  });

  test("PATH has no entry that is relative or lies in the checkout, also not by a link", () => {
    for (const { env } of Object.values(dumps)) {
      const entries = (env["PATH"] ?? "").split(delimiter);
      expect(entries).not.toContain("");
      for (const entry of entries) {
        expect(entry.startsWith("/"), entry).toBe(true);
        expect(entry.startsWith(repository.base), entry).toBe(false);
      }
    }
  });

  test("nothing that a program is given says where the run folder is", () => {
    for (const [name, { env, words, prompt, cwd }] of Object.entries(dumps)) {
      // That the folder of all runs is protected is said by its name alone.
      const said = prompt?.replace("\n.conveyor\n", "\n");
      const told = JSON.stringify([{ ...env, ORCH_RUN_ID: "" }, words, said, cwd]);
      expect(told, name).not.toContain(".conveyor");
      expect(told, name).not.toContain(repository.path);
    }
  });

  test("each placeholder and its variable have the same right value, replaced within one argument", () => {
    const { env, words } = dumpOf("executor");
    const scratch = dirname(env["ORCH_PROMPT_PATH"] ?? "");
    const values: Record<(typeof COMMAND_PLACEHOLDERS)[number], string> = {
      stage: "execute",
      run_id: runId,
      plan_id: "test-plan",
      plan_file: join(scratch, "plan.md"),
      item_id: "01",
      attempt: "1",
      session: "1",
      round: "1",
      prompt_path: join(scratch, "prompt.md"),
      result_path: join(scratch, "result.json"),
      handoff_path: "",
      findings_path: "",
      mode: "guarded",
      risk_tier: "medium",
    };
    expect(words).toEqual([
      ...COMMAND_PLACEHOLDERS.map((name) => `${name}=<${values[name]}>`),
      "0101",
      "$HOME;execute",
    ]);
    expect(
      Object.fromEntries(COMMAND_PLACEHOLDERS.map((name) => [name, env[`ORCH_${name.toUpperCase()}`] ?? ""])),
    ).toEqual(values);
    expect(env["ORCH_CONTEXT_THRESHOLD"]).toBe("2000");
    expect(dumpOf("required").env).toMatchObject({
      ORCH_STAGE: "verify",
      ORCH_RUN_ID: runId,
      ORCH_PLAN_ID: "test-plan",
      ORCH_ITEM_ID: "01",
      ORCH_ATTEMPT: "1",
      ORCH_ROUND: "1",
    });
    expect(dumpOf("executor").result, "a result before the session").toBe(false);
  });

  test.each([
    "GITHUB_TOKEN",
    "NODE_OPTIONS",
    "GIT_DIR",
    "git_ssh_command",
    "LD_PRELOAD",
    "BASH_ENV",
    "ORCH_STAGE",
    "CONVEYOR_PROCESS_MARKER",
  ])("%s is handed on by no configuration and no option", async (name) => {
    const fresh = new TestRepository({ configLines: [`sandbox: {env: [${name}]}`] });
    const configured = await fresh.run(GATES_OPEN, { env: name === "NODE_OPTIONS" ? {} : { [name]: "x" } });
    expect(configured.code).toBe(2);
    expect(configured.stderr).toContain("never handed to a program");
    const optional = await repository.conveyor(["run", PLAN_PATH, "--executor-env", `${name}=x`, "--dry-run"]);
    expect(optional.code).toBe(2);
    expect(optional.stderr).toContain(name);
  });

  test.each(["PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME"])(
    "%s is the orchestrator's to say, not an option's",
    async (name) => {
      const refused = await repository.conveyor(["run", PLAN_PATH, "--executor-env", `${name}=/x`, "--dry-run"]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain(name);
    },
  );
});

describe("what an executor reads", () => {
  test("the note of a handoff can be read by the next session", async () => {
    const drop = makeFolder();
    const repository = new TestRepository({
      executor: `mkdir -p out\nif test "$ORCH_SESSION" = 1; then echo half > out/01.txt; echo '{"status": "handoff_required", "summary": "half of it"}' > "$ORCH_RESULT_PATH"; exit 75; fi
cp "$ORCH_HANDOFF_PATH" '${drop}/note.json'; cp "$(grep -o '^/.*/handoff\\.md$' "$ORCH_PROMPT_PATH")" '${drop}/note.md'; echo whole >> out/01.txt\n`,
    });
    const resumed = await repository.run(GATES_OPEN);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(repository.git("show", `${resumed.outcome.branch}:out/01.txt`)).toBe("half\nwhole");
    expect(JSON.parse(readFileSync(join(drop, "note.json"), "utf8"))).toMatchObject({
      item_id: "01",
      session: 1,
      summary: "half of it",
      changed_paths: ["out/01.txt"],
    });
    // The prompt names the same note for a reader.
    expect(readFileSync(join(drop, "note.md"), "utf8")).toContain("half of it");
  });

  test("an answer that another session left or planted is never read", async () => {
    const repository = new TestRepository({
      executor: `set -eu
mkdir -p out; echo "$ORCH_SESSION" >> out/01.txt
next="$(echo "$ORCH_RESULT_PATH" | sed s/session-$ORCH_SESSION/session-$((ORCH_SESSION + 1))/)"
test ! -e "$ORCH_RESULT_PATH"
if test "$ORCH_STAGE" = execute; then
  echo '{"status": "completed"}' > "$ORCH_RESULT_PATH"
  mkdir -p "$(dirname "$next")"
  echo '{"status": "failed"}' > "$next"
fi
`,
      rows: [{ step_id: "01", required_verification_commands: "grep -q 2 out/01.txt" }],
    });
    const ran = await repository.run(GATES_OPEN);
    expect(ran.code, ran.stderr).toBe(0);
    const payloads = repository
      .events()
      .flatMap(({ type, details }) => (type === "session_finished" ? [details["payload"]] : []));
    expect(payloads).toEqual([expect.objectContaining({ kind: "read", status: "completed" }), { kind: "absent" }]);
  });

  test.each([
    [
      "a link to a good answer",
      'echo \'{"status": "completed"}\' > good; mv good "$TMPDIR"; ln -s "$TMPDIR/good" "$ORCH_RESULT_PATH"',
    ],
    ["a link to nothing", 'ln -s /nowhere "$ORCH_RESULT_PATH"'],
    ["a pipe that nobody writes to", 'mkfifo "$ORCH_RESULT_PATH"'],
    ["a folder", 'mkdir "$ORCH_RESULT_PATH"'],
    ["no JSON", 'echo completed > "$ORCH_RESULT_PATH"'],
    ["an unknown status", 'echo \'{"status": "great"}\' > "$ORCH_RESULT_PATH"'],
    [
      "an answer that is too long",
      'head -c 70000 /dev/zero | tr "\\0" " " > "$ORCH_RESULT_PATH"; echo \'{"status": "completed"}\' >> "$ORCH_RESULT_PATH"',
    ],
    ["nothing at all", ': > "$ORCH_RESULT_PATH"'],
  ])("%s is RESULT_MALFORMED", async (_name, script) => {
    const repository = new TestRepository({ executor: `set -eu\nmkdir -p out; echo x > out/01.txt\n${script}\n` });
    const ran = await repository.run(GATES_OPEN);
    expect(ran.code, ran.stderr).toBe(1);
    expect(ran.outcome.items[0]?.reason_codes).toContain("RESULT_MALFORMED");
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("a long output is kept with its beginning and its end, and says what is left out", async () => {
    const repository = new TestRepository({
      executor: `mkdir -p out; echo x > out/01.txt
echo FIRST-LINE; head -c 3000000 /dev/zero | tr '\\0' 'x'; echo; echo LAST-LINE
echo FIRST-ERROR >&2; head -c 3000000 /dev/zero | tr '\\0' 'y' >&2; echo LAST-ERROR >&2\n`,
    });
    expect((await repository.run(GATES_OPEN)).code).toBe(0);
    const folder = join(repository.runFolder(), "items/01/attempt-1/round-1/session-1");
    for (const [name, first, last] of [
      ["stdout.log", "FIRST-LINE", "LAST-LINE"],
      ["stderr.log", "FIRST-ERROR", "LAST-ERROR"],
    ] as const) {
      const log = readFileSync(join(folder, name), "utf8");
      expect(log.startsWith(`${first}\n`)).toBe(true);
      expect(log.endsWith(`${last}\n`)).toBe(true);
      expect(log).toMatch(/\n\[\.\.\. \d+ bytes left out \.\.\.\]\n/);
      expect(log.length).toBeLessThan(2 * 1024 * 1024 + 100);
    }
  });
});
