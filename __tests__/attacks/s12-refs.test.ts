import { describe, expect, test } from "vitest";
import { AttackedRepository, expectAttackRefused, WORK } from "../support/attacks.ts";

const AS = "git -c user.name=a -c user.email=a@b";
const PRIVATE = '"$(git rev-parse --git-common-dir)"';
const RUN_BRANCH = `"$(git for-each-ref --format='%(refname)' refs/heads/conveyor)"`;
const FORGED = `"$(${AS} commit-tree -m forged 'HEAD^{tree}')"`;

describe("S-12: refs, HEAD, reflog, tags and worktrees that a session changes", () => {
  const repository = new AttackedRepository();

  const acts: readonly (readonly [what: string, script: string, found: string])[] = [
    ["a commit of its own", `${AS} commit -q --allow-empty -m mine`, "head: worktrees/"],
    ["HEAD on a branch of its own", "git checkout -q -b mine", "head: worktrees/"],
    ["the default branch", "git update-ref refs/heads/main HEAD", "refs: refs/heads/main added"],
    ["a forged tag", "git tag v9", "refs: refs/tags/v9 added"],
    ["the run branch", `git update-ref ${RUN_BRANCH} ${FORGED}`, "refs: refs/heads/conveyor/"],
    ["the run branch deleted", `git update-ref -d ${RUN_BRANCH}`, "refs: refs/heads/conveyor/"],
    ["refs packed", "git pack-refs --all", "refs: packed-refs added"],
    ["a stash", `${AS} stash -q -u`, "refs: refs/stash added"],
    ["a worktree of its own", "git worktree add -q --detach ../mine", "worktrees: worktrees/mine/HEAD added"],
    ["the lock of its worktree", "git worktree unlock .", "worktrees: worktrees/"],
    ["a symbolic ref", "git symbolic-ref refs/heads/mine refs/heads/main", "refs: refs/heads/mine added"],
    ["HEAD of the repository", `git --git-dir=${PRIVATE} symbolic-ref HEAD refs/heads/mine`, "head: HEAD changed"],
    ["a bisection", "git bisect start && git bisect bad HEAD", "refs: worktrees/"],
    ["a fetched ref", "git fetch -q . HEAD:refs/heads/fetched", "refs: refs/heads/fetched added"],
  ];

  test.each(acts)("%s is GIT_TAMPERED", async (_what, script, found) => {
    const { tamper, events } = await expectAttackRefused(repository, script, ["GIT_TAMPERED"]);
    expect(tamper).toContainEqual(expect.stringContaining(found));
    expect(events.map(({ type }) => type)).not.toContain("candidate_built");
  });

  test("the person's default branch rewritten by force: the run stops, and nothing is delivered", async () => {
    const base = repository.git("rev-parse", "main");
    const attacked = await repository.attack(
      `${WORK}; cd "$USER_REPOSITORY" && git update-ref refs/heads/main ${FORGED}`,
    );
    expect(repository.git("rev-parse", "main")).not.toBe(base);
    repository.git("update-ref", "refs/heads/main", base);
    expect({ code: attacked.code, codes: attacked.outcome.blocked_reason_codes }, attacked.stderr).toEqual({
      code: 3,
      codes: ["BASE_MOVED"],
    });
    expect(repository.git("for-each-ref", "refs/heads/conveyor")).toBe("");
    repository.expectNoMarks();
  });
});
