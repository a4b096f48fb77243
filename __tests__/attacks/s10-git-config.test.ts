import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AttackedRepository, expectAttackRefused, WORK } from "../support/attacks.ts";
import { isLong } from "../support/faults.ts";

/** Keys that have git run something, or read what it must not; `RUN` stands for a command that leaves a marker. */
const KEYS: readonly (readonly [section: string, key: string, value: string])[] = [
  ["core", "fsmonitor", "RUN"],
  ["core", "hooksPath", "HOOKS"],
  ["core", "pager", "RUN"],
  ["core", "editor", "RUN"],
  ["core", "sshCommand", "RUN"],
  ["core", "askPass", "RUN"],
  ["core", "gitProxy", "RUN"],
  ["core", "alternateRefsCommand", "RUN"],
  ["core", "attributesFile", "ATTRIBUTES"],
  ["core", "excludesFile", "ATTRIBUTES"],
  ["credential", "helper", "!RUN"],
  ["gpg", "program", "RUN"],
  ['gpg "ssh"', "program", "RUN"],
  ["commit", "gpgSign", "true"],
  ["tag", "gpgSign", "true"],
  ["diff", "external", "RUN"],
  ['diff "x"', "command", "RUN"],
  ['diff "x"', "textconv", "RUN"],
  ['merge "x"', "driver", "RUN"],
  ['filter "x"', "clean", "RUN"],
  ['filter "x"', "smudge", "RUN"],
  ['filter "x"', "process", "RUN"],
  ["alias", "status", "!RUN"],
  ["alias", "read-tree", "!RUN"],
  ["sequence", "editor", "RUN"],
  ["interactive", "diffFilter", "RUN"],
  ["pager", "status", "RUN"],
  ["pager", "diff-tree", "RUN"],
  ["uploadpack", "packObjectsHook", "RUN"],
  ["include", "path", "INCLUDED"],
  ['includeIf "gitdir:/**"', "path", "INCLUDED"],
  ['url "ext::RUN"', "insteadOf", "https://"],
  ['protocol "ext"', "allow", "always"],
  ['remote "origin"', "uploadpack", "RUN"],
  ["init", "templateDir", "HOOKS"],
  ['browser "x"', "cmd", "RUN"],
];

const PLAIN = "mkdir -p out; echo done > out/01.txt; echo evil >> README.md; git checkout -q README.md";

function writeKeys(repository: AttackedRepository, keys: typeof KEYS): string {
  const fill = (text: string, name: string): string =>
    text
      .replace("RUN", repository.mark(name))
      .replace("HOOKS", join(repository.base, "hooks"))
      .replace("ATTRIBUTES", join(repository.base, "attributes"))
      .replace("INCLUDED", join(repository.base, "included"));
  const lines = keys.map(([section, key, value]) => {
    const name = `${section}.${key}`.replaceAll(/[^A-Za-z.]/g, "");
    return `[${fill(section, name).replaceAll("/", "/")}]\n\t${key} = "${fill(value, name)}"\n`;
  });
  writeFileSync(join(repository.base, "attributes"), "* filter=x diff=x merge=x\n");
  writeFileSync(join(repository.base, "included"), `[core]\n\tfsmonitor = "${repository.mark("included")}"\n`);
  return lines.join("");
}

/** Looks at a run in every way that reads its repository. */
async function lookAtRun(repository: AttackedRepository): Promise<void> {
  for (const args of [["verify"], ["status"], ["doctor"], ["report", "--markdown"], ["resume"]]) {
    await repository.conveyor(args);
  }
  repository.expectNoMarks();
}

describe("S-10: configuration of git that a session plants", () => {
  const repository = new AttackedRepository();
  const planted = join(repository.base, "planted");
  const plant = (keys: typeof KEYS): void => writeFileSync(planted, writeKeys(repository, keys));
  const common = '"$(git rev-parse --git-common-dir)"';
  const own = '"$(git rev-parse --git-dir)"';

  test(`all ${KEYS.length} keys in the private repository, and in its worktree's own file: found, and none has any effect`, async () => {
    plant(KEYS);
    const script = `config=${own}/config.worktree; common=${common}/config; cat ${planted} > "$config"; cat ${planted} >> "$common"`;
    const { tamper } = await expectAttackRefused(repository, script, ["GIT_TAMPERED"]);
    expect(tamper).toEqual([
      "config: config changed",
      expect.stringMatching(/^config: worktrees\/.*config\.worktree added$/),
    ]);
    await lookAtRun(repository);
  });

  test("the worktree's .git swapped for a repository that has them all: found, and none has any effect", async () => {
    plant(KEYS);
    const script = `rm .git && git init -q . && cat ${planted} >> .git/config`;
    const { tamper } = await expectAttackRefused(repository, script, ["GIT_TAMPERED"]);
    expect(tamper).toEqual(["worktree-pointer: the worktree's .git changed"]);
    await lookAtRun(repository);
  });

  test("the same behind a .git file that points there", async () => {
    plant(KEYS);
    const script = `git init -q --bare "$HOME/evil.git" && cat ${planted} >> "$HOME/evil.git/config" && echo "gitdir: $HOME/evil.git" > .git`;
    const { tamper } = await expectAttackRefused(repository, script, ["GIT_TAMPERED"]);
    expect(tamper).toEqual(["worktree-pointer: the worktree's .git changed"]);
    await lookAtRun(repository);
  });

  test("the private repository's commondir, which would bring another's configuration", async () => {
    plant(KEYS);
    const script = `git init -q --bare "$HOME/evil.git" && cat ${planted} >> "$HOME/evil.git/config" && echo "$HOME/evil.git" > ${common}/commondir`;
    const { tamper } = await expectAttackRefused(repository, script, ["GIT_TAMPERED"]);
    expect(tamper).toContainEqual("config: commondir added");
    await lookAtRun(repository);
  });

  test("all of them in the configuration of its HOME: a whole run of two sessions goes on as if they were not there", async () => {
    plant(KEYS);
    const script = `${PLAIN}; mkdir -p "$HOME/.config/git"; cp ${planted} "$HOME/.gitconfig"; cp ${planted} "$HOME/.config/git/config"; cp ${join(repository.base, "attributes")} "$HOME/.config/git/attributes"`;
    const attacked = await repository.untouched(() => repository.attack(script), { delivers: true });
    expect(attacked.code, attacked.stderr).toBe(0);
    await lookAtRun(repository);
  });

  test("all but filters in the person's own: what a run does in that repository runs none of it", async () => {
    // A filter is what a person's files may need (large files), so git status in the person's checkout may run one.
    const person = new AttackedRepository();
    const harmful = KEYS.filter(([section, key]) => !section.startsWith("filter") && key !== "attributesFile");
    writeFileSync(join(person.base, ".gitconfig"), writeKeys(person, harmful));
    const attacked = await person.untouched(() => person.attack(WORK), { delivers: true });
    expect(attacked.code, attacked.stderr).toBe(0);
    await lookAtRun(person);
  });

  test.each(isLong ? KEYS.map((key) => [key]) : [])("alone: %s", async (key) => {
    plant([key]);
    const { tamper } = await expectAttackRefused(repository, `config=${common}/config; cat ${planted} >> "$config"`, [
      "GIT_TAMPERED",
    ]);
    expect(tamper).toEqual(["config: config changed"]);
  });
});
