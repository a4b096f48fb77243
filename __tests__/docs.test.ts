import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { APPROVAL_RULES } from "../src/domain/approvals.ts";
import { REASON_CODE_NAMES, REASON_CODES } from "../src/domain/reason-codes.ts";
import { ITEM_STATES, TERMINAL_STATES } from "../src/domain/run-stop.ts";

const ROOT = join(import.meta.dirname, "..");

/** Files that are committed or would be: tracked, and untracked ones that nothing ignores. */
const FILES = execFileSync(
  "git",
  ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
  { cwd: ROOT, encoding: "utf8" },
)
  .split("\0")
  .filter((path) => path !== "" && existsSync(join(ROOT, path)) && lstatSync(join(ROOT, path)).isFile());

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const MARKDOWN = FILES.filter((path) => path.endsWith(".md") && !path.startsWith("__tests__/fixtures/"));

it("there are files to look at", () => {
  expect(MARKDOWN).toContain("docs/policy-and-gates.md");
  expect(FILES).toContain("package.json");
});

describe("relative links", () => {
  it.each(MARKDOWN)("of %s lead somewhere", (path) => {
    expect(findBrokenLinks(path, read(path))).toEqual([]);
  });

  it.each([
    ["[x](no-such-file.md)", "no-such-file.md"],
    ["[x](glossary.md#no-such-heading)", "glossary.md#no-such-heading"],
    ["[x](#nowhere)", "#nowhere"],
    ["![x](no-such-picture.png)", "no-such-picture.png"],
    ["[x]: ../no-such-file.md", "../no-such-file.md"],
  ])("are found broken in %j", (text, target) => {
    expect(findBrokenLinks("docs/style.md", text)).toEqual([target]);
  });

  it.each(["[x](https://example.com/y)", "[x](../LICENSE)", "[x](style.md#names)", "`[x](no-such-file.md)`"])(
    "are found whole in %j",
    (text) => {
      expect(findBrokenLinks("docs/policy-and-gates.md", text)).toEqual([]);
    },
  );
});

describe("nothing that is committed depends on the machine it was made on", () => {
  it.each(FILES)("%s", (path) => {
    expect(findMachineTraces(path, read(path))).toEqual([]);
  });

  // Put together here, so that this file does not contain what it looks for.
  const glued = (...parts: string[]) => parts.join("");
  it.each([
    ["x.md", glued("see /wo", "rk/notes.md")],
    ["x.ts", glued('const home = "/ro', 'ot/.cache";')],
    ["x.md", glued("/ho", "me/somebody/projects")],
    ["x.yml", glued("https://np", "m.internal.test/x")],
    ["x.yml", glued("https://regis", "try.example.net/x")],
    [".npmrc", glued("regis", "try=x")],
    [".npmrc", glued("//x/:_auth", "Token=y")],
    ["package-lock.json", glued('"resol', 'ved": "x"')],
  ])("a trace in %s is found: %s", (path, text) => {
    expect(findMachineTraces(path, text)).toHaveLength(1);
  });
});

