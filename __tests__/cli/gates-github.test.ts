import { describe, expect, it } from "vitest";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderPreflight, type Preflight } from "../../src/domain/preflight.ts";
import { sha256 } from "../../src/domain/digest.ts";
import { buildPreflight } from "../../src/kernel/github/build-preflight.ts";
import { buildPlan, PLAN_PATH, TestRepository } from "../support/conveyor.ts";
import { connect } from "../support/github/connect.ts";
import { forgeRun, type ForgedEvent } from "../support/forgery.ts";
import { PlanStory, REQUIRED_CHECK } from "../support/github/story.ts";
import { secondsAgo } from "../support/github/state.ts";

interface Blocked {
  readonly outcome: { readonly blocked_reason_codes: readonly string[] };
}

const codes = ({ outcome }: Blocked): readonly string[] => outcome.blocked_reason_codes;

const CLOSED = ["GATE_CI_NOT_SUCCESS", "GATE_REVIEW_NOT_APPROVED"];

describe("conveyor run and resume with --gates github", () => {
  it("runs an approved plan, waits at the gates, and is done when GitHub says so of exactly the delivered commit", async () => {
    const story = (await PlanStory.propose()).approve();
    const ran = await story.run();
    expect([ran.code, codes(ran)]).toEqual([3, CLOSED]);
    expect(story.repository.report()).toMatchObject({
      policy: { approvals: [{ authority: "github", approver: "maintainer", counts: true, refused_by: [] }] },
      gate_decisions: [{ passed: true }, { signal: "missing" }, { signal: "missing" }],
      options: { gates: { value: "github", source: "command_line" } },
    });
    // The branch alone is not enough: nobody looked at it, and nothing ran on it.
    const pull = story.publish(ran.outcome);
    expect(codes(await story.resume())).toEqual(CLOSED);
    story.passCi(ran.outcome.head_sha);
    story.github.review(pull, story.maintainer, "APPROVED", { at: secondsAgo(10) });
    // S-39: what was approved is asked again at each evaluation.
    Object.assign(story.maintainer, { permission: "read", roleName: "read" });
    const lost = await story.resume();
    expect(codes(lost)).toEqual(["GATE_POLICY_DENIED_OR_UNKNOWN", "GATE_REVIEW_NOT_APPROVED"]);
    expect(JSON.stringify(story.repository.report().gate_decisions)).toContain("approver-not-authorised");
    Object.assign(story.maintainer, { permission: "write", roleName: "maintain" });
    const resumed = await story.resume();
    expect([resumed.code, codes(resumed)]).toEqual([0, []]);
    expect((await story.repository.conveyor(["verify"])).code).toBe(0);
    // Whoever rewrites what GitHub said is found out by its digest; the journal names it.
    const last = story.repository.events().findLast(({ type }) => type === "gates_evaluated");
    const [file] = (last?.details["files"] ?? []) as { path: string }[];
    writeFileSync(join(story.repository.runFolder(), file?.path ?? ""), "{}\n");
    const verified = await story.repository.conveyor(["verify"]);
    expect([verified.code, verified.stdout + verified.stderr]).toEqual([1, expect.stringContaining(file?.path ?? "")]);
  });

  it("blocks a plan of high risk that nobody approved, runs one that was, and forgets it with the plan's digest", async () => {
    const high = { policy: [REQUIRED_CHECK, 'sensitive-paths: ["out/**"]'] };
    const refused = await PlanStory.propose(high);
    refused.github.review(refused.proposal, refused.author);
    refused.accept();
    const first = await refused.run();
    expect([first.code, codes(first)]).toEqual([3, ["RISK_HIGH_NOT_APPROVED"]]);
    expect(refused.repository.report()).toMatchObject({
      policy: {
        approvals: [
          { approver: "author", counts: false, refused_by: expect.arrayContaining(["contributor"]) as string[] },
        ],
      },
    });
    const story = (await PlanStory.propose(high)).approve();
    expect(codes(await story.run())).toEqual(CLOSED);
    // A direct push of another plan: nobody approved that one.
    story.repository.write({ [PLAN_PATH]: buildPlan([{ step_id: "01" }], "Another plan") });
    const commit = story.repository.commit("change the plan");
    story.github.push("main", story.repository.path, commit, story.author, secondsAgo(2));
    expect(codes(await story.run())).toEqual(["RISK_HIGH_NOT_APPROVED"]);
    // The run that was approved sees it too.
    const [old] = story.repository.runFolders().sort();
    const resumed = await story.repository.conveyor(["resume", old ?? "", "--gates", "github", "--format", "json"], {
      env: story.env(),
    });
    expect(resumed.stdout).toContain("GATE_POLICY_DENIED_OR_UNKNOWN");
  });

  it("stays blocked when GitHub cannot be asked, and says why", async () => {
    const story = (await PlanStory.propose()).approve();
    story.github.faults.push({
      when: ({ path }) => path.includes("/git/ref/"),
      instead: (response) => {
        response.writeHead(403, { "content-type": "application/json" }).end('{"message":"no access"}');
        return true;
      },
    });
    const ran = await story.run();
    expect(ran.code).toBe(3);
    expect(codes(ran)).toContain("PLAN_DIGEST_CHANGED");
    expect(JSON.stringify(story.repository.report())).toContain("no access");
  });

  it.each([
    ["signals that are typed in", ["--gates", "github", "--ci-status", "success"], {}, "leave them out"],
    ["no token", ["--gates", "github"], { GITHUB_TOKEN: "" }, "GITHUB_TOKEN, found none"],
    ["no repository", ["--gates", "github"], { GITHUB_REPOSITORY: "widgets" }, "expected owner/name"],
    ["a document without its digest", ["--preflight", "x.json"], {}, "expected both or neither"],
    ["a digest that is none", ["--preflight", "x.json", "--preflight-sha256", "abc"], {}, "64 hexadecimal digits"],
    [
      "a document that is not there",
      ["--preflight", "x.json", "--preflight-sha256", "0".repeat(64)],
      {},
      "cannot read",
    ],
  ])("refuses %s, and starts nothing", async (_what, args, env, message) => {
    const repository = new TestRepository();
    const github = {
      GITHUB_API_URL: "http://127.0.0.1:9",
      GITHUB_REPOSITORY: "acme/widgets",
      GITHUB_TOKEN: "t",
      ...env,
    };
    const ended = await repository.run(args, { env: github });
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(repository.runFolders()).toEqual([]);
  });
});

