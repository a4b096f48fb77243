import { describe, expect, it } from "vitest";
import { parsePlan } from "../../src/domain/parse-plan.ts";
import { planSchema } from "../../src/domain/plan.ts";
import { parseText, placesOf, readFixture } from "./plan-fixtures.ts";

const ROW_01 = {
  phase: "Phase 1",
  action: "Key ring with `a|b` and ``c`|`d``",
  why_now: "Keys leak",
  owner_type: "developer",
  prerequisites: [],
  repo_surfaces: ["src/session", "README.md"],
  deliverables: ["src/session/key-ring.ts", "__tests__/session/key-ring.test.ts"],
  exit_criteria: "Both keys verify | the newer signs",
  write_roots: ["src/session", "__tests__/session"],
  requires_red_green: true,
  manual_gate: "none",
  manual_gate_reason: "Both keys verify | the newer signs",
  manual_gate_evidence: "decision record",
  external_check: "none",
  external_dependencies: "",
  consult_paths: ["docs/security.md"],
  required_commands: ["npm test -- session", 'node -e "a; b"', "echo `date`; true"],
  suggested_commands: ["npm run bench"],
  required_artifacts: ["src/session/key-ring.ts", "__tests__/session/key-ring.test.ts"],
  notes: "A note with a backslash \\d.",
  allow_no_change: false,
  change_profile: "behavioral_code",
  item_id: "01",
  line: 37,
};

const ROW_02 = {
  ...ROW_01,
  item_id: "02",
  action: "Verify with both keys",
  why_now: "Same",
  prerequisites: ["01"],
  repo_surfaces: ["src/session/key-ring.ts", "src/session"],
  deliverables: ["src/session/verify.ts"],
  exit_criteria: "Old sessions stay",
  write_roots: ["."],
  requires_red_green: false,
  // A text column has no `none`: what is written is the reason.
  manual_gate_reason: "none",
  consult_paths: [],
  required_commands: ["grep 'a|b' src"],
  suggested_commands: [],
  required_artifacts: ["src/session/verify.ts"],
  notes: "",
  change_profile: "mixed",
  line: 38,
};

const ROW_03 = {
  ...ROW_02,
  item_id: "03",
  phase: "2",
  action: "Runbook",
  why_now: "People ask",
  owner_type: "writer",
  prerequisites: ["01", "02"],
  repo_surfaces: [],
  deliverables: ["docs/runbooks/keys.md"],
  exit_criteria: "Page is read",
  write_roots: ["docs/runbooks"],
  manual_gate: "security_review",
  manual_gate_reason: "Key handling changed",
  manual_gate_evidence: "signed review",
  external_check: "human_supplied_evidence_required",
  external_dependencies: "the security team",
  consult_paths: ["src/session/verify.ts"],
  required_commands: [],
  required_artifacts: ["docs/runbooks/keys.md", "build/log.txt"],
  change_profile: "docs_only",
  line: 39,
};

const FULL = {
  schema_version: "conveyor.plan.v1",
  plan_id: "rotate-session-keys",
  title: "Rotate *session* keys",
  path: "plans/keys.md",
  metadata: null,
  items: [
    ROW_01,
    ROW_02,
    ROW_03,
    {
      ...ROW_03,
      item_id: "04.b:c_d-e",
      phase: "Roll-out",
      action: "Switch",
      why_now: "Last",
      owner_type: "operator",
      prerequisites: ["01", "02", "03"],
      deliverables: ["CHANGELOG.md"],
      exit_criteria: "Done",
      write_roots: ["CHANGELOG.md", "docs"],
      manual_gate: "none",
      manual_gate_reason: "Done",
      manual_gate_evidence: "decision record",
      external_check: "none",
      external_dependencies: "",
      consult_paths: [],
      required_commands: ["true"],
      required_artifacts: ["CHANGELOG.md"],
      line: 40,
    },
  ],
  shared_sections: [
    {
      title: "Plan context",
      text: "Sessions are signed with one key.\n\n~~~~text\n~~~\n## 4. still in the fence\n~~~~",
    },
    { title: "Shared guidance", text: "Never log a key." },
  ],
  phase_sections: [
    {
      phase: "Phase 1",
      title: "Phase 1: The ring",
      text: "Use the ring.\n\n```\n### Not a heading\n```\n\n#### A detail\n\nMore.",
    },
    { phase: "2", title: "2. Runbook", text: "Write it for the night." },
    { phase: "Roll-out", title: "roll-out", text: "Slowly." },
  ],
  item_sections: [],
};

