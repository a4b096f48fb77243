import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/domain/plan.ts";
import { judgeIds, judgeQueue, type PlanFolder } from "../../src/domain/plan-queue.ts";
import { parseText, readFixture } from "./plan-fixtures.ts";

function parse(bullets: string, path = "plans/keys.md"): Plan {
  const { plan } = parseText(`# Keys\n\n## Metadata\n\n- Implementation-Targets: src\n${bullets}\n`, { path });
  if (plan === undefined) throw new Error("expected a plan");
  return plan;
}

const WHOLE = "- Plan-ID: keys\n- Status: queued\n- Owner: me\n- Acceptance-Criteria: All stays";
const codes = (plan: Plan, folder?: PlanFolder) =>
  judgeQueue(plan, folder).map(({ code, message }) => `${code} ${message}`);

describe("what a queue would refuse", () => {
  it("is nothing of a plan with all that it needs, and of one without metadata", () => {
    expect(codes(parse(WHOLE), "active")).toEqual([]);
    const bare = parseText(readFixture("base.md")).plan;
    expect(bare === undefined ? undefined : codes(bare, "active")).toEqual([]);
  });

  it.each(["Plan-ID", "Status", "Owner", "Acceptance-Criteria"])("is a plan without %s", (key) => {
    const bullets = WHOLE.split("\n").filter((bullet) => !bullet.startsWith(`- ${key}:`));
    expect(codes(parse(bullets.join("\n")), "active")).toEqual([
      expect.stringContaining(`PLAN_QUEUE_KEY_MISSING expected \`${key}\``),
    ]);
    expect(judgeQueue(parse(bullets.join("\n")), undefined)[0]).toMatchObject({
      line: 1,
      column: 1,
      severity: "warning",
    });
  });

  it.each<[PlanFolder, string, boolean]>([
    ["active", "draft", false],
    ["active", "in-progress", true],
    ["active", "completed", false],
    ["future", "draft", true],
    ["future", "promoted", true],
    ["future", "queued", false],
    ["completed", "completed", true],
    ["completed", "failed", false],
  ])("is, among %s plans, one that is %s: %s", (folder, status, fits) => {
    const found = codes(parse(WHOLE.replace("queued", status)), folder);
    expect(found).toEqual(fits ? [] : [expect.stringContaining(`PLAN_QUEUE_STATUS expected one of`)]);
  });

  it("is no status in any other folder", () => {
    expect(codes(parse(WHOLE.replace("queued", "draft")))).toEqual([]);
  });

  it("is no bare playbook with the title of another", () => {
    const plans = ["a.md", "b.md"].flatMap((path) => parseText(readFixture("base.md"), { path }).plan ?? []);
    expect(plans).toHaveLength(2);
    expect(judgeIds(plans)).toEqual([]);
  });

  it("is a plan with the id of another", () => {
    const plans = [
      parse(WHOLE, "a.md"),
      parse(WHOLE, "b.md"),
      parse(WHOLE.replace("keys", "ring"), "c.md"),
      parse(WHOLE, "a.md"),
    ];
    expect(judgeIds(plans)).toEqual([
      expect.objectContaining({
        path: "b.md",
        code: "PLAN_ID_DUPLICATE",
        severity: "warning",
        message: expect.stringContaining('as in "a.md"'),
      }),
    ]);
  });
});
