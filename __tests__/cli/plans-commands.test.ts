import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildPlan, GATES_OPEN, PLAN_PATH, TestRepository } from "../support/conveyor.ts";

const ACTIVE = "docs/exec-plans/active";

describe("plans new", () => {
  test.each(["yaml", "table", "metadata"])("writes a plan in the form %s that lints clean and runs", async (form) => {
    const repository = new TestRepository({ executor: "mkdir -p docs; echo keys > docs/rotate-keys.md" });
    const made = await repository.conveyor(["plans", "new", "rotate-keys", "--form", form]);
    expect([made.code, made.stdout]).toEqual([0, ""]);
    const path = `${ACTIVE}/rotate-keys.md`;
    expect(made.stderr).toContain(`wrote ${path}`);
    const linted = await repository.conveyor(["plans", "lint", path]);
    expect([linted.code, linted.stdout]).toEqual([0, ""]);
    repository.commit("plan");
    const ran = await repository.conveyor(["run", path, ...GATES_OPEN]);
    expect(ran.code).toBe(0);
  });

  test("never writes over a file or through a link, and says so", async () => {
    const repository = new TestRepository();
    const path = join(repository.path, ACTIVE, "keys.md");
    writeFileSync(path, "mine\n");
    const refused = await repository.conveyor(["plans", "new", "keys"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`USAGE ${ACTIVE}/keys.md is there already`);
    expect(readFileSync(path, "utf8")).toBe("mine\n");
    symlinkSync(join(repository.base, "nowhere.md"), join(repository.path, "link.md"));
    expect((await repository.conveyor(["plans", "new", "keys", "--path", "link.md"])).code).toBe(2);
    expect(existsSync(join(repository.base, "nowhere.md"))).toBe(false);
  });

  test("shows the plan with --dry-run and writes nothing", async () => {
    const repository = new TestRepository();
    const shown = await repository.conveyor(["plans", "new", "Rotate: keys", "--dry-run"]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^---\nplan-id: rotate-keys\nstatus: queued\n[^]*\n# Rotate: keys\n/);
    expect(shown.stderr).toContain(`would write ${ACTIVE}/rotate-keys.md`);
    expect(existsSync(join(repository.path, ACTIVE, "rotate-keys.md"))).toBe(false);
  });

  test("writes a draft among future plans, and elsewhere where it is told", async () => {
    const repository = new TestRepository();
    expect((await repository.conveyor(["plans", "new", "keys", "--path", "docs/future/keys.md"])).code).toBe(0);
    expect(readFileSync(join(repository.path, "docs/future/keys.md"), "utf8")).toContain("status: draft\n");
    const linted = await repository.conveyor(["plans", "lint", "docs/future"]);
    expect([linted.code, linted.stdout]).toEqual([0, ""]);
    const outside = join(repository.base, "outside");
    mkdirSync(outside);
    const unnamed = await repository.conveyor(["plans", "new", "keys"], { cwd: outside });
    expect([unnamed.code, unnamed.stderr.includes("--path plan.md")]).toEqual([2, true]);
    expect((await repository.conveyor(["plans", "new", "keys", "--path", "keys.md"], { cwd: outside })).code).toBe(0);
    expect(existsSync(join(outside, "keys.md"))).toBe(true);
  });

  test.each([[["鍵"]], [["keys", "--form", "toml"]], [[]]])("refuses %j", async (args) => {
    const repository = new TestRepository();
    expect((await repository.conveyor(["plans", "new", ...args])).code).toBe(2);
    expect(repository.git("status", "--porcelain")).toBe("");
  });
});

describe("plans show", () => {
  test("gives form, risk with its reasons, metadata, items and who gets which text", async () => {
    const text = buildPlan([{ step_id: "01" }, { step_id: "02", prerequisites: "01" }]).replace(
      "## 2. Items",
      "## Metadata\n- Owner: me\n- Tags: security\n\n## 1. Context\n\nAll.\n\n## 2. Items",
    );
    const repository = new TestRepository({ files: { [PLAN_PATH]: text } });
    const shown = await repository.conveyor(["plans", "show", PLAN_PATH]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^plan test-plan\n {2}title +Test plan\n/);
    expect(shown.stdout).toMatch(/ form +section Metadata; items: item table\n/);
    expect(shown.stdout).toMatch(
      / risk +high\n +medium: no Risk-Tier[^\n]*\n +high: the tag "security" is sensitive\n/,
    );
    expect(shown.stdout).toMatch(/ text for all +Context\n/);
    expect(shown.stdout).toMatch(/\n01 +build +- [^]*\n02 +build +01 /);
    const json = JSON.parse(
      (await repository.conveyor(["plans", "show", PLAN_PATH, "--format", "json"])).stdout,
    ) as unknown;
    expect(json).toMatchObject({
      form: { metadata: "section", items: "table" },
      risk: { tier: "high" },
      plan: { plan_id: "test-plan", items: [{ item_id: "01" }, { item_id: "02" }] },
    });
    expect(existsSync(join(repository.path, ".conveyor"))).toBe(false);
  });

  test("steers no terminal, and refuses what is no plan", async () => {
    const repository = new TestRepository({
      files: {
        "a.md": '---\nowner: "\\e[31mred"\nimplementation-targets: [docs]\n---\n# \u001B[31mTitle\n',
        "bad.md": "# Nothing\n",
      },
    });
    const shown = await repository.conveyor(["plans", "show", "a.md"]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).not.toContain("\u001B");
    const bad = await repository.conveyor(["plans", "show", "bad.md"]);
    expect([bad.code, bad.stdout]).toEqual([2, ""]);
    expect(bad.stderr).toContain("bad.md:1:1 PLAN_SECTION_MISSING");
    expect((await repository.conveyor(["plans", "show", "nowhere.md"])).code).toBe(2);
  });
});

interface Sarif {
  readonly $schema: string;
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly SarifRule[] } };
    readonly columnKind: string;
    readonly results: readonly SarifResult[];
  }[];
}
interface SarifRule {
  readonly id: string;
  readonly shortDescription: { readonly text: string };
  readonly help: { readonly text: string };
  readonly defaultConfiguration: { readonly level: string };
}
interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
      readonly region: { readonly startLine: number; readonly startColumn: number };
    };
  }[];
}

