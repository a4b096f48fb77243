import { describe, expect, test } from "vitest";
import { auditLanes } from "../support/conveyor.ts";
import { APPROVED, AttackedRepository, expectRefused, ONE_ROUND, refusedByScope } from "../support/attacks.ts";

const CONFIG = ".github/conveyor.yml";
/** What an agent would like its own limits to be. */
const LAX = `version: 1\nexecutor: {use: command, command: [bash, tools/executor.sh]}\n${auditLanes()}\n`;
const EVIL = "mkdir -p lib/secret; echo evil > lib/secret/key";
const DO = 'mkdir -p out; echo done > "out/$ORCH_ITEM_ID.txt"';

function make(): AttackedRepository {
  const row = { allowed_write_roots: `out; lib; ${CONFIG}` };
  return new AttackedRepository({
    rows: [
      { step_id: "01", ...row },
      { step_id: "02", ...row },
    ],
    configLines: ["policy: {protected-paths: ['lib/secret/**']}", ONE_ROUND],
  });
}

describe("S-03: policy that is written by whom it is to judge", () => {
  test("on the run branch, by an item that a person allowed to change it: the next item is judged by the trust ref's", async () => {
    const repository = make();
    const script = `${DO}; if [ "$ORCH_ITEM_ID" = 01 ]; then printf '${LAX}' > ${CONFIG}; else ${EVIL}; fi`;
    const attacked = await repository.untouched(() => repository.attack(script, { env: APPROVED }));
    expect(attacked.outcome.items.map(({ terminal_state }) => terminal_state)).toEqual(["passed", "escalated"]);
    expect(attacked.outcome.blocked_reason_codes).toEqual([
      "ITEM_ESCALATED",
      ...refusedByScope("PROTECTED_PATH_CHANGED"),
    ]);
    expect(attacked.violations).toEqual([["PROTECTED_PATH_CHANGED", "lib/secret/key"]]);
  });

  test("in the checkout, not committed: it is not read", async () => {
    const repository = make();
    repository.write({ [CONFIG]: LAX });
    const attacked = await repository.untouched(() =>
      repository.attack(`${DO}; ${EVIL}`, { env: APPROVED, args: ["--allow-dirty"] }),
    );
    expectRefused(repository, attacked, refusedByScope("PROTECTED_PATH_CHANGED"));
  });

  test("at the trust ref, during the first item: the run stops before the second", async () => {
    const repository = make();
    const base = repository.git("rev-parse", "main");
    const attacked = await repository.attack(
      `${DO}
      cd "$USER_REPOSITORY" && export GIT_INDEX_FILE="$HOME/index" && git read-tree main
      blob=$(printf '${LAX}' | git hash-object -w --stdin) && git update-index --cacheinfo "100644,$blob,${CONFIG}"
      git update-ref refs/heads/main "$(git -c user.name=a -c user.email=a@b commit-tree -p main -m lax "$(git write-tree)")"`,
      { env: APPROVED },
    );
    expect(repository.git("rev-parse", "main")).not.toBe(base);
    expect({ code: attacked.code, codes: attacked.outcome.blocked_reason_codes }, attacked.stderr).toEqual({
      code: 3,
      codes: ["POLICY_DIGEST_CHANGED"],
    });
    expect(attacked.events.filter(({ type }) => type === "session_started")).toHaveLength(1);
    expect(repository.git("for-each-ref", "refs/heads/conveyor")).toBe("");
  });
});
