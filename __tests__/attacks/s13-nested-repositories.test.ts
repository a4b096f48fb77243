import { describe, expect, test } from "vitest";
import { AttackedRepository, expectAttackRefused, refusedByScope } from "../support/attacks.ts";

const CODES = refusedByScope("PATH_UNSAFE");

describe("S-13: a repository in the tree, which git or an editor would run later", () => {
  const repository = new AttackedRepository({ files: { "out/old/file": "old\n" } });
  const fsmonitor = `printf '[core]\\n\\trepositoryformatversion = 0\\n\\tbare = true\\n\\tfsmonitor = ${repository.mark("fsmonitor")}\\n'`;
  const bare = (folder: string): string =>
    `mkdir -p ${folder}/objects/info ${folder}/refs/heads; echo 'ref: refs/heads/main' > ${folder}/HEAD; ${fsmonitor} > ${folder}/config; touch ${folder}/objects/info/keep ${folder}/refs/heads/keep`;

  test.each([
    ["a nested repository", "git init -q out/inner; echo x > out/inner/file", "out/inner"],
    [
      "one with a commit, which is a gitlink",
      "git init -q out/inner && git -C out/inner -c user.name=a -c user.email=a@b commit -q --allow-empty -m a",
      "out/inner",
    ],
    ["one around a file that was there before", "git init -q out/old", "out/old/.git"],
    [
      "a .git file that points elsewhere",
      "mkdir out/inner; echo x > out/inner/f; echo 'gitdir: /tmp' > out/inner/.git",
      "out/inner/.git",
    ],
    ["a .git that is a link", "ln -s /tmp out/old/.git", "out/old/.git"],
    [".git in another case", `mkdir out/.GIT; ${fsmonitor} > out/.GIT/config`, "out/.GIT/config"],
    [".git with a dot behind", `mkdir out/.git.; ${fsmonitor} > out/.git./config`, "out/.git./config"],
    [".git with a space behind", `mkdir 'out/.git '; ${fsmonitor} > 'out/.git /config'`, "out/.git /config"],
    [".git as a short name", `mkdir out/git~1; ${fsmonitor} > out/git~1/config`, "out/git~1/config"],
    [".git as a stream", `mkdir out/.git::x; ${fsmonitor} > out/.git::x/config`, "out/.git::x/config"],
    [
      ".git with a character that HFS+ ignores",
      `mkdir out/$'.g\\xe2\\x80\\x8cit'; ${fsmonitor} > out/$'.g\\xe2\\x80\\x8cit'/config`,
      "out/.g\u200cit/config",
    ],
    ["a folder that is a bare repository", bare("out/evil"), "out/evil/HEAD"],
    [
      "the same in another case",
      `mkdir -p out/evil/Objects/a out/evil/REFS/a; echo 'ref: refs/heads/main' > out/evil/head; touch out/evil/Objects/a/a out/evil/REFS/a/a`,
      "out/evil/head",
    ],
    [
      "one that finds its objects elsewhere",
      `mkdir out/evil; echo 'ref: refs/heads/main' > out/evil/HEAD; echo ../../tools > out/evil/commondir; ${fsmonitor} > out/evil/config`,
      "out/evil/HEAD",
    ],
  ])("%s is PATH_UNSAFE", async (_what, script, path) => {
    const { violations } = await expectAttackRefused(repository, script, CODES);
    expect(violations).toContainEqual(["PATH_UNSAFE", path]);
  });

  test("a gitlink in the session's own index is not looked at: there is nothing in its place", async () => {
    const attacked = await repository.untouched(
      () =>
        repository.attack(
          'mkdir -p out && echo done > out/01.txt; git update-index --add --cacheinfo "160000,$(git rev-parse HEAD),out/link"',
        ),
      { delivers: true },
    );
    expect(attacked.code, attacked.stderr).toBe(0);
    expect(repository.git("ls-tree", "-r", attacked.outcome.branch)).not.toContain("160000");
  });
});
