import { describe, expect, test } from "vitest";
import { AttackedRepository, expectAttackRefused, WORK } from "../support/attacks.ts";

const COMMON = '"$(git rev-parse --git-common-dir)"';
const OWN = '"$(git rev-parse --git-dir)"';
const CHANGE = "echo evil >> out/tracked.txt; echo evil > out/new.txt";

describe("S-07: a change that git would not show", () => {
  const repository = new AttackedRepository({ files: { "out/tracked.txt": "tracked\n" } });

  test.each([
    ["skip-worktree", "git update-index --skip-worktree out/tracked.txt", "index-flags"],
    ["assume-unchanged", "git update-index --assume-unchanged out/tracked.txt", "index-flags"],
    [
      "skip-worktree in an index of version 4",
      "git update-index --index-version 4 && git update-index --skip-worktree out/tracked.txt",
      "index-flags",
    ],
    ["a split index", "git update-index --split-index", "index-flags"],
    ["info/exclude", `mkdir -p ${COMMON}/info && echo '*' > ${COMMON}/info/exclude`, "info"],
    ["core.excludesFile", 'echo \'*\' > "$HOME/none" && git config core.excludesFile "$HOME/none"', "config"],
    ["a sparse checkout", "git sparse-checkout set --no-cone out/none 2>/dev/null", "config"],
    ["info/sparse-checkout alone", `mkdir -p ${OWN}/info && echo '/none' > ${OWN}/info/sparse-checkout`, "info"],
    ["core.fileMode", "git config core.fileMode false", "config"],
    ["core.worktree", "git config core.worktree /tmp", "config"],
    ["an index that nobody can read", `echo broken > ${OWN}/index`, "index-flags"],
  ])("%s is GIT_TAMPERED", async (_what, script, kind) => {
    const { tamper } = await expectAttackRefused(repository, `${CHANGE}; ${script}`, ["GIT_TAMPERED"]);
    expect(tamper.map((found) => found.split(":")[0])).toContain(kind);
  });

  test.each([
    ["rules of its HOME", 'printf "*\\n" > "$HOME/ignore"; git config --global core.excludesFile "$HOME/ignore"'],
    ["a .gitignore in the tree", "printf '*\\n' > out/.gitignore"],
    ["times and size that are as before", "touch -d @0 out/tracked.txt"],
    ["git add before the change was made", "git add --all; echo more >> out/tracked.txt"],
    ["an intent to add", "git add -N out/new.txt"],
    ["a removal from the index alone", "git rm -q --cached out/tracked.txt"],
  ])("%s hides nothing: the candidate has it", async (_what, script) => {
    const attacked = await repository.untouched(() => repository.attack(`${WORK}; ${CHANGE}; ${script}`), {
      delivers: true,
    });
    expect(attacked.code, attacked.stderr).toBe(0);
    const { branch } = attacked.outcome;
    expect(repository.git("show", `${branch}:out/tracked.txt`)).toContain("evil");
    expect(repository.git("show", `${branch}:out/new.txt`)).toBe("evil");
  });
});