describe("a plan with everything", () => {
  it("becomes exactly this plan, without a problem", () => {
    const parsed = parseText(readFixture("full.md"));
    expect(placesOf(parsed)).toEqual([]);
    expect(parsed.plan).toEqual(FULL);
    expect(planSchema.parse(parsed.plan)).toEqual(FULL);
  });

  it.each([
    ["a byte order mark", (text: string) => `\uFEFF${text}`],
    ["CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
    ["CR alone", (text: string) => text.replaceAll("\n", "\r")],
    ["trailing spaces", (text: string) => text.replaceAll(/(\||context|details)$/gm, "$1 \t ")],
  ])("is the same plan with %s", (_, change) => {
    expect(parseText(change(readFixture("full.md"))).plan).toEqual(FULL);
  });
});

describe("outside of a repository", () => {
  it("checks no path against tracked files", () => {
    const text = readFixture("base.md").replace("src/app.ts", "src/nowhere.ts");
    expect(placesOf(parseText(text))).toHaveLength(1);
    expect(parsePlan({ path: "keys.md", bytes: new TextEncoder().encode(text) }).problems).toEqual([]);
  });
});

describe("title and id", () => {
  const withTitle = (title: string) => readFixture("base.md").replace("# Rotate keys", title);
  it.each([
    ["the first H1", "# Größe & Schlüssel\n\n# Second", "plans/a.md", "gro-e-schlussel", "Größe & Schlüssel"],
    ["the file's name", "No title", "plans/My Plan.v2.md", "my-plan-v2", "My Plan.v2"],
    ["the file's name for a title in other letters", "# 鍵", "plans/keys.md", "keys", "鍵"],
    ["the folder's name", "No title", "plans/Keys/計画.md", "keys", "計画"],
    ["80 characters at most", `# ${"a".repeat(79)} b`, "plans/a.md", "a".repeat(79), `${"a".repeat(79)} b`],
  ])("come from %s", (_, title, path, planId, expectedTitle) => {
    const { plan } = parseText(withTitle(title), { path });
    expect([plan?.plan_id, plan?.title]).toEqual([planId, expectedTitle]);
  });

  it("take no H1 that stands after the items", () => {
    const { plan } = parseText(`${withTitle("No title")}\n# Too late\n`);
    expect([plan?.plan_id, plan?.title]).toEqual(["keys", "keys"]);
  });
});

describe("support sections", () => {
  it("give a phase's text to every spelling of the phase", () => {
    const text = readFixture("base.md").replace("| 02 | build |", "| 02 | BUILD |");
    expect(parseText(text).plan?.phase_sections.map(({ phase }) => phase)).toEqual(["build", "BUILD"]);
  });

  it.each(["Phase Build", "build: the ring", "Build – the ring", "BUILD. The ring", "build"])("match %j", (heading) => {
    const parsed = parseText(readFixture("base.md").replace("### Build", `### ${heading}`));
    expect(parsed.problems).toEqual([]);
    expect(parsed.plan?.phase_sections).toEqual([{ phase: "build", title: heading, text: "All about the ring." }]);
  });
});

describe("change_profile", () => {
  const profileOf = (deliverable: string, roots: string, redGreen: string) =>
    parseText(
      readFixture("base.md").replace(
        "| src/ring.ts | Ring works | src | no |",
        `| ${deliverable} | Ring works | ${roots} | ${redGreen} |`,
      ),
      { trackedFiles: new Set(["src/app.ts", "src/ring.ts", "docs/a.md"]) },
    ).plan?.items[0]?.change_profile;

  it.each([
    ["src/a.ts", "src", "yes", "behavioral_code"],
    ["docs/a.md", "docs", "yes", "behavioral_code"],
    ["docs/a.md", "docs", "no", "docs_only"],
    ["docs/a.png", "web/docs/img", "no", "docs_only"],
    ["README.MD; a.mdx; a.rst; a.adoc; a.txt", "README.md; a.mdx; a.rst; a.adoc; a.txt", "no", "docs_only"],
    ["docs/a.md", "docs; src", "no", "mixed"],
    ["docs/a.md", ".", "no", "mixed"],
    ["docs/a.md; src/a.ts", "docs", "no", "mixed"],
    ["docs", "docs", "no", "mixed"],
  ])("of %j in %j with red/green %s is %s", (deliverable, roots, redGreen, profile) => {
    expect(profileOf(deliverable, roots, redGreen)).toBe(profile);
  });
});

describe("ids with a meaning in JavaScript", () => {
  it.each(["constructor", "toString", "hasOwnProperty"])("%s is an id like any other", (id) => {
    const text = readFixture("base.md").replace("| 01 |", `| ${id} |`).replace("| 01 |", `| ${id} |`);
    expect(parseText(text).plan?.items[1]?.prerequisites).toEqual([id]);
  });

  it("__proto__ has not the shape of an id, and harms nothing as a column", () => {
    const text = readFixture("base.md").replace("| 01 |", "| __proto__ |").replace("| notes |", "| __proto__ |");
    expect(placesOf(parseText(text))).toContain("11:3 PLAN_STEP_ID_SHAPE");
    expect(Object.prototype).toEqual({});
  });
});
