import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { auditLanes, auditorScript, makeFolder } from "../support/conveyor.ts";
import { AttackedRepository, ONE_ROUND } from "../support/attacks.ts";

/** What a runner of GitHub Actions sets, and what changes how programs are started. */
const FORBIDDEN = [
  "GITHUB_ENV",
  "GITHUB_PATH",
  "GITHUB_OUTPUT",
  "GITHUB_STATE",
  "GITHUB_STEP_SUMMARY",
  "GITHUB_TOKEN",
  "GITHUB_WORKSPACE",
  "GITHUB_EVENT_PATH",
  "RUNNER_TEMP",
  "ACTIONS_RUNTIME_TOKEN",
  "ACTIONS_RESULTS_URL",
  "ACTIONS_CACHE_URL",
  "ACTIONS_ID_TOKEN_REQUEST_URL",
  "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
  "INPUT_PLAN",
  "INPUT_GITHUB-TOKEN",
  "GH_TOKEN",
  "NODE_OPTIONS",
  "LD_PRELOAD",
  "LD_LIBRARY_PATH",
  "BASH_ENV",
  "ENV",
  "GIT_DIR",
  "GIT_CONFIG_COUNT",
  "SSH_AUTH_SOCK",
  "CANARY",
];
const FILES = ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"];

/** Keeps the program's variables, and does to each file that one of them names what an attacker would. */
const inject = (folder: string, name: string): string =>
  [
    `env -0 > ${folder}/${name}-$$`,
    'for file in "$GITHUB_ENV" "$GITHUB_PATH" "$GITHUB_OUTPUT" "$GITHUB_STATE" "$GITHUB_STEP_SUMMARY"; do',
    '  if [ -n "$file" ]; then echo "LD_PRELOAD=/tmp/evil.so" >> "$file"; echo "gates=pass" >> "$file"; fi',
    "done",
    "true",
  ].join("\n");

test("S-20: no program of a run is told of the runner's command files, tokens or inputs", async () => {
  const [seen, tools] = [makeFolder("conveyor-seen-"), makeFolder("conveyor-tools-")];
  // A triage program works in no checkout, so its script is named by its whole path.
  writeFileSync(join(tools, "triage.sh"), inject(seen, "triage"));
  const repository = new AttackedRepository({
    rows: [{ step_id: "01", required_verification_commands: "bash tools/required.sh; test -s out/01.txt" }],
    executor: `${inject(seen, "executor")}\nmkdir -p out && echo done > out/01.txt\n`,
    auditors: {
      careful: `${inject(seen, "careful")}\n${auditorScript({ findings: [{ severity: "low" }] })}`,
      quick: `${inject(seen, "quick")}\n${auditorScript()}`,
    },
    files: Object.fromEntries(
      ["required", "prepare", "validation", "manager"].map((name) => [`tools/${name}.sh`, `${inject(seen, name)}\n`]),
    ),
    configLines: [
      ONE_ROUND,
      auditLanes(),
      "prepare: {commands: [[bash, tools/prepare.sh]]}",
      "validation: {commands: [[bash, tools/validation.sh]]}",
      `triage: {use: command, command: [bash, ${tools}/triage.sh]}`,
      "manager: {command: [bash, tools/manager.sh]}",
    ],
  });
  const files = join(repository.base, "_runner_file_commands");
  mkdirSync(files);
  for (const name of FILES) writeFileSync(join(files, name), "before=1\n");
  const env = Object.fromEntries(
    FORBIDDEN.map((name) => [name, FILES.includes(name) ? join(files, name) : `secret-${name}`]),
  );
  // Our own process must start: what a loader or Node obeys is harmless here and still must not be handed on.
  const harmless = {
    NODE_OPTIONS: "--no-warnings",
    LD_PRELOAD: "",
    GIT_CONFIG_COUNT: "0",
    GIT_DIR: join(repository.path, ".git"),
  };
  const attacked = await repository.untouched(() => repository.attackWith([], { env: { ...env, ...harmless } }), {
    delivers: true,
  });
  expect(attacked.code, attacked.stderr).toBe(0);
  const programs = readdirSync(seen).map((name) => ({ name, text: readFileSync(join(seen, name), "utf8") }));
  const kinds = new Set(programs.map(({ name }) => name.split("-")[0]));
  expect(kinds).toEqual(
    new Set(["careful", "executor", "manager", "prepare", "quick", "required", "triage", "validation"]),
  );
  for (const { name, text } of programs) {
    const handed = text.split("\0").map((variable) => variable.split("=")[0] ?? "");
    expect(
      FORBIDDEN.filter((variable) => handed.includes(variable)),
      name,
    ).toEqual([]);
    expect(text, name).not.toContain("secret-");
  }
  for (const name of FILES) expect(readFileSync(join(files, name), "utf8")).toBe("before=1\n");
});

test.each([...FILES, "ACTIONS_RUNTIME_TOKEN", "NODE_OPTIONS", "LD_PRELOAD", "BASH_ENV", "GIT_DIR"])(
  "S-20: configuration that would hand on %s is refused before anything starts",
  async (name) => {
    const repository = new AttackedRepository({ configLines: [ONE_ROUND, `sandbox: {env: [${name}]}`] });
    const refused = await repository.untouched(() => repository.conveyor(["run", "docs/exec-plans/active/plan.md"]));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("never handed to a program");
    expect(repository.runFolders()).toEqual([]);
  },
);