describe("docs/policy-and-gates.md", () => {
  const text = read("docs/policy-and-gates.md");

  it("lists exactly the reason codes, in their order, with what they mean and what to do", () => {
    const table = text.slice(text.indexOf("| code | means | what to do |")).split("\n").slice(2);
    const rows = table.filter((line) => line.startsWith("|"));
    const cell = (sentence: string) => sentence.replaceAll("|", "\\|");
    const expected = REASON_CODE_NAMES.map(
      (code) => `| \`${code}\` | ${cell(REASON_CODES[code].means)} | ${cell(REASON_CODES[code].act)} |`,
    );
    expect(rows).toEqual(expected);
  });

  it("sends nobody to a document that is not there", () => {
    const named = REASON_CODE_NAMES.flatMap((code) => [...REASON_CODES[code].act.matchAll(/\bdocs\/[\w/-]+\.md\b/g)]);
    expect(named.map(([path]) => path).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("names the three gates in their order with the one value that passes each", () => {
    const rows = text.split("\n").filter((line) => /^\| `(policy|ci|review)` \|/.test(line));
    expect(rows.map((row) => [...row.matchAll(/`([^`]*)`/g)].map(([, word]) => word))).toEqual([
      ["policy", "allow", "GATE_POLICY_DENIED_OR_UNKNOWN"],
      ["ci", "success", "GATE_CI_NOT_SUCCESS"],
      ["review", "approved", "GATE_REVIEW_NOT_APPROVED"],
    ]);
  });
});

describe("docs/approvals.md", () => {
  const text = read("docs/approvals.md");

  it("explains exactly the rules, in their order", () => {
    const table = text.slice(text.indexOf("| rule | refuses | because |")).split("\n").slice(2);
    const rows = table.slice(0, table.indexOf(""));
    const rules = [...APPROVAL_RULES.each, ...APPROVAL_RULES.together].map(({ name }) => name);
    expect(rows.map((row) => /^\| `([a-z-]+)` \| \S.* \| \S.* \|$/.exec(row)?.[1])).toEqual(rules);
  });
});

describe("docs/runbook.md", () => {
  const sections = new Map(
    read("docs/runbook.md")
      .split(/^### /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("\n")), section] as const),
  );

  it.each(REASON_CODE_NAMES)("says where to look and what to do after %s", (code) => {
    expect(sections.get(code)).toMatch(/^- \*\*Look\*\*: \S[\s\S]*^- \*\*Do\*\*: \S/m);
  });

  it.each([...TERMINAL_STATES, "no state yet", ...ITEM_STATES])("has a section for the state %s", (state) => {
    expect(sections.get(state)?.split("\n\n")[1]).toMatch(/\S/);
  });

  it("has no section for anything else, and none twice", () => {
    const known: readonly string[] = [...REASON_CODE_NAMES, ...TERMINAL_STATES, ...ITEM_STATES, "no state yet"];
    expect([...sections.keys()].filter((title) => !known.includes(title))).toEqual([]);
    expect(read("docs/runbook.md").match(/^### /gm)).toHaveLength(sections.size);
  });

  it("gives commands and options that the command line has", () => {
    const commands = [...read("docs/runbook.md").matchAll(/`(?:[A-Z_]+=1 )?conveyor ([^`]+)`/g)].map(
      ([, words]) => words ?? "",
    );
    expect(commands.length).toBeGreaterThan(30);
    expect(commands.filter((command) => command.includes("\n"))).toEqual([]);
    const wrong = commands.filter((command) => {
      const words = command.split(" ");
      const name = words[0] === "gate" ? words.slice(0, 2) : words.slice(0, 1);
      const help = helpOf(name);
      return words.some((word) => word.startsWith("--") && !help.includes(word));
    });
    expect(wrong).toEqual([]);
  });
});

describe("docs/security.md", () => {
  it.each(["attacks", "faults", "fuzz"])("names every suite in __tests__/%s", (folder) => {
    const text = read("docs/security.md");
    const suites = FILES.filter((path) => path.startsWith(`__tests__/${folder}/`) && path.endsWith(".test.ts"));
    expect(suites.length).toBeGreaterThan(3);
    expect(
      suites.filter((path) => !text.includes(`../${path}`) && !text.includes(`(../__tests__/${folder}/)`)),
    ).toEqual([]);
  });
});

const helps = new Map<string, string>();

/** What `conveyor … --help` prints. */
function helpOf(words: readonly string[]): string {
  const key = words.join(" ");
  const help =
    helps.get(key) ??
    execFileSync(process.execPath, [join(ROOT, "dist", "cli.js"), ...words, "--help"], { encoding: "utf8" });
  helps.set(key, help);
  return help;
}

describe("docs/glossary.md", () => {
  it("explains each word once", () => {
    const words = [...read("docs/glossary.md").matchAll(/^\| ([a-z][^|]*) \| (?=[A-Z])/gm)].map(([, word]) => word);
    expect(words.length).toBeGreaterThan(30);
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
  });
});

/** Targets of links and pictures in a Markdown text that name a file or heading that is not there. */
function findBrokenLinks(path: string, markdown: string): readonly string[] {
  const prose = markdown.replaceAll(/^(`{3,}|~{3,}).*?^\1`*$/gms, "").replaceAll(/`[^`\n]*`/g, "");
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)];
  const referenced = [...prose.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm)];
  return [...inline, ...referenced]
    .map(([, target]) => target ?? "")
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target))
    .filter((target) => {
      const [file = "", heading] = target.split("#", 2);
      const found = file === "" ? path : join(dirname(path), decodeURIComponent(file));
      if (!existsSync(join(ROOT, found))) return true;
      if (heading === undefined || !found.endsWith(".md")) return false;
      return !headingsOf(file === "" ? markdown : read(found)).includes(heading);
    });
}

/** Anchors that GitHub gives to the headings of a Markdown text. */
function headingsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#{1,6} +(.*?) *#*$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Paths of a particular machine, and addresses that only its network knows. */
const TRACES: readonly (readonly [what: string, pattern: RegExp, only?: RegExp])[] = [
  ["a path of one machine", /(?<![\w.$})-])\/(?:work|root)\/[\w.-]/],
  ["somebody's home folder", /(?<![\w.$})-])\/(?:home|Users)\/[a-z][\w-]*\//],
  ["a package host", /https?:\/\/[\w.-]*\b(?:npm|registry|artifactory|nexus|verdaccio|mirror|proxy)\b[\w.-]*[:/]/i],
  ["a package host", /^(?:@[\w-]+:)?registry\s*=|_auth(?:Token)?\s*=/im, /(?:^|\/)\.npmrc$/],
  ["a download address", /"resolved":/, /package-lock\.json$/],
];

function findMachineTraces(path: string, text: string): readonly string[] {
  return TRACES.filter(([, pattern, only]) => (only?.test(path) ?? true) && pattern.test(text)).map(
    ([what, pattern]) => `${what}: ${pattern.exec(text)?.[0] ?? ""}`,
  );
}
