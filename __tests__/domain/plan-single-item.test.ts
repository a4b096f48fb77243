import { describe, expect, it } from "vitest";
import { parseText } from "./plan-fixtures.ts";

const plan = (bullets: string, rest = "", input = {}) =>
  parseText(`# Rotate keys\n\nStatus: canonical\n\n## Metadata\n\n- Plan-ID: keys\n${bullets}\n\n${rest}`, input);

describe("a plan that has metadata and no items", () => {
  it("is one item: title, criteria, boxes, targets and commands", () => {
    const {
      plan: parsed,
      problems,
      form,
    } = plan(
      "- Owner: me\n- Acceptance-Criteria: Old sessions stay\n- Implementation-Targets: src, docs/a.md\n- Validation: npm test",
      "## Goal\n\nWhy it is done.\n\n## Must-Land Checklist\n\nAll of:\n\n- [ ] `a` The ring\n      holds two keys\n  - [x] nested\n1. [X] numbered\n- no box\n\n```\n- [ ] in a fence\n```\n\n### Part two\n\n* [ ] deeper\n\n## Later\n\n- [ ] not now\n",
    );
    expect(problems).toEqual([]);
    expect(form).toEqual({ metadata: "section", items: "single" });
    expect(parsed?.items).toEqual([
      expect.objectContaining({
        item_id: "01",
        action: "Rotate keys",
        owner_type: "me",
        exit_criteria:
          "Old sessions stay — Must land: (1) `a` The ring holds two keys; (2) nested; (3) numbered; (4) deeper",
        write_roots: ["src", "docs/a.md"],
        required_commands: ["npm test"],
        required_artifacts: [],
        change_profile: "mixed",
        allow_no_change: false,
      }),
    ]);
    expect(parsed?.shared_sections.map(({ title }) => title)).toEqual([
      "Rotate keys",
      "Goal",
      "Must-Land Checklist",
      "Later",
    ]);
    expect(parsed?.shared_sections[0]?.text).toBe("Status: canonical");
  });

  it("is held to the configured commands when it has none, and may write everything when it does not say", () => {
    const { plan: parsed } = plan("", "", { validationCommands: ["npm test"] });
    expect(parsed?.items[0]).toMatchObject({
      exit_criteria: "Rotate keys",
      write_roots: ["."],
      required_commands: ["npm test"],
    });
  });

  it.each([
    ["Validation: a;;b ;; `c ;; d`", ["a", "b", "c ;; d"]],
    ["Validation:\n  - `npm test`\n  - npm run\n    lint", ["npm test", "npm run lint"]],
    ["Validation: a\n- Validation: b ;; c\n- validation: `d`", ["a", "b", "c", "d"]],
    ["Validation: npm test\n  -- session", ["npm test -- session"]],
  ])("reads %j", (bullet, commands) => {
    const { plan: parsed, problems } = plan(`- Implementation-Targets: docs\n- ${bullet}`);
    expect(problems).toEqual([]);
    expect(parsed?.metadata?.validation).toEqual(commands);
    expect(parsed?.items[0]?.required_commands).toEqual(commands);
  });

  it("has its boxes under the heading alone, in any spelling of it", () => {
    const boxes = (heading: string) =>
      plan("- Implementation-Targets: docs", `## Goal\n\n${heading}\n\n- [ ] a\n`).plan?.items[0]?.exit_criteria;
    for (const heading of ["## Must-Land Checklist", "### must land checklist", "## 4. Must-Land Checklist ##"]) {
      expect(boxes(heading)).toBe("Must land: (1) a");
    }
    expect(boxes("## Checklist")).toBe("Rotate keys");
  });

  it("changes documents alone when its targets are documents", () => {
    expect(plan("- Implementation-Targets: docs/a.md").plan?.items[0]?.change_profile).toBe("docs_only");
  });
});
