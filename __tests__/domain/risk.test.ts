import { describe, expect, it } from "vitest";
import { configSchema, defaultConfig, parseConfig } from "../../src/domain/config.ts";
import { buildOverlapMatcher } from "../../src/domain/globs.ts";
import type { Plan, PlanItem } from "../../src/domain/plan.ts";
import { classifyRisk } from "../../src/domain/risk.ts";
import { parseText, readFixture } from "./plan-fixtures.ts";

const base = readFixture("base.md");

/** A real plan with this metadata and these write roots for its first item. */
function plan(bullets: string | undefined, change: Partial<PlanItem> = {}): Plan {
  const section = bullets === undefined ? "" : `## Metadata\n\n${bullets}\n\n`;
  const parsed = parseText(base.replace("## 2. Items", `${section}## 2. Items`)).plan;
  if (parsed === undefined) throw new Error("the plan does not parse");
  return { ...parsed, items: parsed.items.map((item, index) => (index === 0 ? { ...item, ...change } : item)) };
}

const withPolicy = (policy: object) => configSchema.parse({ version: 1, policy });
const classify = (subject: Plan, policy: object = {}) => classifyRisk({ plan: subject, config: withPolicy(policy) });
const docsOnly = (bullets?: string): Plan => {
  const made = plan(bullets);
  return { ...made, items: made.items.filter((item) => item.change_profile === "docs_only") };
};

describe("the tier a plan starts with", () => {
  it.each([
    ["low", "- Risk-Tier: low", "low"],
    ["medium", "- Risk-Tier: Medium", "medium"],
    ["high", "- Risk-Tier: high", "high"],
    ["high for an unknown word", "- Risk-Tier: none", "high"],
    ["high for an empty value", "- Risk-Tier:", "high"],
    ["medium when nothing is said", "- Owner: me", "medium"],
    ["medium without metadata", undefined, "medium"],
  ])("is %s", (_, bullets, tier) => {
    const risk = classify(plan(bullets));
    expect(risk.tier).toBe(tier);
    expect(risk.reasons).toHaveLength(1);
    expect(risk.reasons[0]?.tier).toBe(tier);
  });

  it.each([
    ["low when nothing is said", undefined, "low"],
    ["what its author says", "- Risk-Tier: medium", "medium"],
    ["high when its author cannot be understood", "- Risk-Tier: lo", "high"],
  ])("of a plan of documents alone is %s", (_, bullets, tier) => {
    expect(classify(docsOnly(bullets)).tier).toBe(tier);
  });

  it("says why", () => {
    expect(classify(plan("- Risk-Tier: hi")).reasons).toEqual([
      { tier: "high", text: "Risk-Tier is none of low, medium and high" },
    ]);
  });
});

