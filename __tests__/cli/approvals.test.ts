import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ApprovalFacts } from "../../src/domain/approval-facts.ts";
import { buildFacts, GESTURES, user } from "../domain/approval-fixtures.ts";
import { TestRepository } from "../support/conveyor.ts";

const repository = new TestRepository();

/** What `approvals explain` makes of a text, called outside of any repository. */
async function explain(text: string, ...options: string[]) {
  writeFileSync(join(repository.base, "facts.json"), text);
  return repository.conveyor(["approvals", "explain", "facts.json", ...options], { cwd: repository.base });
}

function labelled(by: Parameters<typeof user>[0], time?: string): ApprovalFacts {
  const facts = buildFacts();
  GESTURES.label(facts, { by: user(by), ...(time === undefined ? {} : { time }) });
  return facts;
}

describe("approvals explain", () => {
  test("prints the record of an approval that counts, exit 0", async () => {
    const facts = labelled("maintain");
    const text = await explain(JSON.stringify(facts));
    expect({ code: text.code, stderr: text.stderr }).toEqual({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(
      /^approved\ncounts: approve by maintain \(maintain\), label \d+ on b{40}, until 2026-03-28/,
    );
    const json = await explain(JSON.stringify(facts), "--format", "json");
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({
      verdict: "approved",
      reason_code: null,
      self_approved: false,
      records: [
        {
          repo_id: 500,
          pr: 42,
          head_sha: "b".repeat(40),
          base_ref: "main",
          merge_base_sha: "c".repeat(40),
          plan_sha256: "1".repeat(64),
          risk: "high",
          approver_id: 2,
          approver_login: "maintain",
          role_at_time: "maintain",
          source: "label",
          created_at: "2026-03-25T12:05:00.000Z",
          expires_at: "2026-03-28T12:05:00.000Z",
        },
      ],
      refused: [],
      refusals: [],
    });
  });

  test("names every rule that refuses, exit 3", async () => {
    const facts = labelled("author", "12:01:05");
    facts.pull_request.draft = true;
    const text = await explain(JSON.stringify(facts));
    expect(text.code).toBe(3);
    const words = [...text.stdout.matchAll(/^ {2}([a-z-]+): /gm)].map(([, word]) => word);
    expect(words).toEqual(["contributor", "seen-too-late", "draft"]);
    expect(text.stdout).toMatch(/^not approved \(RISK_HIGH_NOT_APPROVED\)\ndoes not count: label \d+ by author\n/);
    const json = await explain(JSON.stringify(facts), "--format", "json");
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({
      verdict: "not_approved",
      reason_code: "RISK_HIGH_NOT_APPROVED",
      records: [],
      refused: [{ source: "label", approver: "author", refusals: words.map((rule) => ({ rule })) }],
      refusals: [{ rule: "too-few-approvals" }],
    });
  });

  test("says that somebody approved their own work, where that is allowed", async () => {
    const facts = buildFacts({ risk: "medium", policy: { approvals: { medium: { self: true } } } });
    GESTURES.review(facts, { by: user("author") });
    const { code, stdout } = await explain(JSON.stringify(facts));
    expect({ code, first: stdout.split("\n")[0] }).toEqual({ code: 0, first: "approved, self-approved" });
  });

  test("prints the line to paste when a comment names no digest", async () => {
    const facts = buildFacts();
    GESTURES.comment(facts, { body: "/conveyor approve" });
    const { stdout } = await explain(JSON.stringify(facts));
    const line = /\/conveyor approve [0-9a-f]{64}/.exec(stdout)?.[0] ?? "none";
    GESTURES.comment(facts, { body: line });
    expect((await explain(JSON.stringify(facts))).code).toBe(0);
  });

  test("a gate that was rejected is exit 3", async () => {
    const facts = buildFacts({ kind: "manual_gate" });
    GESTURES.button(facts, { id: "reject_gate" });
    const { code, stdout } = await explain(JSON.stringify(facts));
    expect(code).toBe(3);
    expect(stdout).toMatch(/^rejected \(ITEM_GATE_REJECTED\)\ncounts: reject by maintain /);
  });

  test("a plan of low risk needs nobody, exit 0", async () => {
    const { code, stdout } = await explain(JSON.stringify(buildFacts({ risk: "low" })));
    expect({ code, stdout }).toEqual({ code: 0, stdout: "not needed\n" });
  });

  test("control characters in names and logins do not reach the terminal", async () => {
    const facts = buildFacts();
    GESTURES.label(facts, { by: { id: 1, login: "\u001b[2Jadmin", type: "User" } });
    const { stdout } = await explain(JSON.stringify(facts));
    expect(stdout).toContain("admin");
    expect(stdout).not.toContain("\u001b");
  });

  test.each([
    ["no JSON", "{", "not JSON"],
    ["nothing", "{}", "kind: "],
    ["an unknown key", JSON.stringify({ ...buildFacts(), more: 1 }), 'Unrecognized key: "more"'],
    [
      "half an event that decides",
      JSON.stringify({ ...buildFacts(), timeline: [{ event: "unlabeled" }] }),
      "timeline.0",
    ],
    [
      "a state nobody knows",
      JSON.stringify(buildFacts()).replace('"state":"open"', '"state":"ajar"'),
      "pull_request.state",
    ],
  ])("refuses %s with exit 2 and says where", async (_what, text, says) => {
    const { code, stdout, stderr } = await explain(text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(says);
  });

  test("refuses a file that is not there", async () => {
    const ended = await repository.conveyor(["approvals", "explain", "nowhere.json"], { cwd: repository.base });
    expect({ code: ended.code, says: ended.stderr.includes("cannot read nowhere.json") }).toEqual({
      code: 2,
      says: true,
    });
  });

  test("takes what the published schema describes, key for key", () => {
    const schema = JSON.parse(
      readFileSync(new URL("../../schemas/approval-facts.schema.json", import.meta.url), "utf8"),
    ) as { properties: object };
    expect(Object.keys(buildFacts()).sort()).toEqual(Object.keys(schema.properties).sort());
  });
});

describe("a run", () => {
  const gatesOpen = ["--policy-status", "allow", "--ci-status", "success", "--review-status", "approved"];

  test("is not approved by the environment alone where two people are needed", async () => {
    const two = new TestRepository({ configLines: ["policy: {approvals: {medium: {count: 2}}}"] });
    const ended = await two.run(gatesOpen);
    expect(ended.code).toBe(3);
    expect(ended.outcome.blocked_reason_codes).toEqual(["RISK_MEDIUM_NOT_APPROVED"]);
    expect(ended.outcome.next_actions[0]?.what).toContain("approvals by 1 of 2 different people");
    const trust = two.events().findLast(({ type }) => type === "trust_read");
    expect(trust?.details).toMatchObject({ approvals: [{ authority: "environment", tier: "medium" }] });
    expect((await two.conveyor(["verify"])).code).toBe(0);
  });
});
