import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  AttackedRepository,
  expectAttackRefused,
  expectRefused,
  isNowhere,
  ONE_ROUND,
  refusedByScope,
  WORK,
} from "../support/attacks.ts";

const SECRET = "canary-5f3c9a1e7b";

/** Links below `out` that lead out of the tree, to git, or nowhere at all. */
const SHAPES: readonly (readonly [name: string, target: string])[] = [
  ["absolute", "/etc/passwd"],
  ["home", "SECRET"],
  ["climbs", "../../secret"],
  ["a/b", "../../.."],
  ["a/deep/c", "../../../../../../../../etc/passwd"],
  ["down-and-up", "a/../../../secret"],
  ["dotted", "./././../../secret"],
  ["slashes", "..//..//secret"],
  ["git", "../.git"],
  ["git-config", "../.git/config"],
  ["git-in-another-case", "../.GIT/HEAD"],
  ["other-worktree", "../../01-1-verify-1-1/README.md"],
  ["run-state", "RUN"],
  ["environment", "/proc/self/environ"],
  ["backslashes", "..\\..\\secret"],
  ["loop", "loop"],
  ["ring-1", "ring-2"],
  ["ring-2", "a/../ring-1"],
  ["twin-1", "./twin-2"],
  ["twin-2", "twin-1"],
];

describe("S-14: links that lead where a candidate must not", () => {
  const repository = new AttackedRepository({
    files: { "out/folder/file": "file\n", "lib/file": "file\n" },
  });
  const secret = join(repository.base, "secret");
  writeFileSync(secret, SECRET);
  const link = ([name, target]: readonly [string, string]): string => {
    const filled = target.replace("SECRET", secret).replace("RUN", `${repository.path}/.conveyor`);
    return `mkdir -p "$(dirname "out/${name}")" && ln -s '${filled}' 'out/${name}'`;
  };

  test(`${SHAPES.length} shapes in one session: each is PATH_UNSAFE, and no byte behind one is kept`, async () => {
    const { violations } = await expectAttackRefused(
      repository,
      SHAPES.map(link).join("\n"),
      refusedByScope("PATH_UNSAFE"),
    );
    expect([...new Set(violations.map(([, path]) => path))].toSorted()).toEqual(
      SHAPES.map(([name]) => `out/${name}`).toSorted(),
    );
    expect(isNowhere(SECRET, repository.runFolder())).toBe(true);
    expect(isNowhere("root:x:0", repository.runFolder())).toBe(true);
  });

  test.each([
    [
      "a folder swapped for a link out of the tree",
      `rm -r out/folder; ln -s ${repository.base} out/folder`,
      "out/folder",
    ],
    [
      "a file swapped for a link out of the tree",
      `rm out/folder/file; ln -s ${secret} out/folder/file`,
      "out/folder/file",
    ],
  ])("%s", async (_what, script, path) => {
    const { violations } = await expectAttackRefused(repository, script, refusedByScope("PATH_UNSAFE"));
    expect(violations).toContainEqual(["PATH_UNSAFE", path]);
    expect(isNowhere(SECRET, repository.runFolder())).toBe(true);
  });

  test("the whole worktree swapped for a link is GIT_TAMPERED", async () => {
    const script = `here=$PWD; mkdir ${repository.base}/elsewhere; cp -r . ${repository.base}/elsewhere; cd /; mv "$here" "$here.old"; ln -s ${repository.base}/elsewhere "$here"`;
    const { tamper } = await expectAttackRefused(repository, script, ["GIT_TAMPERED"]);
    expect(tamper).toContainEqual("worktree-pointer: the worktree's folder changed");
  });

  test("a result that is a link is no result, and its target is not kept", async () => {
    await expectAttackRefused(repository, `ln -s ${secret} "$ORCH_RESULT_PATH"`, ["RESULT_MALFORMED"]);
    expect(isNowhere(SECRET, repository.runFolder())).toBe(true);
  });

  test("an expected artifact that is a link does not count", async () => {
    const attacked = await repository.untouched(() =>
      repository.attack(`${WORK}; ln -s ${secret} out/summary.md`, {
        args: ["--executor-expected-artifact", "out/summary.md"],
      }),
    );
    expect(attacked.code).toBe(1);
    expect(attacked.outcome.blocked_reason_codes).toContain("ARTIFACT_MISSING");
    expect(isNowhere(SECRET, repository.runFolder())).toBe(true);
  });

  test("an auditor's report that is a link proves nothing", async () => {
    const lying = new AttackedRepository({
      auditors: { careful: 'ln -s "$ORCH_PACKET_PATH/manifest.json" "$ORCH_RESULT_PATH"\n', quick: "true\n" },
    });
    const attacked = await lying.untouched(() => lying.attack(WORK, { args: [] }));
    expectRefused(lying, attacked, ["AUDIT_ENGINE_FAILED"]);
  });

  test("a link in the person's checkout, where the run folder is to lie, is not followed", async () => {
    const linked = new AttackedRepository({ configLines: [ONE_ROUND] });
    const elsewhere = join(linked.base, "elsewhere");
    mkdirSync(elsewhere);
    const attacked = await linked.attack(`${WORK}; rm -rf "$HOME"; ln -s ${elsewhere} "$HOME"`);
    // A HOME that became a link is the session's own; nothing of ours is written through it.
    expect(attacked.code, attacked.stderr).toBe(0);
    expect(isNowhere("done", elsewhere)).toBe(true);
    expect(existsSync(join(linked.runFolder(), "orchestrator_run_report.json"))).toBe(true);
    expect(readFileSync(join(linked.path, "README.md"), "utf8")).toBe("# Test\n");
  });
});
