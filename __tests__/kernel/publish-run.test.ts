import { chmodSync, cpSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { judgeScopeAgain } from "../../src/kernel/publish/judge-publication.ts";
import type { PublishInput } from "../../src/kernel/publish/publish-run.ts";
import { makeFolder, PLAN_PATH, TestRepository } from "../support/conveyor.ts";
import { forgeRun, type ForgedEvent } from "../support/forgery.ts";
import { git } from "../support/git-run.ts";
import type { EmulatedGithub } from "../support/github/github.ts";
import { BOT, openPorts, publish, readRun, startGithub } from "../support/publishing.ts";

/** A run that passed and closed its plan, and a run whose second item waits for a person; made once. */
const done = new TestRepository({ rows: [{ step_id: "01" }, { step_id: "02", prerequisites: "01" }] });
const waiting = new TestRepository({
  rows: [{ step_id: "01" }, { step_id: "02", prerequisites: "01", manual_gate: "approval" }],
});

/** A run that stopped before its second item, and has nothing to deliver. */
const handedOff = new TestRepository({ rows: [{ step_id: "01" }, { step_id: "02" }] });

beforeAll(async () => {
  const runs = await Promise.all([
    done.run(["--deliver", "none"]),
    waiting.run(["--deliver", "none"]),
    handedOff.run(["--deliver", "none", "--item", "01"]),
  ]);
  expect(
    runs.map(({ code }) => code),
    runs.map(({ stderr }) => stderr).join("\n"),
  ).toEqual([3, 3, 75]);
});

/** What is written down of everything that changed GitHub. */
function changesOf(github: EmulatedGithub) {
  const pushes = github.state.pushes.filter(({ actor }) => actor?.login === BOT);
  const writes = github.requests.filter(({ method, path }) => method !== "GET" && path !== "/graphql");
  return { pushes: pushes.length, writes: writes.length, pulls: github.state.pulls.length };
}
const NOTHING = { pushes: 0, writes: 0, pulls: 0 };

function gateCommit(): string {
  return String(waiting.events().find(({ type }) => type === "gate_requested")?.details["commit"]);
}

/** A person merges a pull request on GitHub. */
function merge(github: EmulatedGithub, pull: EmulatedGithub["state"]["pulls"][number] | undefined): void {
  if (pull === undefined) throw new Error("there is no pull request");
  github.merge(pull, null);
}

describe("a finished run", () => {
  test("becomes one branch and one pull request that asks for review, also when it is published again", async () => {
    const { github } = await startGithub(done);
    const { head_sha: head, branch, run_id: runId } = done.report();
    const first = await publish(done, done.runFolder(), github.url);
    expect(first).toMatchObject({
      kind: "published",
      branch,
      headSha: head,
      verifiedHeadSha: head,
      pull: { number: 1, draft: false, created: true, notes: [] },
      waitingItem: undefined,
    });
    expect(github.bare.tip(branch)).toBe(head);
    const [pull] = github.state.pulls;
    expect(pull).toMatchObject({ title: "Plan test-plan: ready for review", baseRef: "main", draft: false });
    expect(pull?.body).toContain(`<!-- conveyor:run=${runId} -->`);
    expect(pull?.body).toContain("*Approve workflows to run*");
    const again = await publish(done, done.runFolder(), github.url);
    expect(again).toMatchObject({ kind: "published", headSha: head, pull: { number: 1, created: false } });
    expect(changesOf(github)).toEqual({ pushes: 1, writes: 1, pulls: 1 });
  });

  test("brings its own earlier head and pull request up to date, and nobody else's", async () => {
    const { github, bot } = await startGithub(done);
    const { branch, head_sha: head, run_id: runId } = done.report();
    const first = String(done.events().find(({ type }) => type === "packet_frozen")?.details["commit"]);
    github.push(branch, join(done.runFolder(), "repo.git"), first, bot);
    github.openPull({ headRef: branch, user: bot, draft: true, body: `old\n<!-- conveyor:run=${runId} -->` });
    expect(await publish(done, done.runFolder(), github.url)).toMatchObject({
      kind: "published",
      pull: { number: 1, draft: false, created: false },
    });
    expect(github.bare.tip(branch)).toBe(head);
    expect(github.state.pulls).toMatchObject([{ draft: false, title: "Plan test-plan: ready for review" }]);
  });

  test("where a draft cannot be turned, a person is told to", async () => {
    const { github, bot } = await startGithub(done, { turnsDrafts: false });
    const { branch, head_sha: head, run_id: runId } = done.report();
    github.push(branch, join(done.runFolder(), "repo.git"), head, bot);
    github.openPull({ headRef: branch, user: bot, draft: true, body: `<!-- conveyor:run=${runId} -->` });
    expect(await publish(done, done.runFolder(), github.url)).toMatchObject({
      kind: "published",
      pull: { draft: true, notes: ['pull request 1 is a draft still: press "Ready for review" on it'] },
    });
  });

  test("that was merged is left alone", async () => {
    const { github, bot } = await startGithub(done);
    await publish(done, done.runFolder(), github.url);
    const [pull] = github.state.pulls;
    merge(github, pull);
    github.bare.setBranch(done.report().branch, undefined);
    // The plan is where finished ones are, or wherever main has gone since.
    const elsewhere = github.bare.git("rev-parse", "main:docs");
    github.bare.setBranch("main", github.bare.git("commit-tree", "-p", "main", "-m", "moved on", elsewhere));
    expect(await publish(done, done.runFolder(), github.url)).toMatchObject({ kind: "merged", number: 1 });
    expect(github.bare.tip(done.report().branch)).toBeUndefined();
    expect(pull?.user).toBe(bot);
  });

  test("whose draft was merged before its time is not taken for merged", async () => {
    const { github, bot } = await startGithub(done);
    const { branch, head_sha: head, run_id: runId } = done.report();
    const first = String(done.events().find(({ type }) => type === "packet_frozen")?.details["commit"]);
    github.push(branch, join(done.runFolder(), "repo.git"), first, bot);
    github.openPull({ headRef: branch, user: bot, draft: true, body: `<!-- conveyor:run=${runId} -->` });
    merge(github, github.state.pulls[0]);
    expect(await publish(done, done.runFolder(), github.url)).toEqual({
      kind: "refused",
      faults: [
        {
          code: "DELIVERY_REFUSED",
          message: `pull request 1 was merged at ${first}, which is not what this run verified: ${head}`,
        },
      ],
    });
    expect(github.bare.tip(branch)).toBe(first);
  });

  test("signs where signatures are demanded: other commits, the same trees, and not twice", async () => {
    const { github } = await startGithub(done, {
      rules: (branch) => (branch === "main" ? ["required_signatures"] : []),
    });
    const { branch, head_sha: head } = done.report();
    const first = await publish(done, done.runFolder(), github.url);
    if (first.kind !== "published") throw new Error(JSON.stringify(first));
    expect(first.verifiedHeadSha).toBe(head);
    expect(first.headSha).not.toBe(head);
    expect(github.bare.tip(branch)).toBe(first.headSha);
    expect(first.commits).toHaveLength(3);
    for (const { published, verified } of first.commits) {
      expect(github.bare.readCommit(published).tree).toBe(verified.tree);
    }
    expect(github.state.pulls[0]?.body).toContain("the same trees as verified");
    const again = await publish(done, done.runFolder(), github.url);
    expect(again).toMatchObject({ kind: "published", headSha: first.headSha });
    expect(changesOf(github).pulls).toBe(1);
    merge(github, github.state.pulls[0]);
    expect(await publish(done, done.runFolder(), github.url)).toMatchObject({ kind: "merged", number: 1 });
  });

  test("is refused where signatures are demanded and nobody signs", async () => {
    const { github } = await startGithub(done, { rules: () => ["required_signatures"], signs: false });
    expect(await publish(done, done.runFolder(), github.url)).toMatchObject({
      kind: "refused",
      faults: [{ code: "DELIVERY_REFUSED", message: expect.stringContaining("does not sign") }],
    });
    expect(github.bare.tip(done.report().branch)).toBeUndefined();
  });
});

describe("a run that waits for a person", () => {
  test("becomes a draft whose head is the audited candidate", async () => {
    const { github } = await startGithub(waiting);
    expect(await publish(waiting, waiting.runFolder(), github.url)).toMatchObject({
      kind: "published",
      headSha: gateCommit(),
      pull: { number: 1, draft: true },
      waitingItem: "02",
    });
    expect(github.state.pulls[0]).toMatchObject({ title: "Plan test-plan: waits for a person", draft: true });
    expect(github.state.pulls[0]?.body).toContain(`An approving review of exactly \`${gateCommit()}\``);
  });

  test("says by its title not to merge it where there are no drafts", async () => {
    const { github } = await startGithub(waiting, { drafts: false });
    expect(await publish(waiting, waiting.runFolder(), github.url)).toMatchObject({
      kind: "published",
      pull: { draft: false, created: true },
    });
    expect(github.state.pulls[0]?.title).toBe("[do not merge] Plan test-plan: waits for a person");
    expect(github.state.pulls[0]?.body).toContain("no draft pull requests");
  });
});

describe("a run that has nothing to deliver", () => {
  const why = "the run is sealed and goes on later";

  test("is told of, when it is the one that was spoken of", async () => {
    const { github } = await startGithub(handedOff);
    const anchors = { runId: handedOff.report().run_id };
    expect(await publish(handedOff, handedOff.runFolder(), github.url, { anchors })).toEqual({ kind: "nothing", why });
  });

  test("S-29: is refused when it is another, or not what its journal tells", async () => {
    const { github } = await startGithub(handedOff);
    const other = { anchors: { runId: "RUN_20260101T000000Z_deadbeef" } };
    expect(await publish(handedOff, handedOff.runFolder(), github.url, other)).toMatchObject({
      kind: "refused",
      faults: [{ code: "ARTIFACT_TAMPERED", message: expect.stringContaining("expected run id") }],
    });
    const folder = join(makeFolder(), handedOff.report().run_id);
    cpSync(handedOff.runFolder(), folder, { recursive: true });
    writeFileSync(join(folder, "plan.md"), "# Another\n");
    expect(await publish(handedOff, folder, github.url)).toMatchObject({
      kind: "refused",
      faults: [{ code: "ARTIFACT_TAMPERED", message: expect.stringContaining("plan.md") }],
    });
  });
});

describe("S-29: what was handed on is not what was verified", () => {
  /** A copy of the finished run, to be changed. */
  function copyRun(): string {
    const folder = join(makeFolder(), done.report().run_id);
    cpSync(done.runFolder(), folder, { recursive: true });
    return folder;
  }

  async function expectRefused(folder: string, code: string, message: string, input: Partial<PublishInput> = {}) {
    const { github } = await startGithub(done);
    const outcome = await publish(done, folder, github.url, input);
    expect(outcome).toMatchObject({ kind: "refused" });
    const faults = outcome.kind === "refused" ? outcome.faults : [];
    expect(faults).toContainEqual({ code, message: expect.stringContaining(message) });
    expect(changesOf(github)).toEqual(NOTHING);
  }

  test.each([
    ["another run", { runId: "RUN_20260101T000000Z_deadbeef" }, "expected run id RUN_20260101T000000Z_deadbeef"],
    ["another plan", { planId: "other" }, "expected plan id other"],
    ["another head", { headSha: "f".repeat(40) }, `expected head ${"f".repeat(40)}`],
    ["nothing", { runId: "" }, "expected run id (none was given)"],
  ])("the executing job spoke of %s", async (_what, anchors, message) => {
    await expectRefused(done.runFolder(), "ARTIFACT_TAMPERED", message, { anchors });
  });

  test("the run branch has one more commit", async () => {
    const folder = copyRun();
    const { branch, head_sha: head } = done.report();
    const repository = join(folder, "repo.git");
    const more = git(
      repository,
      "-c",
      "safe.bareRepository=all",
      "commit-tree",
      "-m",
      "more",
      "-p",
      head,
      `${head}^{tree}`,
    );
    git(repository, "-c", "safe.bareRepository=all", "update-ref", `refs/heads/${branch}`, more);
    await expectRefused(folder, "GIT_TAMPERED", `names ${more}`);
  });

  test("a file is larger than any that a run writes, and than a text may be", () => {
    const folder = copyRun();
    truncateSync(join(folder, "policy.json"), 256 * 1024 * 1024 + 1);
    expect(() => readRun(folder)).toThrow("policy.json: is larger than 268435456 bytes");
  });

  test("the report is one of another run", async () => {
    const folder = copyRun();
    cpSync(join(waiting.runFolder(), "report.md"), join(folder, "report.md"));
    await expectRefused(folder, "ARTIFACT_TAMPERED", "report.md: is not what the journal names");
  });

  /** Replaces the closing commit, everywhere it is named, by another one with the same parent. */
  function replaceClosing(
    folder: string,
    make: (closing: { commit: string; tree: string; parent: string }) => { commit: string; tree: string },
  ) {
    const closing = done.events().find(({ type }) => type === "closing_prepared")?.details as {
      commit: string;
      tree: string;
      parent: string;
    };
    const { commit, tree } = make(closing);
    const edit = (events: ForgedEvent[]): ForgedEvent[] =>
      JSON.parse(
        JSON.stringify(events).replaceAll(closing.commit, commit).replaceAll(closing.tree, tree),
      ) as ForgedEvent[];
    expect(forgeRun(folder, edit)).toBe(true);
    gitIn(folder, "update-ref", `refs/heads/${done.report().branch}`, commit);
  }

  function gitIn(folder: string, ...args: string[]): string {
    return git(join(folder, "repo.git"), "-c", "safe.bareRepository=all", ...args);
  }

  test("the closing commit changes one more file", async () => {
    const folder = copyRun();
    replaceClosing(folder, ({ commit, parent }) => {
      const message = gitIn(folder, "log", "-1", "--format=%B", commit);
      const tree = makeTree(folder, commit, "src/backdoor.txt", "x\n");
      return { tree, commit: gitIn(folder, "commit-tree", "-m", message, "-p", parent, tree) };
    });
    await expectRefused(folder, "GIT_TAMPERED", "changes src/backdoor.txt, which no closing changes so");
  });

  test("the closing commit says something of its own, as words that close issues", async () => {
    const folder = copyRun();
    replaceClosing(folder, ({ tree, parent }) => ({
      tree,
      commit: gitIn(folder, "commit-tree", "-m", "Close plan test-plan\n\nFixes #1", "-p", parent, tree),
    }));
    await expectRefused(folder, "GIT_TAMPERED", "is not the one that plan, packet and journal give");
  });

  test("S-04: a commit under an item's name changes a protected path", async () => {
    const folder = copyRun();
    const run = readRun(folder);
    const { baseCommit: parent, policy } = run.state;
    if (policy === undefined) throw new Error("policy was not decided");
    const { verify } = await openPorts(done, folder, "http://127.0.0.1:9");
    const tree = makeTree(folder, parent, ".github/workflows/x.yml", "on: push\n");
    const commit = gitIn(folder, "commit-tree", "-m", "x", "-p", parent, tree);
    const chain = [{ commit, parent, tree, message: "x", itemId: "01" }];
    expect(await judgeScopeAgain(run, chain, verify, policy)).toContainEqual({
      code: "PROTECTED_PATH_CHANGED",
      message: expect.stringContaining(".github/workflows/x.yml"),
    });
  });

  /** A tree of a commit's with one more file, made beside the repository. */
  function makeTree(folder: string, base: string, path: string, text: string): string {
    const file = join(makeFolder(), "file");
    writeFileSync(file, text);
    const blob = gitIn(folder, "hash-object", "-w", file);
    const made = join(makeFolder(), "make.sh");
    const index = `export GIT_INDEX_FILE=${join(makeFolder(), "index")}`;
    const add = `git update-index --add --cacheinfo 100644,${blob},${path}`;
    writeFileSync(made, [index, `git read-tree ${base}`, add, "git write-tree"].join("\n"));
    return gitIn(folder, "-c", `alias.make=!bash ${made}`, "make");
  }

  test("the journal names a branch of somebody else", async () => {
    const folder = copyRun();
    const { branch } = done.report();
    const edit = (events: ForgedEvent[]): ForgedEvent[] =>
      JSON.parse(JSON.stringify(events).replaceAll(branch, "main")) as ForgedEvent[];
    expect(forgeRun(folder, edit)).toBe(true);
    await expectRefused(folder, "ARTIFACT_TAMPERED", `expected run branch ${branch}, found main`);
  });

  test("the commands that had to run again ran for nobody, for another head, or failed", async () => {
    const folder = done.runFolder();
    const file = join(makeFolder(), "rerun.json");
    const ran = await done.conveyor(["verify", "--rerun", "--format", "json", "--output", file]);
    expect(ran.code, ran.stderr).toBe(0);
    const report = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    const rerunWith = (change: Record<string, unknown>) => ({
      rerun: { report: Buffer.from(JSON.stringify({ ...report, ...change })) },
    });
    const { github } = await startGithub(done);
    expect(await publish(done, folder, github.url, rerunWith({}))).toMatchObject({ kind: "published" });
    expect(github.state.pulls[0]?.body).toContain("run again on a fresh machine");
    await expectRefused(folder, "VERIFICATION_MISSING", "were not run again", { rerun: { report: undefined } });
    await expectRefused(folder, "ARTIFACT_TAMPERED", "rerun: expected commit", rerunWith({ commit: "f".repeat(40) }));
    await expectRefused(folder, "ARTIFACT_TAMPERED", "rerun: expected run", rerunWith({ run_id: "RUN_1" }));
    await expectRefused(folder, "ARTIFACT_TAMPERED", "was not run again: test -s", rerunWith({ commands: [] }));
    await expectRefused(
      folder,
      "VERIFICATION_FAILED",
      "run again: it broke",
      rerunWith({ outcome: "failed", failures: ["it broke"] }),
    );
  });
});

describe("S-36: what is read again before anything leaves", () => {
  async function expectRefused(github: EmulatedGithub, codes: readonly string[], input: Partial<PublishInput> = {}) {
    const outcome = await publish(done, done.runFolder(), github.url, input);
    expect(outcome.kind === "refused" ? outcome.faults.map(({ code }) => code) : outcome).toEqual(codes);
    expect(github.bare.tip(done.report().branch)).toBeUndefined();
    expect(github.state.pulls).toEqual([]);
  }

  /** A copy of the repository whose main has one more commit, for the emulated GitHub alone. */
  async function githubWith(files: Readonly<Record<string, string>>): Promise<EmulatedGithub> {
    const folder = join(makeFolder(), "moved");
    git(done.path, "clone", "--quiet", done.path, folder);
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
    git(folder, "commit", "--quiet", "--all", "--allow-empty", "-m", "moved");
    return (await startGithub({ path: folder })).github;
  }

  test("a main that moved on with the same plan and policy does not stand in the way", async () => {
    const github = await githubWith({ "README.md": "# Moved\n" });
    expect(await publish(done, done.runFolder(), github.url)).toMatchObject({ kind: "published" });
  });

  test("another plan at the tip", async () => {
    await expectRefused(await githubWith({ [PLAN_PATH]: "# Another\n" }), ["PLAN_DIGEST_CHANGED"]);
  });

  test("another policy at the tip", async () => {
    const config = `${readFileSync(join(done.path, ".github/conveyor.yml"), "utf8")}limits: {fix-rounds: 5}\n`;
    await expectRefused(await githubWith({ ".github/conveyor.yml": config }), ["POLICY_DIGEST_CHANGED"]);
  });

  test("a main that no longer contains the base", async () => {
    const { github } = await startGithub(done);
    const tree = github.bare.git("rev-parse", "main^{tree}");
    github.bare.setBranch("main", github.bare.git("commit-tree", "-m", "rewritten", tree));
    await expectRefused(github, ["BASE_MOVED"]);
  });

  test("an approval that counts no more", async () => {
    const { github } = await startGithub(done);
    const admission = { allowFullAutonomy: false, approvals: [] };
    await expectRefused(github, ["RISK_MEDIUM_NOT_APPROVED"], { admission });
  });

  test("S-12: a branch that somebody else made", async () => {
    const { github } = await startGithub(done);
    const { branch } = done.report();
    github.bare.setBranch(branch, github.bare.tip("main"));
    const outcome = await publish(done, done.runFolder(), github.url);
    expect(outcome).toMatchObject({ kind: "refused", faults: [{ code: "DELIVERY_REFUSED" }] });
    expect(github.bare.tip(branch)).toBe(github.bare.tip("main"));
    expect(github.state.pulls).toEqual([]);
  });

  test.each([
    ["somebody else's, with the run's mark", "mallory", "open", "was opened from the run branch by mallory"],
    ["one that a person closed", BOT, "closed", "was closed without being merged"],
  ] as const)("a pull request: %s", async (_what, login, state, message) => {
    const { github, bot } = await startGithub(done);
    const user = login === BOT ? bot : github.addUser(login);
    const { branch, run_id: runId } = done.report();
    github.openPull({ headRef: branch, user, state, body: `<!-- conveyor:run=${runId} -->` });
    const outcome = await publish(done, done.runFolder(), github.url);
    expect(outcome).toMatchObject({
      kind: "refused",
      faults: [{ code: "DELIVERY_REFUSED", message: expect.stringContaining(message) }],
    });
    expect(github.bare.tip(branch)).toBeUndefined();
  });
});

describe("S-25: the token of a push", () => {
  test("stands in no argument and no file, and is the one that pushes", async () => {
    const { github } = await startGithub(done);
    const bin = makeFolder();
    const log = join(bin, "log");
    const real = git(done.path, "--exec-path");
    writeFileSync(join(bin, "git"), `#!/bin/sh\nprintf '%s\\n' "$@" >> ${log}\nexec ${real}/git "$@"\n`);
    chmodSync(join(bin, "git"), 0o755);
    const env = (): Record<string, string> => done.env({ PATH: `${bin}:${process.env["PATH"] ?? ""}` });
    const outcome = await publish({ path: done.path, env }, done.runFolder(), github.url);
    expect(outcome.kind).toBe("published");
    const said = readFileSync(log, "utf8");
    expect(said).toContain(`--force-with-lease=refs/heads/${done.report().branch}:\n`);
    const secrets = [`token-${BOT}`, Buffer.from(`x-access-token:token-${BOT}`).toString("base64")];
    for (const secret of secrets) {
      expect(said).not.toContain(secret);
      expect(readFileSync(join(done.runFolder(), "repo.git", "config"), "utf8")).not.toContain(secret);
    }
    expect(existsSync(join(done.path, ".git", "FETCH_HEAD"))).toBe(false);
  });

  test("that may not write is refused, and nothing is claimed", async () => {
    const { github } = await startGithub(done);
    const outcome = await publish(done, done.runFolder(), github.url, {}, { accessToken: "token-nobody" });
    expect(outcome).toMatchObject({ kind: "refused", faults: [{ code: "DELIVERY_REFUSED" }] });
    expect(github.state.pulls).toEqual([]);
  });
});
