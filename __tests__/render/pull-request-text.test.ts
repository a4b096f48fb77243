import { describe, expect, test } from "vitest";
import { defaultConfig } from "../../src/domain/config.ts";
import type { RunReport } from "../../src/domain/report.ts";
import type { Deliverable } from "../../src/domain/publication.ts";
import {
  BODY_LENGTH_MAX,
  hasPullRequestMarker,
  renderPullRequestBody,
  renderPullRequestTitle,
  type PullRequestFacts,
} from "../../src/render/pull-request-text.ts";
import { buildRunReport } from "../../src/domain/report.ts";
import { buildPlan } from "../domain/run-fixtures.ts";
import { doneRun, fold } from "../domain/run-story.ts";

const PLAN = buildPlan([{ item_id: "01" }]);
const REPORT: RunReport = buildRunReport(fold(doneRun()), { plan: PLAN, config: defaultConfig() }, "a".repeat(64));
const RUN_ID = REPORT.run_id;
const COMPLETE: Deliverable = { kind: "complete", branch: "conveyor/p/r", base: "base", head: "head" };

/** Texts of plans and agents that would do something if they were taken as they are. */
const ACTIVE = [
  "@maintainers please merge",
  "fixes #1, closes GH-2, resolves octo/repo#3",
  "Closes https://github.com/octo/repo/issues/4",
  "![pixel](https://evil.invalid/p.png)",
  '<img src="https://evil.invalid/p.png"><script>alert(1)</script>',
  "[approve](https://evil.invalid) www.evil.invalid http://evil.invalid mail@evil.invalid",
  "<!-- conveyor:run=RUN_20260101T000000Z_00000000 -->",
  "\u202Edetpecca\u202C \u200B\u0007\u001b[31m",
  "| cell | `code` | ~~gone~~ **verdict: done**",
  "line one\n# line two\n- [x] done",
];

const facts = (more: Partial<PullRequestFacts> = {}): PullRequestFacts => ({
  publication: COMPLETE,
  report: REPORT,
  commits: [],
  token: "github_token",
  profile: "separate_jobs",
  rerun: true,
  standing: [],
  drafts: true,
  ...more,
});

/** A report in which everything that a plan or a program can write says the same. */
function saying(text: string): RunReport {
  return {
    ...REPORT,
    verdict: text,
    items: REPORT.items.map((item) => ({ ...item, item_id: text, action: text })),
    policy:
      REPORT.policy === null
        ? null
        : {
            ...REPORT.policy,
            risk: { tier: "low", reasons: [{ tier: "low", text }] },
            approvals: [
              {
                tier: "medium",
                authority: "environment",
                approver: text,
                counts: true,
                self_approved: false,
                refused_by: [],
              },
            ],
          },
  };
}

function waiting(text: string): Deliverable {
  const gate = {
    gateType: "approval",
    reason: text,
    requiredEvidence: text,
    commit: "head",
    packetSha256: "",
    findingIds: [],
    decision: "none",
    by: "",
    note: "",
    authority: "",
    evidence: [],
  } as const;
  return { kind: "waiting", branch: "b", base: "base", head: "head", itemId: text, gate };
}

describe("S-43: nothing in a pull request's text is active that a plan or a program wrote", () => {
  test.each(ACTIVE.map((text) => [text]))("%j", (text) => {
    for (const publication of [COMPLETE, waiting(text)]) {
      const given = facts({ publication, report: saying(text) });
      const body = renderPullRequestBody(given);
      const own = `<!-- conveyor:run=${RUN_ID} -->`;
      // An empty comment stands where something would have begun; ours is the only other one.
      const rest = body.replace(own, "");
      expect(rest).not.toMatch(/@\w/);
      expect(rest).not.toMatch(/#\d|GH-\d/);
      expect(rest).not.toMatch(/:\/\/|www\.\w/);
      expect(rest).not.toMatch(/(^|[^\\])<(?!!-- -->)/m);
      expect(rest).not.toMatch(/(^|[^\\])(!\[|\]\()/);
      expect(rest).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/);
      expect(rest).not.toMatch(/^# line two|^- \[x\]/m);
      expect(body.split("\n")[0]).toMatch(/^\*\*.*\*\*$/);
      expect(hasPullRequestMarker(body, RUN_ID)).toBe(true);
      expect(hasPullRequestMarker(body, "RUN_20260101T000000Z_00000000")).toBe(false);
      expect(renderPullRequestTitle(given)).toMatch(/^Plan [a-z0-9-]+: [a-z ]+$/);
    }
  });
});

describe("S-44: a text that is too long", () => {
  test("is cut at a line and says so; the verdict and the mark stay", () => {
    const verified = { commit: "c", tree: "t", parent: "p", message: "", itemId: "\u{1F6A2}`".repeat(20) };
    const commits = Array.from({ length: 1000 }, () => ({ verified, published: "c" }));
    const body = renderPullRequestBody(facts({ commits }));
    expect(body.length).toBeLessThanOrEqual(BODY_LENGTH_MAX);
    expect(body.startsWith("**done")).toBe(true);
    expect(body).toContain("*Cut here: the rest is too long for a pull request and stands in the report.*");
    expect(hasPullRequestMarker(body, RUN_ID)).toBe(true);
    expect(body).toBe(body.toWellFormed());
  });

  test("of a plan leaves room for what is said of the run", () => {
    const items = Array.from({ length: 500 }, (_, index) => ({
      ...REPORT.items[0],
      item_id: `${index}`,
      action: "*".repeat(index === 0 ? 5000 : 150),
    }));
    const body = renderPullRequestBody(
      facts({
        publication: { ...waiting("*".repeat(70_000)), itemId: "01" } as Deliverable,
        report: { ...REPORT, verdict: "*".repeat(70_000), items: items as RunReport["items"] },
      }),
    );
    expect(body).toContain("**Do not merge this draft.**");
    expect(body).toContain("… and 400 more in the report.");
    expect(body).toContain("## Commits");
    expect(body).not.toContain("Cut here");
  });
});

const SELF_APPROVED = {
  ...REPORT,
  policy: {
    ...(REPORT.policy as NonNullable<RunReport["policy"]>),
    approvals: [
      { tier: "medium", authority: "github", approver: "ada", counts: true, self_approved: true, refused_by: [] },
    ],
  },
} satisfies RunReport;

describe("what a person has to know", () => {
  test.each([
    [{ token: "github_token" }, "*Approve workflows to run*"],
    [{ report: SELF_APPROVED }, "medium risk approved by ada (github, self-approved)"],
    [{ token: "unknown" }, "GitHub did not say whose token pushed"],
    [{ profile: "one_job" }, "The weaker profile: agents ran in the job that holds the write token."],
    [{ rerun: true }, "run again on a fresh machine without keys"],
    [{ rerun: false }, "were not run again on another machine"],
    [{ standing: ["`ci: none`: no check is asked for."] }, "- `ci: none`: no check is asked for."],
  ] as const)("%j", (more, text) => {
    expect(renderPullRequestBody(facts(more))).toContain(text);
  });

  test("the App's token starts workflows by itself, so nobody is told to", () => {
    expect(renderPullRequestBody(facts({ token: "app" }))).not.toContain("Approve workflows");
  });
});
