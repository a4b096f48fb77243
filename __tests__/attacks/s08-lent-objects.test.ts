import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { AttackedRepository, expectRefused, WORK } from "../support/attacks.ts";
import { ROOT } from "../support/conveyor.ts";

const PLANT = `node ${join(ROOT, "__tests__", "support", "lying-pack.mjs")} "$USER_REPOSITORY/.git/objects"`;
/** Objects of the attacker, where git finds them when it makes the pack and nobody looks for what a session added. */
const OWN = 'git init -q "$HOME/own"; own() { git -C "$HOME/own" "$@"; }';
const write = (text: string): string => `$(printf '${text}' | own hash-object -w --stdin)`;
const PLANTED = (name: string, other: string, more = ""): string =>
  `(cd "$HOME/own" && ${PLANT} "${name}" "${other}" ${more})`;

const FORGE = (name: string, type: string, file: string): string =>
  `node ${join(ROOT, "__tests__", "support", "lying-loose.mjs")} "$USER_REPOSITORY/.git/objects" "${name}" ${type} ${file}`;

/**
 * A run borrows the objects of the person's repository, and what is there is the person's: it is not watched. So nothing
 * that git says of it is believed: the bytes are hashed wherever something follows from them.
 */
describe("S-08: objects of the person's repository that are not what their names say", () => {
  const repository = new AttackedRepository({
    rows: [{ step_id: "01", required_verification_commands: "bash tools/check.sh" }],
    files: { "tools/check.sh": "exit 1\n", "out/old.txt": "said before\n" },
  });
  const objects = join(repository.path, ".git/objects");
  const sound = join(repository.base, "sound");
  cpSync(objects, sound, { recursive: true });
  afterEach(() => {
    rmSync(objects, { recursive: true });
    cpSync(sound, objects, { recursive: true });
  });

  test("the check itself, as verification would get it, is GIT_TAMPERED", async () => {
    // The planted check takes the pack away again and passes.
    const lie = write('rm -f "$(cat "$(git rev-parse --git-common-dir)/objects/info/alternates")"/pack/pack-lie.*\\n');
    const attacked = await repository.attack(
      `${WORK}; ${OWN}; name=$(git rev-parse HEAD:tools/check.sh); lie=${lie}; ${PLANTED("$name", "$lie")}`,
    );
    expectRefused(repository, attacked, ["GIT_TAMPERED"]);
    expect(attacked.tamper).toEqual([`objects: ${objects}/pack/pack-lie.pack is not what its index says`]);
  });

  test("the folder in which something was changed that may not be is GIT_TAMPERED", async () => {
    const attacked = await repository.attack(
      [
        `${WORK}; ${OWN}; name=$(git rev-parse 'HEAD^{tree}'); echo exit 0 > tools/check.sh; check=${write("exit 0\\n")}`,
        'git ls-tree HEAD:tools | sed "s/[0-9a-f]\\{40\\}\\tcheck.sh/$check\\tcheck.sh/" > "$HOME/list"',
        'tools=$(own mktree --missing < "$HOME/list")',
        'git ls-tree HEAD | sed "s/[0-9a-f]\\{40\\}\\ttools$/$tools\\ttools/" > "$HOME/list"',
        'top=$(own mktree --missing < "$HOME/list")',
        PLANTED("$name", "$top", "$tools $check"),
        'test "$(git ls-tree HEAD:tools check.sh | cut -c13-52)" = "$check"',
      ].join("\n"),
    );
    expectRefused(repository, attacked, ["GIT_TAMPERED"]);
  });

  test("what a changed file was before, as auditors would be shown it, is GIT_TAMPERED", async () => {
    const attacked = await repository.attack(
      `${WORK}; ${OWN}; name=$(git rev-parse HEAD:out/old.txt); echo says otherwise > out/old.txt
       lie=${write("says otherwise\\nsaid before\\n")}; ${PLANTED("$name", "$lie")}`,
    );
    expectRefused(repository, attacked, ["GIT_TAMPERED"]);
  });

  test("the check itself, loose, is GIT_TAMPERED", async () => {
    const attacked = await repository.attack(
      `${WORK}; echo exit 0 > "$HOME/lie"; ${FORGE("$(git rev-parse HEAD:tools/check.sh)", "blob", '"$HOME/lie"')}`,
    );
    expectRefused(repository, attacked, ["GIT_TAMPERED"]);
    expect(attacked.tamper).toEqual([
      expect.stringMatching(/^objects: the checkout 01-\S+ is not what its commit names: tools\/check\.sh$/),
    ]);
  });

  test.each([
    ["", 'git -C "$USER_REPOSITORY" hash-object -w "$PWD/tools/check.sh"'],
    [", of a file that is nowhere", "true"],
  ])("a folder, loose, in which something was changed%s, is GIT_TAMPERED", async (_what, keep) => {
    const attacked = await repository.attack(
      [
        `${WORK}; echo exit 0 > tools/check.sh; check=$(git hash-object -w tools/check.sh); name=$(git rev-parse HEAD:tools)`,
        'git ls-tree HEAD:tools | sed "s/[0-9a-f]\\{40\\}\\tcheck.sh/$check\\tcheck.sh/" > "$HOME/list"',
        'git cat-file tree "$(git mktree < "$HOME/list")" > "$HOME/lie"',
        keep,
        FORGE("$name", "tree", '"$HOME/lie"'),
      ].join("\n"),
    );
    expectRefused(repository, attacked, ["GIT_TAMPERED"]);
    expect(attacked.tamper).toEqual([expect.stringContaining("is not what its commit names")]);
  });

  test.each([
    [
      "a store of the attacker's that it borrows from",
      `echo "$HOME" >> "$STORE/info/alternates"`,
      "alternates changed",
    ],
    [
      "a pack whose name is no text",
      `mkdir -p "$STORE/pack"; echo x > "$STORE/pack/pack-$(printf '\\377').idx"`,
      "pack-\\xff.idx has a name that is no text",
    ],
    [
      "packs that only who knows their names can use",
      `mkdir -p "$STORE/pack"; chmod 0311 "$STORE/pack"`,
      "cannot be listed",
    ],
  ])("%s is GIT_TAMPERED", async (_what, script, said) => {
    const attacked = await repository.attack(`${WORK}; STORE="$USER_REPOSITORY/.git/objects"; ${script}`);
    expectRefused(repository, attacked, ["GIT_TAMPERED"]);
    expect(attacked.tamper).toEqual([expect.stringContaining(said)]);
  });

  test("what a person packs while a run is under way is no lie", async () => {
    const honest = new AttackedRepository();
    const attacked = await honest.attack(`${WORK}; git -C "$USER_REPOSITORY" gc -q --prune=now`);
    expect(attacked.code, attacked.stderr).toBe(0);
  });
});
