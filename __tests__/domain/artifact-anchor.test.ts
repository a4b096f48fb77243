import { describe, expect, test } from "vitest";
import { anchorArtifact, type ArtifactAnchors } from "../../src/domain/artifact-anchor.ts";

const SHA = "b".repeat(64);
const NAME = "conveyor-RUN_20260325T120000Z_deadbeef-leg1";
const ARTIFACT = { id: 9, name: NAME, size_in_bytes: 10, expired: false, digest: `sha256:${SHA}` };
const RUN: ArtifactAnchors["workflowRun"] = {
  id: 1,
  run_attempt: 1,
  path: ".github/workflows/conveyor.yml@refs/heads/main",
  head_branch: "main",
  head_sha: "c".repeat(40),
  event: "schedule",
  status: "completed",
  conclusion: "success",
  check_suite_id: 2,
  actor: null,
  triggering_actor: null,
  repository: { id: 500 },
  head_repository: { id: 500 },
};
const GOOD: ArtifactAnchors = {
  workflowRun: RUN,
  artifacts: [{ ...ARTIFACT, id: 8, name: "logs" }, ARTIFACT],
  ownRunId: 7,
  repositoryId: 500,
  trustBranch: "main",
  isHeadTrusted: true,
  workflowPath: ".github/workflows/conveyor.yml",
  name: undefined,
  sha256: undefined,
};

test("the only artifact of a run counts when GitHub vouches for who uploaded it", () => {
  expect(anchorArtifact(GOOD)).toEqual({ ok: true, value: { id: 9, name: NAME, bytes: 10, sha256: SHA } });
  expect(anchorArtifact({ ...GOOD, name: NAME, sha256: SHA }).ok).toBe(true);
});

test("what the asking workflow run uploaded itself may come from any branch and workflow", () => {
  const own = { ...RUN, id: 7, head_branch: "feature", path: ".github/workflows/other.yml" };
  expect(anchorArtifact({ ...GOOD, workflowRun: own, isHeadTrusted: false }).ok).toBe(true);
});

describe("refused by name", () => {
  const second = { ...ARTIFACT, id: 10, name: NAME.replace("leg1", "leg2") };
  test.each<[string, Partial<ArtifactAnchors>, string]>([
    ["another repository", { workflowRun: { ...RUN, repository: { id: 1 } } }, "another repository"],
    ["the head of a fork", { workflowRun: { ...RUN, head_repository: { id: 1 } } }, "another repository"],
    ["a head that is gone", { workflowRun: { ...RUN, head_repository: null } }, "another repository"],
    ["another branch", { workflowRun: { ...RUN, head_branch: "evil" } }, "ran on evil, not on main"],
    ["no branch", { workflowRun: { ...RUN, head_branch: null } }, "ran on no branch"],
    ["a tag that is called like the branch", { isHeadTrusted: false }, `of ${RUN.head_sha}, which main does not have`],
    [
      "another workflow",
      { workflowRun: { ...RUN, path: ".github/workflows/x.yml" } },
      "one of .github/workflows/x.yml",
    ],
    ["nothing of ours", { artifacts: [{ ...ARTIFACT, name: "logs" }] }, "has no artifact of a run"],
    ["another name", { name: second.name }, `has no artifact ${second.name}`],
    ["several", { artifacts: [ARTIFACT, second] }, "name one with resume-artifact"],
    ["an expired one", { artifacts: [{ ...ARTIFACT, expired: true }] }, "has expired"],
    ["no digest", { artifacts: [{ ...ARTIFACT, digest: null }] }, "gives no SHA-256"],
    ["a digest of another kind", { artifacts: [{ ...ARTIFACT, digest: `md5:${SHA}` }] }, "gives no SHA-256"],
    ["other bytes than another job said", { sha256: "d".repeat(64) }, `has SHA-256 ${SHA}`],
  ])("%s", (_name, change, said) => {
    const anchored = anchorArtifact({ ...GOOD, ...change });
    expect(anchored.ok ? "" : anchored.error).toContain(said);
  });
});