/** What somebody may want to have been said on GitHub; the fold cannot know better. */
const FORGERIES: readonly (readonly [string, (events: ForgedEvent[]) => ForgedEvent[], string])[] = [
  [
    "trust_read",
    (events) => {
      const read = events.find(({ type }) => type === "trust_read");
      const [approval] = (read?.details["approvals"] ?? []) as { record: { approver_login: string } }[];
      if (approval !== undefined) approval.record.approver_login = "root";
      return events;
    },
    "trust_read says otherwise than what was read on GitHub",
  ],
  [
    "gate_decided",
    (events) => {
      const event = events.find(({ type }) => type === "gate_decided");
      if (event !== undefined) event.details["by"] = "root";
      return events;
    },
    "gate_decided does not follow from what was read on GitHub",
  ],
  [
    "gates_evaluated",
    (events) => {
      const event = events.find(({ type }) => type === "gates_evaluated");
      if (event !== undefined) {
        (event.details["observed"] as { ci: string }).ci = "was nearly green";
        const [, ci] = event.details["decisions"] as { detail: string }[];
        if (ci !== undefined) ci.detail = "was nearly green";
      }
      return events;
    },
    "gates_evaluated says otherwise than what was read on GitHub",
  ],
];

describe("a manual gate whose decision is read on GitHub", () => {
  /** A run that waits at a gate, its candidate published as a draft. */
  async function wait() {
    const story = (
      await PlanStory.propose({
        rows: [{ step_id: "01", manual_gate: "approval" }],
        policy: [REQUIRED_CHECK, "require-github-identity: true"],
      })
    ).approve();
    const ran = await story.run();
    expect(codes(ran)).toEqual(["ITEM_AWAITING_HUMAN_GATE"]);
    const requested = story.repository.events().find(({ type }) => type === "gate_requested");
    const candidate = String(requested?.details["commit"]);
    const { branch } = ran.outcome;
    story.github.push(branch, join(story.repository.runFolder(), "repo.git"), candidate, story.bot, secondsAgo(60));
    const pull = story.github.openPull({ headRef: branch, user: story.bot, draft: true });
    return { story, pull, candidate };
  }

  it("passes with an approving review of exactly the candidate, and with nothing else", async () => {
    const { story, pull, candidate } = await wait();
    expect((await story.resume()).stderr).toContain("approvals by 0 of 1");
    story.github.review(pull, story.maintainer, "APPROVED", { commitId: "0".repeat(40), at: secondsAgo(20) });
    expect((await story.resume()).stderr).toContain("other-head");
    story.github.review(pull, story.maintainer, "CHANGES_REQUESTED", { at: secondsAgo(15) });
    expect((await story.resume()).code).toBe(3);
    story.github.review(pull, story.maintainer, "APPROVED", { at: secondsAgo(10) });
    const resumed = await story.resume();
    expect(codes(resumed)).toEqual(CLOSED);
    expect(story.repository.events().find(({ type }) => type === "gate_decided")?.details).toMatchObject({
      decision: "approved",
      by: "maintainer",
      authority: "github-review",
      commit: candidate,
    });
    expect((await story.repository.conveyor(["verify"])).code).toBe(0);
    // Whoever knows every format and makes every digest anew is found out by what the saved facts give.
    for (const [type, edit, message] of FORGERIES) {
      const folder = join(story.repository.base, type);
      cpSync(story.repository.runFolder(), folder, { recursive: true, verbatimSymlinks: true });
      const isFolded = forgeRun(folder, (events) => edit(structuredClone(events)), {}, { closing: "anew" });
      const verified = await story.repository.conveyor(["verify", folder]);
      expect([isFolded, verified.code]).toEqual([true, 1]);
      expect(verified.stdout + verified.stderr).toContain(message);
    }
  });

  it("is rejected by a comment, and stays so", async () => {
    const { story, pull } = await wait();
    story.github.comment(pull, story.github.addUser("passer-by", "none"), "/conveyor reject", secondsAgo(12));
    expect((await story.resume()).stderr).toContain("approver-not-authorised");
    story.github.comment(pull, story.maintainer, "/conveyor reject", secondsAgo(10));
    const resumed = await story.resume();
    expect([resumed.code, resumed.stderr]).toEqual([3, expect.stringContaining("ITEM_GATE_REJECTED")]);
    expect((await story.repository.conveyor(["verify"])).code).toBe(0);
  });
});

