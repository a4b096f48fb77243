import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { auditLanes, buildPlan, PLAN_PATH } from "../support/conveyor.ts";
import { AttackedRepository } from "../support/attacks.ts";

const ROW = { step_id: "01" };
const GOOD = buildPlan([ROW]);
const cell = (row: Partial<Record<keyof typeof full, string>>): string => buildPlan([{ ...ROW, ...row }]);
const full = {
  step_id: "",
  prerequisites: "",
  allowed_write_roots: "",
  required_verification_commands: "",
  deliverable: "",
  notes: "",
};

/** Plans that are refused, each for what it is; `null` stands for what may be fine and must only be survived. */
const PLANS: readonly (readonly [what: string, text: string | Buffer, refused: boolean])[] = [
  ["nothing", "", true],
  ["one NUL", GOOD.replace("because", "be\0cause"), true],
  ["bytes that are no UTF-8", Buffer.concat([Buffer.from(GOOD), Buffer.from([0xff, 0xfe])]), true],
  ["more than a mebibyte", `${GOOD}\n${"x".repeat(1_100_000)}\n`, true],
  ["one line of ten megabytes", "x".repeat(10_000_000), true],
  ["a fence that never ends", `\`\`\`\n${GOOD}`, true],
  ["a comment that never ends", `<!--\n${GOOD}`, true],
  ["the same id twice", buildPlan([ROW, ROW]), true],
  ["ids that differ in case alone", buildPlan([{ step_id: "a" }, { step_id: "A" }]), true],
  ["an item that needs itself", cell({ prerequisites: "01" }), true],
  [
    "items in a circle",
    buildPlan([
      { step_id: "01", prerequisites: "02" },
      { step_id: "02", prerequisites: "01" },
    ]),
    true,
  ],
  ["an item that is not there", cell({ prerequisites: "99" }), true],
  ["the id __proto__", cell({ step_id: "__proto__" }), true],
  ["the id constructor needed", cell({ prerequisites: "constructor" }), true],
  [
    "columns named __proto__ and constructor",
    GOOD.replace("| why_now |", "| __proto__ |").replace("| notes |", "| constructor |"),
    false,
  ],
  ["a column twice", GOOD.replace("| why_now |", "| action |"), true],
  ["roots that climb", cell({ allowed_write_roots: "../.." }), true],
  ["absolute roots", cell({ allowed_write_roots: "/etc" }), true],
  ["git's folder as a root", cell({ allowed_write_roots: ".git" }), true],
  ["the same in another case", cell({ allowed_write_roots: ".GIT/hooks" }), true],
  ["no root at all", cell({ allowed_write_roots: " " }), true],
  ["an unseen character in a command", cell({ required_verification_commands: "`true\u200b`" }), true],
  ["a command that reads backwards", cell({ required_verification_commands: "`true \u202e# eslaf`" }), true],
  ["another letter that looks the same in a name of a file", cell({ deliverable: "out/p\u0430ypal.txt" }), false],
  ["a root that reads backwards", cell({ allowed_write_roots: "out/\u202etxt" }), true],
  ["a table of ten thousand columns", `| ${"x | ".repeat(10_000)}\n| ${"--- | ".repeat(10_000)}\n`, true],
  ["ten thousand items", buildPlan(Array.from({ length: 10_000 }, (_, index) => ({ step_id: `i${index}` }))), true],
  ["headings without end", "# a\n".repeat(100_000), true],
  ["quotes in quotes", `${">".repeat(50_000)} a\n`, true],
  [
    "brackets that no pattern should follow back",
    `${"[".repeat(50_000)}\n${"*_".repeat(50_000)}\n${"`".repeat(50_000)}\n`,
    true,
  ],
  ["pipes and backslashes", `| step_id |\n| --- |\n| ${"\\|".repeat(100_000)} |\n`, true],
  ["blanks at the ends of lines", `${" ".repeat(200_000)}x\n${GOOD}${"\t ".repeat(100_000)}`, false],
];

/** What a configuration needs beside the hostile part: with it alone, a run would start. */
const RUNNABLE = `executor: {use: command, command: [bash, tools/executor.sh]}\n${auditLanes()}\n`;

