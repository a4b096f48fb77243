import { writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AttackedRepository, expectRefused, ONE_ROUND, refusedByScope } from "../support/attacks.ts";

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const named = (codes: readonly number[]): Buffer[] =>
  codes.map((code) => Buffer.from(`a${String.fromCodePoint(code)}b`));

/** Control characters of both sets, but for NUL, which no name can hold. */
const CONTROLS = named([...range(0x01, 0x1f), 0x7f, ...range(0x80, 0x9f)]);
const UNSEEN = named(
  [
    // marks that turn the direction of text
    [0x061c, 0x200e, 0x200f, ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)],
    // separators of lines
    [0x2028, 0x2029],
    // what takes no room
    [0x00ad, 0x034f, 0x115f, 0x1160, 0x17b4, 0x180e, 0x200b, 0x200c, 0x200d, ...range(0x2060, 0x2064), 0x3164, 0xfe0f],
    [0xfeff, 0xffa0, 0xe0001, 0xe0041],
  ].flat(),
);
const NO_UTF8 = ["ff", "c328", "e28228", "f0288cbc", "eda080", "c0af"].map((hex) => Buffer.from(`61${hex}62`, "hex"));
const LIKE_GIT = [
  ".GIT",
  ".Git",
  ".git.",
  ".git..",
  ".git ",
  ".git. .",
  ".git:x",
  ".git::$INDEX_ALLOCATION",
  "git~1",
  "GIT~2",
  ".g\u200cit",
  "\ufeff.git",
  ".gi\u202et",
].map((name) => Buffer.from(name));
/** The second of each pair, in the order of git, is the one that is refused. */
const TWINS: readonly (readonly [string, string])[] = [
  ["Case", "case"],
  ["FOLDER/x", "folder/y"],
  ["\u00e9t\u00e9", "e\u0301te\u0301"],
  ["kelvin", "\u212aelvin"],
  ["\u00c5ngstrom", "\u212bngstrom"],
];

const SIGNS = "!\"#$%&'()+,-.;<=>?@[]^_`{|}~".split("");
const ACCEPTED: readonly string[] = [
  SIGNS.map((sign) => `sign${sign}`),
  SIGNS.filter((sign) => !".~".includes(sign)).map((sign) => `${sign}first`),
  ["-n", "--help", "--upload-pack=x", "-c core.pager=x", ":(glob)**", ":!x", "~", "...", "a b", " a", "b ", "@{-1}"],
  ["CON", "nul.txt", "aux", "COM1", "LPT9.log", "PRN.", "a:b", "a?b", "a*b", "back\\slash"],
  ["über", "文件", "ملف", "קובץ", "ไฟล์", "🚀", "Ω", "p\u0430ypal", "e\u0301"],
  ["HEAD", "config", "git", ".gitkeep", ".gitignore", "git~x", "x.git", "a".repeat(255)],
  [`${"d".repeat(200)}/${"e".repeat(200)}`],
].flat();

/** An executor that writes a file of each name below `out`. */
function writer(repository: AttackedRepository, names: readonly Buffer[]): string {
  const script = join(repository.base, "names.mjs");
  const list = names.map((name) => name.toString("hex"));
  writeFileSync(
    script,
    `import { mkdirSync, writeFileSync } from "node:fs";
for (const hex of ${JSON.stringify(list)}) {
  const path = Buffer.concat([Buffer.from("out/"), Buffer.from(hex, "hex")]);
  mkdirSync(path.subarray(0, path.lastIndexOf(47)), { recursive: true });
  writeFileSync(path, "x\\n");
}
`,
  );
  return `${process.execPath} ${script}`;
}

const all = [...CONTROLS, ...UNSEEN, ...NO_UTF8, ...LIKE_GIT, ...TWINS.flat(), ...ACCEPTED];

describe(`S-15: ${all.length} names that an executor gives to files`, () => {
  const make = (): AttackedRepository =>
    new AttackedRepository({
      rows: [{ step_id: "01", deliverable: "out", required_verification_commands: "test -d out" }],
      configLines: [ONE_ROUND.replace("}", ", diff-files: 1000}")],
    });

  test("there are 200 or more", () => expect(all.length).toBeGreaterThanOrEqual(200));

  test.each([
    ["control characters", CONTROLS, CONTROLS],
    ["characters that nobody sees", UNSEEN, UNSEEN],
    ["bytes that are no UTF-8", NO_UTF8, NO_UTF8],
    ["other ways to write .git", LIKE_GIT, LIKE_GIT],
    [
      "twins by case or by form",
      TWINS.flat().map((name) => Buffer.from(name)),
      TWINS.map((pair) =>
        Buffer.from([...pair].sort((left, right) => Buffer.from(left).compare(Buffer.from(right)))[1] ?? ""),
      ),
    ],
  ])("%s: exactly those are refused", async (_what, names, refused) => {
    const repository = make();
    const attacked = await repository.untouched(() => repository.attack(writer(repository, names)));
    expectRefused(repository, attacked, refusedByScope("PATH_UNSAFE"));
    const found = new Set(attacked.violations.map(([, path]) => path));
    // Two names that are no UTF-8 may be shown alike.
    expect(found).toEqual(new Set(refused.map((name) => `out/${name.toString("utf8")}`)));
    // What a terminal or a page would obey is shown, never sent.
    const shown = [attacked.stderr, (await repository.conveyor(["report", "--markdown"])).stdout].join("\n");
    expect(shown.replaceAll("\n", "")).not.toMatch(
      /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069]/,
    );
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });

  test("all the others are taken as they are", async () => {
    const repository = make();
    const names = ACCEPTED.map((name) => Buffer.from(name));
    const attacked = await repository.untouched(() => repository.attack(writer(repository, names)), { delivers: true });
    expect(attacked.violations).toEqual([]);
    expect(attacked.code, attacked.stderr).toBe(0);
    const listed = execFileSync("git", ["ls-tree", "-r", "-z", "--name-only", attacked.outcome.branch, "out"], {
      cwd: repository.path,
    });
    expect(listed.toString("utf8").split("\0").filter(Boolean).toSorted()).toEqual(
      ACCEPTED.map((name) => `out/${name}`).toSorted(),
    );
    expect((await repository.conveyor(["verify"])).code).toBe(0);
  });
});
