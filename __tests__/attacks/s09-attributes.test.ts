import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AttackedRepository, expectAttackRefused, refusedByScope, WORK } from "../support/attacks.ts";

/** Attributes that hide or change content, by the file they are about. */
const ATTRIBUTES: readonly (readonly [file: string, attributes: string])[] = [
  ["a", "-diff"],
  ["b", "binary"],
  ["c", "diff=planted"],
  ["d", "filter=planted"],
  ["e", "ident"],
  ["f", "working-tree-encoding=ISO-8859-15"],
  ["g", "eol=crlf"],
  ["h", "export-ignore export-subst"],
  ["i", "linguist-generated linguist-vendored"],
  ["j", "text=auto -text merge=planted whitespace=cr-at-eol"],
  ["k", "diff=planted filter=planted -diff"],
];

function make(): AttackedRepository {
  return new AttackedRepository({
    files: {
      ".gitattributes": `${ATTRIBUTES.map(([file, attributes]) => `out/${file}.txt ${attributes}`).join("\n")}\n*.gen -diff\n`,
      ...Object.fromEntries(ATTRIBUTES.map(([file]) => [`out/${file}.txt`, `base ${file} $Id$\n`])),
    },
  });
}

describe("S-09: attributes that hide content from auditors", () => {
  const repository = make();
  const readPacket = (read: AttackedRepository): string => {
    const patch = read
      .events()
      .flatMap(({ type, details }) => (type === "packet_frozen" ? (details["files"] as { path: string }[]) : []))
      .find(({ path }) => path.endsWith("/candidate.patch"));
    return readFileSync(join(read.runFolder(), patch?.path ?? ""), "latin1");
  };

  test("that the base has: the packet holds every changed line, as the bytes they are", async () => {
    const edits = ATTRIBUTES.map(([file]) => `printf 'evil ${file} $Id: x$\\r\\n' >> out/${file}.txt`);
    const script = [WORK, ...edits, "printf 'evil\\0binary\\n' > out/new.bin", "echo evil generated > out/x.gen"].join(
      "\n",
    );
    const passing = make();
    const attacked = await passing.untouched(() => passing.attack(script), { delivers: true });
    expect(attacked.code, attacked.stderr).toBe(0);
    const packet = readPacket(passing);
    for (const [file] of ATTRIBUTES) {
      expect(packet).toContain(`\n+evil ${file} $Id: x$\r\n`);
      expect(packet).toContain(`\n base ${file} $Id$\n`);
    }
    expect(packet).toContain("\n+evil\0binary\n");
    expect(packet).toContain("\n+evil generated\n");
    expect(packet).not.toContain("Binary files");
    for (const [file] of ATTRIBUTES) {
      const args = ["cat-file", "blob", `${attacked.outcome.branch}:out/${file}.txt`];
      const blob = execFileSync("git", args, { cwd: passing.path, encoding: "latin1" });
      expect(blob).toBe(`base ${file} $Id$\nevil ${file} $Id: x$\r\n`);
    }
  });

  test.each([
    [".gitattributes", "echo '* -diff' > .gitattributes"],
    [".gitattributes of a folder", "echo '* -diff' > out/.gitattributes"],
    [".gitattributes in another case", "mkdir -p out/x && echo '* -diff' > out/x/.GitAttributes"],
  ])("that a session adds in %s: PROTECTED_PATH_CHANGED", async (_where, script) => {
    const wide = script.includes("> .git") ? ["SCOPE_VIOLATION"] : [];
    await expectAttackRefused(repository, script, refusedByScope("PROTECTED_PATH_CHANGED", ...wide));
  });

  const common = '"$(git rev-parse --git-common-dir)"';
  test.each([
    ["in info/attributes", `echo '* -diff' > ${common}/info/attributes`, "info: info/attributes changed"],
    [
      "by core.attributesFile",
      'echo "* -diff" > "$HOME/a"; git config core.attributesFile "$HOME/a"',
      "config: config changed",
    ],
    [
      "with a filter for the attributes of the base",
      `git config filter.planted.clean "touch $MARKS/clean; cat"; git config filter.planted.smudge "touch $MARKS/smudge; cat"; git config filter.planted.process "touch $MARKS/process"; git config diff.planted.textconv "touch $MARKS/textconv"`,
      "config: config changed",
    ],
  ])("that a session plants %s: GIT_TAMPERED", async (_where, script, found) => {
    const { tamper } = await expectAttackRefused(repository, `echo evil >> out/d.txt; ${script}`, ["GIT_TAMPERED"]);
    expect(tamper).toEqual([found]);
    await repository.conveyor(["verify"]);
    repository.expectNoMarks();
  });
});
