import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildPlan, GATES_OPEN, PLAN_PATH, type Ended } from "../support/conveyor.ts";
import { AttackedRepository, ONE_ROUND, WORK } from "../support/attacks.ts";
import { isLong } from "../support/faults.ts";

/** Values that do something when a shell, or git as an option, reads them; `RUN` leaves a marker. */
const VALUES: readonly string[] = [
  "$(RUN)",
  "`RUN`",
  "';RUN;'",
  '";RUN;"',
  "x;RUN",
  "x&&RUN",
  "x|RUN",
  "x\nRUN\n",
  "--exec=RUN",
  "--upload-pack=RUN",
  "--output=MARK",
  "-c core.fsmonitor=RUN",
  "-oProxyCommand=RUN",
  "ext::sh -c RUN",
  "${IFS}RUN",
  "../../../../../../MARK",
];

/** The commands that an answer says can be pasted, run as a person would who pastes them, but for what starts runs. */
function paste(repository: AttackedRepository, ended: Ended): number {
  let pasted = 0;
  for (const [, command = ""] of `${ended.stderr}\n${ended.stdout}`.matchAll(/(?:: |^ +)((?:git|conveyor) .*)$/gm)) {
    const harmless = command.replace(/^conveyor/, "true conveyor");
    execFileSync("bash", ["-c", `${harmless} || true`], { cwd: repository.path, env: repository.env(), stdio: "pipe" });
    pasted += 1;
  }
  return pasted;
}

describe(`S-22: ${VALUES.length} values that a shell or git would take for commands`, () => {
  const repository = new AttackedRepository();
  const fill = (value: string): string =>
    value
      .replace("RUN", repository.mark("run").replaceAll(" ", " "))
      .replace("MARK", join(repository.marks, "written"));
  const run = (args: readonly string[]) => repository.conveyor(args);

  const places: readonly (readonly [what: string, build: (value: string) => string[]])[] = [
    ["the plan", (value: string) => ["run", "--", value]],
    ["an item", (value: string) => ["run", PLAN_PATH, "--item", value]],
    ["a configuration", (value: string) => ["run", PLAN_PATH, "--config", value]],
    ["a run", (value: string) => ["status", "--", value]],
    ["a run to resume", (value: string) => ["resume", "--", value]],
    ["a gate", (value: string) => ["gate", "approve", "--by", value, "--note", value, "--", value, value]],
    ["plans to lint", (value: string) => ["plans", "lint", "--", value]],
  ];

  test.each(places.map(([what, build], at) => [what, build, at] as const))(
    "as %s on the command line: refused, nothing is run",
    async (_what, build, at) => {
      // Each value meets several places, and in the long run every place.
      const values = VALUES.filter((_value, index) => isLong || index % 3 === at % 3);
      await repository.untouched(async () => {
        for (const value of values) {
          const ended = await run(build(fill(value)));
          expect(ended.code, `${value}: ${ended.stdout}${ended.stderr}`).not.toBe(0);
          expect(ended.stderr).not.toContain("    at ");
          paste(repository, ended);
        }
      });
      expect(repository.runFolders()).toEqual([]);
    },
  );

  test("as a ref that a stopped run is to build on: it is looked up as a name, and is none", async () => {
    const stopped = new AttackedRepository();
    expect((await stopped.conveyor(["run", PLAN_PATH])).code).toBe(3);
    const [run = ""] = stopped.runFolders().map((folder) => basename(folder));
    await stopped.untouched(async () => {
      for (const value of VALUES.map((each) => each.replace("RUN", stopped.mark("ref")))) {
        const ended = await stopped.conveyor([
          "refresh",
          run,
          "--onto",
          value.replace("MARK", `${stopped.marks}/written`),
        ]);
        expect(ended.code, `${value}: ${ended.stdout}${ended.stderr}`).toBe(2);
        paste(stopped, ended);
      }
    });
  });

  test("as ids of a plan and of its items: the plan is refused", async () => {
    for (const value of VALUES.filter((each) => !each.includes("\n"))) {
      const cell = fill(value).replaceAll("|", "\\|");
      const path = "docs/exec-plans/active/ids.md";
      repository.write({
        [path]: `Plan ID: ${fill(value)}\n\n${buildPlan([{ step_id: cell }]).replace("# Test plan", `# ${cell}`)}`,
      });
      const ended = await repository.conveyor(["plans", "lint", path]);
      expect(ended.code, `${value}: ${ended.stdout}`).toBe(2);
    }
    rmSync(join(repository.path, "docs/exec-plans/active/ids.md"));
    repository.expectNoMarks();
  });

  test("as write roots, deliverables, artifacts, names of files and text of a whole run: they are data", async () => {
    const words = VALUES.filter((value) => !/\n|^-c |^ext::|;'|`|\|/.test(value) && !value.includes("MARK"));
    const names = words.map((value) => fill(value).replaceAll("/", "_").slice(0, 200));
    const hostile = new AttackedRepository({
      rows: [
        {
          step_id: "01",
          action: words.map(fill).join(" "),
          notes: words.map(fill).join(" "),
          allowed_write_roots: "out",
          deliverable: "out/01.txt",
        },
      ],
      configLines: [ONE_ROUND],
    });
    const plan = `docs/exec-plans/active/$(touch pwned) ';touch pwned;' \`touch pwned\`.md`;
    hostile.write({ [plan]: readFileSync(join(hostile.path, PLAN_PATH), "utf8") });
    const uncommitted = await hostile.conveyor(["run", plan]);
    expect(uncommitted.stderr).toContain("PLAN_NOT_COMMITTED");
    expect(paste(hostile, uncommitted)).toBe(1);
    expect(existsSync(join(hostile.path, "pwned"))).toBe(false);
    hostile.commit("hostile names");
    hostile.git("checkout", "-q", "-b", "x;touch${IFS}pwned;$(touch${IFS}pwned)");
    const write = names.map((name) => `printf x > 'out/${name.replaceAll("'", "'\\''")}'`).join("; ");
    const ran = await hostile.conveyor([
      "run",
      plan,
      "--format",
      "json",
      ...GATES_OPEN.slice(0, 4),
      "--executor-bin",
      "bash",
      "--executor-arg",
      "-c",
      "--executor-arg",
      `${WORK}; ${write}`,
    ]);
    expect(ran.code, ran.stderr).toBe(3);
    const outcome = JSON.parse(ran.stdout) as { next_actions: { command: string | null }[]; branch: string };
    const shown = paste(hostile, {
      ...ran,
      stdout: outcome.next_actions.map(({ command }) => `  ${command ?? ""}`).join("\n"),
    });
    expect(shown).toBeGreaterThan(0);
    expect(existsSync(join(hostile.path, "pwned"))).toBe(false);
    expect(
      hostile.git("ls-tree", "-r", "--name-only", "-z", outcome.branch, "out/").split("\0").filter(Boolean),
    ).toHaveLength(names.length + 1);
    expect((await hostile.conveyor(["verify"])).code).toBe(0);
    expect(hostile.git("status", "--porcelain")).toBe("");
    hostile.expectNoMarks();
    repository.expectNoMarks();
  });
});