describe("conveyor run --preflight", () => {
  type Asked = Partial<Parameters<typeof buildPreflight>[2]>;

  /** Reads GitHub in this process, as the preflight job does, and runs without any token, as the execute job does. */
  async function run(story: PlanStory, asked: Asked = {}, edit: (document: Preflight) => void = () => undefined) {
    const { github, clock } = await connect(story.github);
    const document = await buildPreflight(github, clock, {
      planPath: PLAN_PATH,
      baseCommit: story.repository.git("rev-parse", "HEAD"),
      byPerson: true,
      askers: [],
      askedBy: "a person",
      paused: false,
      resume: null,
      repositoryId: story.github.state.repositoryId,
      ...asked,
    });
    const text = renderPreflight(document);
    const path = join(story.repository.base, "preflight.json");
    edit(document);
    writeFileSync(path, renderPreflight(document));
    return story.repository.run(["--preflight", path, "--preflight-sha256", sha256(text)]);
  }

  it("goes by what the other job read, and not by its own environment", async () => {
    const story = (await PlanStory.propose()).approve();
    const ran = await run(story);
    expect(codes(ran)).toEqual(["GATE_POLICY_DENIED_OR_UNKNOWN", ...CLOSED]);
    expect(story.repository.report()).toMatchObject({ policy: { approvals: [{ approver: "maintainer" }] } });
    expect((await story.repository.conveyor(["verify"])).code).toBe(0);
    // S-29: another document than the one whose digest was told is none.
    const forged = await run(story, {}, (document) => {
      document.paused = "not at all";
    });
    expect([forged.code, forged.stderr]).toEqual([2, expect.stringContaining("expected the SHA-256")]);
  });

  it("blocks what is not approved, not consented to, paused, or begun elsewhere", async () => {
    const open = await PlanStory.propose();
    open.accept();
    // ORCH_APPROVED_MEDIUM=1 stands in the environment of every run of these tests.
    expect(codes(await run(open))).toEqual(["RISK_MEDIUM_NOT_APPROVED"]);
    const story = (await PlanStory.propose()).approve();
    expect(codes(await run(story, { byPerson: false, askedBy: "schedule" }))).toEqual(["CONSENT_NOT_ENABLED"]);
    const { id } = story.maintainer;
    const own = [{ did: "started", login: "Maintainer", id, isBot: false }] as const;
    const other = own.map((starter) => ({ ...starter, id: id + 1 }));
    expect(codes(await run(story, { askers: other }))).toEqual(["CONSENT_NOT_ENABLED"]);
    expect(codes(await run(story, { paused: true, askers: own }))).toEqual(["PAUSED"]);
    expect(codes(await run(story, { baseCommit: "e".repeat(40) }))).toEqual(["BASE_NOT_TRUSTED"]);
    expect(codes(await run(story, { planPath: "docs/exec-plans/active/other.md" }))).toContain("PLAN_DIGEST_CHANGED");
    expect((await run(story, { repositoryId: 999 })).code).toBe(3);
  });
});