/** Configurations that YAML makes dangerous. */
const CONFIGS: readonly (readonly [what: string, text: string])[] = [
  [
    "aliases that multiply",
    `a: &a [x, x, x, x, x, x, x, x, x]\n${"bcdefghij"
      .split("")
      .map((name, at) => `${name}: &${name} [${`*${"abcdefghij"[at] ?? "a"}, `.repeat(9)}]`)
      .join("\n")}\n`,
  ],
  ["an alias of itself", "version: &a [*a]\n"],
  ["a key twice", "version: 1\nversion: 1\n"],
  ["__proto__", "version: 1\n__proto__: {executor: {use: command, command: [evil]}}\n"],
  ["constructor", "version: 1\nconstructor: {prototype: {polluted: yes}}\n"],
  ["a merge key", "version: 1\n<<: {policy: {mode: full}}\n"],
  ["a tag that makes code", "version: !!js/function 'function () { process.exit(0) }'\n"],
  ["folds of a hundred thousand levels", `version: ${"[".repeat(100_000)}\n`],
  ["several documents", "version: 1\n---\nversion: 1\n"],
  ["tabs and NUL", "version:\t1\n\0: x\n"],
];

describe("S-45: hostile plans and configurations", () => {
  const repository = new AttackedRepository();

  test.each(PLANS)("a plan of %s is survived, and refused where it must be", async (what, text, refused) => {
    writeFileSync(join(repository.path, PLAN_PATH), text);
    try {
      const start = performance.now();
      const ended = await repository.conveyor(["plans", "lint", PLAN_PATH]);
      const seconds = (performance.now() - start) / 1000;
      if (refused) expect(ended.code, `${what}: ${ended.stdout}${ended.stderr}`).toBe(2);
      else expect([0, 2]).toContain(ended.code);
      expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/^ +at |RangeError|TypeError|conveyor failed/m);
      if (refused) expect(`${ended.stdout}${ended.stderr}`).toMatch(/^\S*plan\.md:\d+:\d+ [A-Z_]+ /m);
      // Generous for a machine that does other things too; what is exponential takes hours.
      expect(seconds).toBeLessThan(10);
    } finally {
      repository.git("checkout", "-q", "--", PLAN_PATH);
    }
  });

  test("committed, the worst of them start no run", async () => {
    const base = repository.git("rev-parse", "HEAD");
    for (const [what, text] of PLANS.filter(([, , refused]) => refused).slice(1, 12)) {
      writeFileSync(join(repository.path, PLAN_PATH), text);
      repository.commit(what);
      const ended = await repository.untouched(() => repository.conveyor(["run", PLAN_PATH]));
      expect(ended.code, what).toBe(2);
      expect(repository.runFolders()).toEqual([]);
      repository.git("reset", "-q", "--hard", base);
    }
  });

  test("a configuration of nothing hostile starts a run", async () => {
    const fine = new AttackedRepository();
    const path = join(fine.base, "fine.yml");
    writeFileSync(path, `version: 1\n${RUNNABLE}`);
    expect((await fine.conveyor(["run", PLAN_PATH, "--config", path])).code).toBe(3);
  });

  test.each(CONFIGS)("a configuration of %s is refused, and nothing is started", async (what, text) => {
    const path = join(repository.base, "hostile.yml");
    writeFileSync(path, `${text}${RUNNABLE}`);
    const start = performance.now();
    const ended = await repository.untouched(() => repository.conveyor(["run", PLAN_PATH, "--config", path]));
    expect(ended.code, `${what}: ${ended.stderr}`).toBe(2);
    expect(ended.stderr).toMatch(/hostile\.yml:\d+:\d+ CONFIG_(?:YAML|INVALID|UNKNOWN_KEY) /);
    expect(ended.stderr).not.toMatch(/^ +at |RangeError|TypeError|conveyor failed/m);
    expect((performance.now() - start) / 1000).toBeLessThan(10);
    expect(repository.runFolders()).toEqual([]);
  });
});