describe("what raises it", () => {
  const policy = {
    "protected-paths": ["deploy/**"],
    "sensitive-paths": ["src/auth/**", "**/migrations/**", "db/*.sql"],
  };
  const LOW = "- Risk-Tier: low";
  it.each<[string, Partial<PlanItem>]>([
    ["the whole repository", { write_roots: ["."] }],
    ["a path of the floor", { write_roots: [".github/workflows/ci.yml"] }],
    ["a path of the floor in other letters", { write_roots: [".GitHub"] }],
    ["the plan itself", { write_roots: ["plans/keys.md"] }],
    ["a folder of plans", { write_roots: ["docs/exec-plans/completed/x.md"] }],
    ["a listed protected folder", { write_roots: ["deploy"] }],
    ["a place in it", { write_roots: ["src", "Deploy/prod/x.yml"] }],
    ["a protected deliverable", { deliverables: ["deploy/x.yml"] }],
    ["a sensitive folder", { write_roots: ["src/auth"] }],
    ["a place in a sensitive folder", { write_roots: ["src/auth/login/form.ts"] }],
    ["a sensitive folder in other letters", { write_roots: ["SRC/Auth"] }],
    ["a sensitive folder as some file systems write it", { write_roots: ["src/auth./login.ts"] }],
    ["a folder above a sensitive one", { write_roots: ["src"] }],
    ["a folder above sensitive files", { write_roots: ["db"] }],
    ["a sensitive folder that may be anywhere", { write_roots: ["packages/a/migrations"] }],
    ["a place in it", { write_roots: ["packages/a/migrations/1.sql"] }],
    ["a sensitive deliverable", { write_roots: ["app"], deliverables: ["app/migrations/2.sql"] }],
    ["a sensitive artifact", { write_roots: ["app"], required_artifacts: ["app/migrations/2.sql"] }],
  ])("is %s → high", (_, change) => {
    const roots = { write_roots: ["app"], deliverables: ["app/x.ts"], required_artifacts: ["app/x.ts"] };
    const made = plan(LOW, { ...roots, ...change });
    const risk = classify({ ...made, items: made.items.slice(0, 1) }, policy);
    expect(risk.tier).toBe("high");
    expect(risk.reasons.slice(1).length).toBeGreaterThan(0);
    expect(risk.reasons.slice(1).every((reason) => reason.tier === "high" && reason.text.startsWith("item 01: "))).toBe(
      true,
    );
  });

  it.each<[string, Partial<PlanItem>]>([
    ["a name that only begins alike", { write_roots: ["src/author", "deployment", "source"] }],
    ["a folder that a glob for anywhere does not name", { write_roots: ["packages"] }],
    ["a path that is only read", { write_roots: ["app"], repo_surfaces: ["src/auth"], consult_paths: ["deploy"] }],
    ["a folder above protected ones, which scope refuses one by one", { write_roots: ["docs"] }],
  ])("is not %s", (_, change) => {
    const roots = { write_roots: ["app"], deliverables: ["app/x.ts"], required_artifacts: ["app/x.ts"] };
    const made = plan(LOW, { ...roots, ...change });
    expect(classify({ ...made, items: made.items.slice(0, 1) }, policy)).toEqual({
      tier: "low",
      reasons: [{ tier: "low", text: "Risk-Tier is low" }],
    });
  });

  it.each(["security", "auth", "Payments", "#pii", "migration", "INFRA"])("is the tag %s → high", (tag) => {
    expect(classify(docsOnly(`${LOW}\n- Tags: sessions, ${tag}`)).tier).toBe("high");
  });

  it.each(["author", "secure", "infrastructure"])("is not the tag %s", (tag) => {
    expect(classify(docsOnly(`${LOW}\n- Tags: ${tag}`)).tier).toBe("low");
  });

  it("is more than five plans that come first → medium", () => {
    const risk = (count: number, tier: string) => {
      const ids = Array.from({ length: count }, (_, index) => `plan-${index}`).join(", ");
      return classify(docsOnly(`- Risk-Tier: ${tier}\n- Dependencies: ${ids}`)).tier;
    };
    expect([risk(5, "low"), risk(6, "low"), risk(6, "medium"), risk(6, "high")]).toEqual([
      "low",
      "medium",
      "medium",
      "high",
    ]);
  });

  it("never lowers what the author says, and shows every reason", () => {
    const made = plan("- Risk-Tier: high\n- Tags: auth, infra\n- Dependencies: a, b, c, d, e, f", {
      write_roots: ["."],
    });
    expect(classify(made).reasons).toEqual([
      { tier: "high", text: "Risk-Tier is high" },
      { tier: "high", text: 'item 01: "." is the whole repository' },
      { tier: "high", text: 'the tag "auth" is sensitive' },
      { tier: "high", text: 'the tag "infra" is sensitive' },
      { tier: "medium", text: "depends on 6 plans, more than 5" },
    ]);
  });

  it("is said once for a path that many items share", () => {
    const made = plan(LOW);
    const items = made.items.map((item) => ({ ...item, write_roots: ["."] }));
    expect(classify({ ...made, items }).reasons).toHaveLength(2);
  });
});

describe("a folder overlaps with a glob", () => {
  it.each([
    ["src/*/keys/**", "src", true],
    ["src/*/keys/**", "src/a", true],
    ["src/*/keys/**", "src/a/b", false],
    ["src/**/keys", "src", true],
    ["src/**/keys", "src/a/keys/b", true],
    ["**/keys/*.pem", "a/keys", true],
    ["{a,b}/keys", "b", true],
    ["deploy/", "deploy/x", true],
    ["**", "anything", true],
    ["*", "anything", true],
  ])("%s and %s: %s", (glob, path, overlaps) => {
    expect(buildOverlapMatcher([glob])(path)).toBe(overlaps);
  });

  it("never when there are no globs", () => {
    expect(buildOverlapMatcher([])("src")).toBe(false);
  });
});

describe("a glob of the configuration", () => {
  const problems = (key: string, glob: string) => {
    const section = key === "test-paths" ? "validation" : "policy";
    return parseConfig("c.yml", `version: 1\n${section}:\n  ${key}: [${JSON.stringify(glob)}]\n`).problems;
  };
  it.each([
    "",
    " ",
    "/src/**",
    "./src",
    "../src",
    "src/../a",
    "src//a",
    "!src/**",
    "src\\a",
    "C:/a",
    "~/a",
    "a/{b/c,d}",
    "+(a/b)",
  ])("that would silently match nothing, or cannot be judged, is refused: %j", (glob) => {
    for (const key of ["protected-paths", "sensitive-paths", "test-paths"]) {
      expect(problems(key, glob).map(({ code, line }) => [code, line])).toEqual([["CONFIG_INVALID", 3]]);
    }
  });

  it.each(["src/**", "**/*.test.*", "deploy/", "a/{b,c}/d", "[ab].ts", "**"])("is good: %s", (glob) => {
    for (const key of ["protected-paths", "sensitive-paths", "test-paths"]) expect(problems(key, glob)).toEqual([]);
  });
});

it("policy defaults to guarded mode, no sensitive and no test paths, and no identity", () => {
  expect(defaultConfig().policy).toMatchObject({
    mode: "guarded",
    "protected-paths": [],
    "sensitive-paths": [],
    "require-github-identity": false,
  });
  expect(defaultConfig().validation["test-paths"]).toEqual([]);
});
