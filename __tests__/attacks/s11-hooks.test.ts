import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  APPROVED,
  AttackedRepository,
  expectAttackRefused,
  ONE_ROUND,
  refusedByScope,
  WORK,
} from "../support/attacks.ts";
import { isLong } from "../support/faults.ts";

/** Every hook that git knows. */
const HOOKS = [
  "applypatch-msg",
  "commit-msg",
  "fsmonitor-watchman",
  "fsmonitor-watchmanv2",
  "p4-changelist",
  "p4-post-changelist",
  "p4-pre-submit",
  "p4-prepare-changelist",
  "post-applypatch",
  "post-checkout",
  "post-commit",
  "post-index-change",
  "post-merge",
  "post-receive",
  "post-rewrite",
  "post-update",
  "pre-applypatch",
  "pre-auto-gc",
  "pre-commit",
  "pre-merge-commit",
  "pre-push",
  "pre-rebase",
  "pre-receive",
  "prepare-commit-msg",
  "proc-receive",
  "push-to-checkout",
  "reference-transaction",
  "sendemail-validate",
  "update",
];

const HOOKS_FOLDER = '"$(git rev-parse --git-common-dir)"/hooks';

describe("S-11: hooks", () => {
  const repository = new AttackedRepository();
  const plant = (hook: string): string =>
    `printf '#!/bin/sh\\n${repository.mark(hook)}\\n' > ${HOOKS_FOLDER}/${hook} && chmod +x ${HOOKS_FOLDER}/${hook}`;

  test("all of them in the private repository: each is found, none is run", async () => {
    const { tamper } = await expectAttackRefused(repository, HOOKS.map(plant).join("\n"), ["GIT_TAMPERED"]);
    expect(tamper.toSorted()).toEqual(HOOKS.map((hook) => `hooks: hooks/${hook} added`));
  });

  test.each([
    ["as a link", `ln -s /bin/true ${HOOKS_FOLDER}/pre-commit`, "hooks: hooks/pre-commit added"],
    [
      "its folder swapped for a link",
      `mkdir "$HOME/h" && rmdir ${HOOKS_FOLDER} && ln -s "$HOME/h" ${HOOKS_FOLDER}`,
      "hooks: hooks",
    ],
    [
      "of the worktree alone",
      'mkdir -p "$(git rev-parse --git-dir)/hooks" && echo x > "$(git rev-parse --git-dir)/hooks/pre-commit"',
      "hooks: worktrees/",
    ],
    ["in a folder of its own", 'git config core.hooksPath "$HOME"', "config: config changed"],
  ])("%s", async (_what, script, found) => {
    const { tamper } = await expectAttackRefused(repository, script, ["GIT_TAMPERED"]);
    expect(tamper).toContainEqual(expect.stringContaining(found));
  });

  test("in the tree, for husky and for core.hooksPath: PROTECTED_PATH_CHANGED", async () => {
    const wide = new AttackedRepository({ rows: [{ step_id: "01", allowed_write_roots: "." }] });
    const paths = [".husky/pre-commit", ".husky/_/husky.sh", ".githooks/post-commit", "tools/hooks/pre-push"];
    const script = paths.map(
      (path) =>
        `mkdir -p "$(dirname ${path})"; printf '#!/bin/sh\\n${wide.mark("tree")}\\n' > ${path}; chmod +x ${path}`,
    );
    const { violations } = await expectAttackRefused(
      wide,
      script.join("\n"),
      refusedByScope("PROTECTED_PATH_CHANGED"),
      {
        env: APPROVED,
      },
    );
    expect(violations.map(([, path]) => path)).toEqual(paths.toSorted());
  });

  test("that a person has in the own repository, and in a folder that configuration names: a whole run fires none", async () => {
    const hooked = new AttackedRepository({ configLines: [ONE_ROUND] });
    const folders = [join(hooked.path, ".git", "hooks"), join(hooked.base, "hooks")];
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      for (const hook of HOOKS) {
        writeFileSync(join(folder, hook), `#!/bin/sh\n${hooked.mark(hook)}\n`);
        chmodSync(join(folder, hook), 0o755);
      }
    }
    writeFileSync(join(hooked.base, ".gitconfig"), `[core]\n\thooksPath = ${folders[1] ?? ""}\n`);
    const attacked = await hooked.untouched(() => hooked.attack(WORK), { delivers: true });
    expect(attacked.code, attacked.stderr).toBe(0);
    expect((await hooked.conveyor(["verify"])).code).toBe(0);
    hooked.expectNoMarks();
  });

  test.each(isLong ? HOOKS : [])("alone: %s", async (hook) => {
    const { tamper } = await expectAttackRefused(repository, plant(hook), ["GIT_TAMPERED"]);
    expect(tamper).toEqual([`hooks: hooks/${hook} added`]);
  });
});
