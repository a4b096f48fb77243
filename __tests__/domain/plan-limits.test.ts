import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planSchema } from "../../src/domain/plan.ts";
import { parseText, readFixture } from "./plan-fixtures.ts";
import { withItem } from "./plan-form-cases.ts";

const MIB = 1024 * 1024;
const base = readFixture("base.md");
const full = readFixture("full.md");
const front = withItem("    after: []\n    gate: {type: signoff, reason: a}\n", "status: queued\ntags: [a, b]\n");
const single = "# A\n\n## Metadata\n- Owner: me\n- Validation: a ;; b\n\n## Must-Land Checklist\n- [ ] a\n";

/** Time of the processor, and the best of three: other tests run at the same time. */
function millisecondsFor(work: () => void): number {
  let best = Infinity;
  for (let attempt = 0; attempt < 3 && best >= 1000; attempt += 1) {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

/**
 * Under a second; on a machine that is too slow for that, in a time that grows about as the text does: four times the
 * text would take sixteen times as long where it grew with the square.
 */
function expectFast(text: string): void {
  const taken = millisecondsFor(() => parseText(text.slice(0, MIB)));
  if (taken < 1000) return;
  const quarter = millisecondsFor(() => parseText(text.slice(0, Math.min(text.length, MIB) / 4)));
  expect(taken, `a quarter of it took ${quarter} ms`).toBeLessThan(10 * quarter);
}

describe("a megabyte", () => {
  it.each([
    "a",
    " ",
    "#",
    "`",
    "`a",
    "`` ` ",
    "|",
    "\\|",
    "| `",
    ";",
    '"',
    "-",
    ":-",
    "<!--",
    "~",
    ",",
    "01-02,",
    "𝒮",
    "\u0301",
    "x |",
    "\0",
  ])("of %j is parsed within a second, wherever it stands", (unit) => {
    const long = unit.repeat(Math.floor((MIB - 3000) / unit.length));
    expectFast(long);
    expectFast(`## 2. ${long}`);
    expectFast(base.replace("# Rotate", `# ${long}`));
    expectFast(base.replace("### Build", `### ${long}`));
    expectFast(base.replace("| step_id |", `| step_id | ${long} |`));
    expectFast(base.replace("|---|", `|---| ${long} |`));
    for (const cell of [
      "| 01 |",
      "| build |",
      "| none |",
      "| src/app.ts |",
      "| src/ring.ts |",
      "| src |",
      "| no |",
      "| node --test |",
    ]) {
      expectFast(base.replace(cell, `| ${long} |`));
    }
  });

  it.each(["|\n", "| a |\n", "## 2. A\n", "### A\n", "```\n", "<!--\n-->\n", "\r", "| step_id | a |\n|---|---|\n\n"])(
    "of lines %j is parsed within a second",
    (line) => {
      expectFast(line.repeat(MIB / line.length));
      expectFast(base + line.repeat(MIB / line.length));
      expectFast(base.replace("| 03 |", `${line.repeat((MIB - 3000) / line.length)}| 03 |`));
    },
  );

  it("of backticks, no two runs of one length, is parsed within a second", () => {
    const runs = Array.from({ length: 1400 }, (_, length) => "`".repeat(length)).join("a");
    expectFast(base.replace("| node --test |", `| ${runs} |`));
  });

  it("of 500 items that all wait for each other, and read what none delivers, is parsed within a second", () => {
    const row = "| 001 | a | b | c | d | 000-499,0-9,001-498,000 | x;y/z;q | d/1;d/2;p | e | src | no | |\n";
    const rows = Array.from({ length: 500 }, (_, index) => row.replace("001", String(index).padStart(3, "0"))).join("");
    expectFast(base.replace(/\| 01[^]*/, rows));
    expectFast(
      base.replace(/\| 01[^]*/, rows.replaceAll("| 000-499,0-9,001-498,000 |", `|${"000-499,".repeat(200)}|`)),
    );
  });
});

describe("a megabyte of front matter", () => {
  it.each([
    "a",
    "#\n",
    "\n",
    "[",
    "]",
    "- ",
    "? ",
    ": ",
    "- a\n",
    ",",
    "a,",
    '"',
    "'",
    '"a" ',
    "|\n",
    "&a ",
    "!a ",
    "%a b\n",
    "...\n",
    "- {}\n",
    "a:\n",
  ])("of %j is parsed within a second, wherever it stands", (unit) => {
    const long = unit.repeat(Math.floor((MIB - 3000) / unit.length));
    expectFast(`---\n${long}\n---\n`);
    expectFast(`---\nitems:\n${long}\n---\n`);
    expectFast(`---\nitems: [${long}]\n---\n`);
    expectFast(withItem(`    notes: |\n      ${long.replaceAll("\n", "\n      ")}\n`));
  });

  it("of keys that nobody knows, each another, is parsed within a second", () => {
    const keys = Array.from({ length: 60_000 }, (_, index) => `k${index}: 1\n`).join("");
    expectFast(`---\n${keys}---\n`);
    expectFast(`---\nitems:\n  - ${keys.replaceAll("\n", "\n    ")}\n---\n`);
  });

  it("of 500 items that all wait for each other is parsed within a second", () => {
    const item = (index: number) =>
      `  - {id: 'a${index}', title: a, exit-criteria: b, write-roots: [x${index}, y/z, .], deliverables: [d/1, d/2], ` +
      `after: [${Array.from({ length: 60 }, (_, step) => `a${(index + step) % 500}`).join(", ")}], ` +
      `surfaces: [x, y/z, q], verify: [a, b], notes: ${"n ".repeat(300)}}\n`;
    expectFast(
      `---\nimplementation-targets: [q]\nitems:\n${Array.from({ length: 500 }, (_, index) => item(index)).join("")}---\n`,
    );
  });

  it("of text for items is parsed within a second", () => {
    expectFast(withItem("") + "## 01 a\n\nb\n".repeat(70_000));
    expectFast(withItem("") + "### 01:\n".repeat(110_000));
    expectFast(`# A\n\n## Metadata\n- Owner: me\n\n## Must-Land Checklist\n\n${"- [ ] a\n  b\n".repeat(80_000)}`);
    expectFast(`# A\n\n## Metadata\n${"- Validation: a ;; b\n".repeat(45_000)}`);
    expectFast(`# A\n\n## Metadata\n- Validation: ${";;`a".repeat(250_000)}\n`);
  });
});

describe("a damaged plan", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.constantFrom(
      "|",
      "\\",
      "`",
      "``",
      '"',
      "'",
      ";",
      ",",
      "\n",
      "\r\n",
      "## 2. ",
      "# ",
      "```\n",
      "~~~\n",
      "<!--",
      "-->",
      "---\n",
      "items:\n",
      "  - ",
      ": ",
      "[",
      "&a ",
      "*a",
      "<<: ",
      "__proto__: ",
      "## Metadata\n",
    ),
    fc.constantFrom("none", "01-03", "02", "..", "/", "\u200B", "\uFEFF", "\0", "|---|---|\n", "| step_id | phase |\n"),
  );
  const mutation = fc.record({ at: fc.nat(), removed: fc.nat({ max: 40 }), inserted: piece });
  const mutate = (text: string, mutations: readonly { at: number; removed: number; inserted: string }[]) =>
    mutations.reduce((current, { at, removed, inserted }) => {
      const offset = at % (current.length + 1);
      return current.slice(0, offset) + inserted + current.slice(offset + removed);
    }, text);

  it("never makes the parser throw, and is located inside of the file", () => {
    const mutations = fc.array(mutation, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(base, full, front, single), mutations, (text, changes) => {
        const damaged = mutate(text, changes);
        expectFast(damaged);
        const { plan, problems } = parseText(damaged);
        expect(plan === undefined).toBe(problems.some(({ severity }) => severity === "error"));
        expect(plan === undefined || planSchema.safeParse(plan).success).toBe(true);
        const lines = damaged.split(/\r\n|\r|\n/);
        for (const { line, column } of problems) {
          // The line after the last one is where a delimiter row would stand.
          expect(line).toBeLessThanOrEqual(lines.length + 1);
          expect(column).toBeLessThanOrEqual([...(lines[line - 1] ?? "")].length + 1);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("may be any bytes at all", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => void parseText("", { bytes })));
  });
});
