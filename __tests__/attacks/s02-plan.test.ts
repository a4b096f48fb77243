import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildPlan, PLAN_PATH } from "../support/conveyor.ts";
import {
  APPROVED,
  AttackedRepository,
  expectAttackRefused,
  ONE_ROUND,
  readPlan,
  refusedByScope,
} from "../support/attacks.ts";

/** A title whose letter has two spellings in Unicode. */
const PLAN = buildPlan(
  [
    { step_id: "01", allowed_write_roots: "." },
    { step_id: "02", allowed_write_roots: "." },
  ],
  "Caf\u00e9 plan",
);

/** Ways to make another plan of the plan; each but the first two changes one byte or one letter alone. */
const EDITS: readonly (readonly [what: string, filter: string])[] = [
  ["another item in it", "cat; echo '| 03 | build |'"],
  ["its required command weakened", "sed 's/test -s/test -n/'"],
  ["a line that ends in CR LF", "sed '1s/$/\\r/'"],
  ["a space at the end of a line", "sed '1s/$/ /'"],
  ["no line feed at the end", "head -c -1"],
  ["the decomposed form of a letter", "sed 's/\\xc3\\xa9/e\\xcc\\x81/'"],
  ["a byte order mark", "sed '1s/^/\\xef\\xbb\\xbf/'"],
];

const IN_WORKTREE: readonly (readonly [what: string, script: string])[] = [
  ...EDITS.map(([what, filter]): [string, string] => [
    what,
    `${filter} < ${PLAN_PATH} > edited; mv edited ${PLAN_PATH}`,
  ]),
  ["its file deleted", `rm ${PLAN_PATH}`],
  ["a link in its place", `mv ${PLAN_PATH} out/plan.md; ln -s ../../../out/plan.md ${PLAN_PATH}`],
  ["its folder moved away", "mv docs/exec-plans/active docs/exec-plans/other"],
];

const make = (): AttackedRepository =>
  new AttackedRepository({ files: { [PLAN_PATH]: PLAN }, configLines: [ONE_ROUND] });

describe("S-02: the plan changed after it was approved", () => {
  const repository = make();

  test.each(IN_WORKTREE)("in the worktree of the session: %s is PROTECTED_PATH_CHANGED", async (_what, script) => {
    const { violations } = await expectAttackRefused(repository, script, refusedByScope("PROTECTED_PATH_CHANGED"), {
      env: APPROVED,
    });
    expect(violations).toContainEqual(["PROTECTED_PATH_CHANGED", PLAN_PATH]);
  });

  test("in the person's checkout: it has no effect, for this item and for the next", async () => {
    const edited = make();
    const attacked = await edited.attack(
      `mkdir -p out; echo done > "out/$ORCH_ITEM_ID.txt"; sed -i 's/test -s/false \\&\\& test -s/' "$USER_REPOSITORY/${PLAN_PATH}"`,
      { env: APPROVED },
    );
    expect(readPlan(edited)).toContain("false && test -s");
    expect(attacked.code, attacked.stderr).toBe(0);
    expect(readFileSync(join(edited.runFolder(), "plan.md"), "utf8")).toBe(PLAN);
    expect(edited.git("log", "-p", `main..${attacked.outcome.branch}`)).not.toContain("false &&");
    edited.expectNoMarks();
  });

  test.each(EDITS)("at the trust ref, during the first item: %s is PLAN_DIGEST_CHANGED", async (_what, filter) => {
    const base = repository.git("rev-parse", "main");
    const script = `mkdir -p out && echo done > out/01.txt
      cd "$USER_REPOSITORY" && export GIT_INDEX_FILE="$HOME/index" && git read-tree main
      blob=$(git cat-file blob main:${PLAN_PATH} | { ${filter}; } | git hash-object -w --stdin)
      git update-index --cacheinfo "100644,$blob,${PLAN_PATH}"
      git update-ref refs/heads/main "$(git -c user.name=a -c user.email=a@b commit-tree -p main -m edited "$(git write-tree)")"`;
    const attacked = await repository.attack(script, { env: APPROVED });
    expect(repository.git("rev-parse", "main")).not.toBe(base);
    repository.git("update-ref", "refs/heads/main", base);
    expect({ code: attacked.code, codes: attacked.outcome.blocked_reason_codes }, attacked.stderr).toEqual({
      code: 3,
      codes: ["PLAN_DIGEST_CHANGED"],
    });
    // The first item had passed when it was seen: nothing of it is delivered, and the second was never started.
    expect(attacked.events.filter(({ type }) => type === "session_started")).toHaveLength(1);
    expect(repository.git("for-each-ref", "refs/heads/conveyor")).toBe("");
    repository.expectNoMarks();
  });
});