describe("plans lint", () => {
  test("gives SARIF 2.1.0: rules with help, results with relative places from 1", async () => {
    const repository = new TestRepository({
      config: "version: 1\nlimits: {fix-rouns: 1}\n",
      files: {
        [`${ACTIVE}/a b#ü.md`]: buildPlan([{ step_id: "01", requires_red_green: "maybe" }]),
        [`${ACTIVE}/front.md`]: "---\nowner: me\nstauts: queued\n---\n# 𝒮\n",
        [`${ACTIVE}/single.md`]: "# One\n\n## Metadata\n- Status: draft\n",
      },
    });
    const linted = await repository.conveyor(["plans", "lint", "--format", "sarif"]);
    expect(linted.code).toBe(2);
    const sarif = JSON.parse(linted.stdout) as Sarif;
    expect([sarif.version, sarif.runs.length, sarif.$schema]).toEqual([
      "2.1.0",
      1,
      expect.stringMatching(/sarif-schema-2\.1\.0\.json$/),
    ]);
    const [run] = sarif.runs;
    const rules = run?.tool.driver.rules ?? [];
    const results = run?.results ?? [];
    expect(run?.columnKind).toBe("unicodeCodePoints");
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    for (const rule of rules) {
      expect(rule.shortDescription.text).not.toBe("");
      expect(rule.help.text).toMatch(/See docs\/[a-z-]+\.md/);
      expect(["error", "warning"]).toContain(rule.defaultConfiguration.level);
    }
    for (const { ruleId, ruleIndex, level, message, locations } of results) {
      expect(rules[ruleIndex]?.id).toBe(ruleId);
      expect(["error", "warning"]).toContain(level);
      expect(message.text).not.toBe("");
      const { artifactLocation, region } = locations[0]?.physicalLocation ?? {};
      expect(artifactLocation?.uri).toMatch(/^[A-Za-z0-9._%/-]+$/);
      expect(artifactLocation?.uri).not.toMatch(/^\//);
      expect(artifactLocation?.uriBaseId).toBe("%SRCROOT%");
      expect(region?.startLine).toBeGreaterThanOrEqual(1);
      expect(region?.startColumn).toBeGreaterThanOrEqual(1);
    }
    const json = JSON.parse((await repository.conveyor(["plans", "lint", "--format", "json"])).stdout) as {
      problems: { path: string; line: number; column: number; code: string; severity: string }[];
    };
    expect(
      results.map(({ ruleId, level, locations }) => {
        const { artifactLocation, region } = locations[0]?.physicalLocation ?? {};
        return [decodeURIComponent(artifactLocation?.uri ?? ""), region?.startLine, region?.startColumn, ruleId, level];
      }),
    ).toEqual(json.problems.map(({ path, line, column, code, severity }) => [path, line, column, code, severity]));
    expect(new Set(results.map(({ ruleId }) => ruleId))).toEqual(
      new Set([
        "CONFIG_UNKNOWN_KEY",
        "PLAN_VALUE_UNKNOWN",
        "PLAN_FRONT_MATTER_KEY_UNKNOWN",
        "PLAN_TARGETS_MISSING",
        "PLAN_QUEUE_STATUS",
        "PLAN_QUEUE_KEY_MISSING",
      ]),
    );
  });

  test("gives SARIF without results for plans without problems, exit 0", async () => {
    const linted = await new TestRepository().conveyor(["plans", "lint", "--format", "sarif"]);
    expect(linted.code).toBe(0);
    expect(JSON.parse(linted.stdout)).toMatchObject({ runs: [{ results: [], tool: { driver: { rules: [] } } }] });
  });

  test("tells what a queue would refuse as warnings, and that two plans have one id", async () => {
    const bullets = "- Plan-ID: keys\n- Status: completed\n- Implementation-Targets: src\n- Validation: 'true'";
    const plan = `# Keys\n\n## Metadata\n${bullets}\n`;
    const repository = new TestRepository({ files: { [`${ACTIVE}/a.md`]: plan, [`${ACTIVE}/b.md`]: plan } });
    const linted = await repository.conveyor(["plans", "lint", `${ACTIVE}/a.md`, `${ACTIVE}/b.md`]);
    expect(linted.code).toBe(0);
    expect(
      linted.stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" ").slice(0, 3).join(" ")),
    ).toEqual([
      `${ACTIVE}/a.md:1:1 PLAN_QUEUE_KEY_MISSING warning:`,
      `${ACTIVE}/a.md:1:1 PLAN_QUEUE_KEY_MISSING warning:`,
      `${ACTIVE}/a.md:1:1 PLAN_QUEUE_STATUS warning:`,
      `${ACTIVE}/b.md:1:1 PLAN_QUEUE_KEY_MISSING warning:`,
      `${ACTIVE}/b.md:1:1 PLAN_QUEUE_KEY_MISSING warning:`,
      `${ACTIVE}/b.md:1:1 PLAN_QUEUE_STATUS warning:`,
      `${ACTIVE}/b.md:1:1 PLAN_ID_DUPLICATE warning:`,
    ]);
    const bare = await repository.conveyor(["plans", "lint", PLAN_PATH]);
    expect([bare.code, bare.stdout]).toEqual([0, ""]);
  });

  test("says of a file that cannot be read that it cannot", async () => {
    // There for everybody, and readable for nobody, root included.
    const linted = await new TestRepository().conveyor(["plans", "lint", "/proc/self/mem", "--format", "sarif"]);
    expect(linted.code).toBe(2);
    const { runs } = JSON.parse(linted.stdout) as Sarif;
    expect(runs[0]?.results).toEqual([expect.objectContaining({ ruleId: "PLAN_UNREADABLE", level: "error" })]);
    // A file outside of the repository has no place below its root.
    expect(runs[0]?.results[0]?.locations[0]?.physicalLocation.artifactLocation).toEqual({
      uri: "file:///proc/self/mem",
    });
  });
});
