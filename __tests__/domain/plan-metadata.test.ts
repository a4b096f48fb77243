import { describe, expect, it } from "vitest";
import { planSchema } from "../../src/domain/plan.ts";
import { parseText, readFixture } from "./plan-fixtures.ts";

const parse = (bullets: string, heading = "## Metadata") =>
  parseText(readFixture("base.md").replace("## 2. Items", `${heading}\n\n${bullets}\n\n## 2. Items`));

const DEFAULTS = {
  plan_id: null,
  status: null,
  priority: "p2",
  owner: null,
  acceptance_criteria: null,
  dependencies: [],
  spec_targets: null,
  done_evidence: "pending",
  risk_tier: null,
  autonomy_allowed: "both",
  security_approval: "not-required",
  tags: [],
  promoted: null,
  implementation_targets: null,
  validation: null,
};

describe("the metadata of a plan", () => {
  it("are null when the plan has none", () => {
    expect(parseText(readFixture("base.md")).plan?.metadata).toBeNull();
  });

  it("have a default for everything that is not said", () => {
    expect(parse("").plan?.metadata).toEqual(DEFAULTS);
  });

  it("hold what all bullets say, and give the plan its id", () => {
    const { plan, problems } = parse(
      [
        "- Plan-ID: ring-2",
        "- STATUS: In-Progress",
        "* priority: HIGH",
        "+ Owner: @platform: night",
        "- Acceptance-Criteria: Old sessions stay valid",
        "  for 24 hours: new ones",
        "use the new key",
        "- Dependencies: audit-log, `key-store`, audit-log",
        "- Spec-Targets: ./docs/a.md, docs/b.md",
        "- Done-Evidence: docs/e.md",
        "- Risk_tier: `Medium`",
        "- Autonomy Allowed: guarded",
        "- Security-Approval: approved",
        "- Tags: Sessions, #security",
        "- Promoted: 2026-03-01 by somebody",
        "- Implementation-Targets: `src/`, ./docs",
        "- Validation: npm test ;; npm run lint",
      ].join("\n"),
    );
    expect(problems).toEqual([]);
    expect(plan?.plan_id).toBe("ring-2");
    expect(plan?.title).toBe("Rotate keys");
    expect(plan?.metadata).toEqual({
      plan_id: "ring-2",
      status: "in-progress",
      priority: "p1",
      owner: "@platform: night",
      acceptance_criteria: "Old sessions stay valid for 24 hours: new ones use the new key",
      dependencies: ["audit-log", "key-store"],
      spec_targets: ["docs/a.md", "docs/b.md"],
      done_evidence: "docs/e.md",
      risk_tier: "medium",
      autonomy_allowed: "guarded",
      security_approval: "approved",
      tags: ["Sessions", "#security"],
      promoted: "2026-03-01 by somebody",
      implementation_targets: ["src", "docs"],
      validation: ["npm test", "npm run lint"],
    });
    expect(planSchema.parse(plan)).toEqual(plan);
  });

  it.each(["## Metadata", "## 7. metadata", "## 0 METADATA", "## 12. Metadata ##"])("stand under %s", (heading) => {
    expect(parse("- Risk-Tier: low", heading).plan?.metadata?.risk_tier).toBe("low");
  });

  it.each(["# Metadata", "### Metadata", "## Metadata of it", "<!--\n## Metadata", "## Meta data"])(
    "do not stand under %j",
    (heading) => {
      const text = heading.startsWith("<!--") ? "- Risk-Tier: low\n-->" : "- Risk-Tier: low";
      expect(parse(text, heading).plan?.metadata).toBeNull();
    },
  );

  it("are no section 2, whatever its title", () => {
    const { plan, problems } = parseText(readFixture("base.md").replace("2. Items", "2. Metadata"));
    expect(problems).toEqual([]);
    expect(plan?.metadata).toBeNull();
  });

  it("do not come from fences and comments", () => {
    const text = "```\n- Risk-Tier: low\n```\n<!-- - Risk-Tier: low -->\n- Owner: me";
    expect(parse(text).plan?.metadata).toEqual({ ...DEFAULTS, owner: "me" });
  });

  it("keep a tier that nobody can read, because it counts as high", () => {
    expect(parse("- Risk-Tier: lowish").plan?.metadata?.risk_tier).toBe("unreadable");
  });

  it.each([
    ["p0", "p0"],
    ["P3", "p3"],
    ["medium", "p2"],
    ["Low", "p3"],
  ])("take the priority %s for %s", (written, priority) => {
    expect(parse(`- Priority: ${written}`).plan?.metadata?.priority).toBe(priority);
  });

  it("are read in time that grows with the file, not with its square", () => {
    const started = performance.now();
    parse(
      `- Owner: x\n${`${" ".repeat(400_000)}y\n`.repeat(2)}- ${"_ ".repeat(50_000)}: z\n- Tags: ${"a,".repeat(50_000)}b`,
    );
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
