import { describe, expect, it } from "vitest";
import { buildClosing, buildClosingMessage, type ClosingFacts } from "../../src/domain/closing-commit.ts";
import { parseText, readFixture } from "./plan-fixtures.ts";

const base = readFixture("base.md");
const METADATA =
  "## Metadata\n\n- Plan-ID: ring\n- status:  queued\n- Owner: me\n  and you\n- Done-Evidence: pending\n\n";
const PATH = "docs/exec-plans/active/ring.md";
const COMPLETED = "docs/exec-plans/completed/2026-03-25-ring.md";
const EVIDENCE = "docs/exec-plans/evidence-index/ring.md";

function facts(planText: string, more: Partial<ClosingFacts> = {}): ClosingFacts {
  const { plan, problems } = parseText(planText, { path: PATH });
  if (plan === undefined) throw new Error(JSON.stringify(problems));
  const ids = plan.items.map((item) => item.item_id);
  return {
    plan,
    planText,
    paths: { completed: "docs/exec-plans/completed/", evidence: "./docs/exec-plans/evidence-index" },
    runId: "RUN_20260325T120000Z_deadbeef",
    date: "2026-03-25",
    packets: ids.map((itemId) => ({ itemId, sha256: `packet-${itemId}` })),
    journalHead: "head",
    items: ids.map((itemId) => ({ itemId, commit: `commit-${itemId}`, attempts: 1 })),
    ...more,
  };
}

const withMetadata = (section: string, text = base) => text.replace("## 2. Items", `${section}## 2. Items`);
const closed = (planText: string, more?: Partial<ClosingFacts>) =>
  buildClosing(facts(planText, more)).files.find(({ path }) => path === COMPLETED)?.text ?? "";

const SECTIONS = `
## Validation evidence

- Item \`01\` passed in attempt 1: commit \`commit-01\`, packet \`packet-01\`
  - exit code 0: \`node --test\`
- Item \`02\` passed in attempt 1: commit \`commit-02\`, packet \`packet-02\`
  - exit code 0: \`node --test\`
- Item \`03\` passed in attempt 1: commit \`commit-03\`, packet \`packet-03\`

## Closure

- Run: \`RUN_20260325T120000Z_deadbeef\`
- Date: 2026-03-25
- Journal head before this commit: \`head\`
`;

describe("closing a plan with metadata", () => {
  it("moves it, and writes its evidence", () => {
    const { files } = buildClosing(facts(withMetadata(METADATA)));
    expect(files.map(({ path, text }) => [path, text === null])).toEqual([
      [COMPLETED, false],
      [PATH, true],
      [EVIDENCE, false],
    ]);
  });

  it("changes status and evidence, adds two sections, and keeps all else byte for byte", () => {
    const text = withMetadata(METADATA);
    const expected = text
      .replace("- status:  queued", "- status:  completed")
      .replace("- Done-Evidence: pending", `- Done-Evidence: ${EVIDENCE}`);
    expect(closed(text)).toBe(expected + SECTIONS);
  });

  it.each([
    ["CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
    ["CR alone", (text: string) => text.replaceAll("\n", "\r")],
    ["a byte order mark", (text: string) => `\uFEFF${text}`],
  ])("keeps %s", (_, change) => {
    const text = withMetadata(METADATA);
    const plain = closed(text);
    expect(closed(change(text))).toBe(change(plain));
  });

  it("finds the metadata on the first line after a byte order mark", () => {
    const text = `\uFEFF${METADATA}${base.replace("# Rotate keys", "# Ring")}`;
    expect(closed(text)).toContain("\uFEFF## Metadata\n\n- Plan-ID: ring\n- status:  completed\n");
  });

  it("keeps line ends that are mixed, trailing spaces and a last line without an end", () => {
    const text = `${withMetadata(METADATA).replace("one key.\n", "one key.  \r\n")}\n\nThe end`;
    const result = closed(text);
    expect(result).toContain("one key.  \r\n\n## Metadata");
    expect(result).toContain("The end\n\n## Validation evidence");
  });

  it("adds what the metadata do not say, after what they say", () => {
    const added = `- Status: completed\n- Done-Evidence: ${EVIDENCE}\n`;
    expect(closed(withMetadata("## Metadata\n\n- Plan-ID: ring\n  \n\n"))).toContain(`- Plan-ID: ring\n${added}  \n`);
    const bare = withMetadata("## Metadata\n\n").replace("# Rotate keys", "# Ring");
    expect(closed(bare)).toContain(`## Metadata\n\n${added}\n## 2. Items`);
  });

  it("replaces a value of several lines, also before one that is added", () => {
    const section = "## Metadata\n- Plan-ID: ring\n- Done-Evidence: see\n  here\nand there\n\n";
    expect(closed(withMetadata(section))).toContain(
      `## Metadata\n- Plan-ID: ring\n- Done-Evidence: ${EVIDENCE}\n- Status: completed\n\n## 2. Items`,
    );
    expect(closed(withMetadata("## Metadata\n- Plan-ID: ring\n- Status:queued\n\n"))).toContain(
      "- Status: completed\n",
    );
  });

  it("touches no bullet in a fence or outside of the metadata", () => {
    const text = withMetadata(`- Status: queued\n\n${METADATA}`).replace(
      "- Plan-ID",
      "```\n- Status: queued\n```\n- Plan-ID",
    );
    expect(closed(text).match(/- Status: queued/g)).toHaveLength(2);
    expect(closed(text)).toContain("- status:  completed");
  });

  it.each([
    ["a fence", "\n~~~~ text\nleft open", "~~~~"],
    ["an HTML comment", "\n<!-- left open", "-->"],
  ])("ends %s that the plan leaves open, so that the evidence is seen", (_, tail, closer) => {
    expect(closed(withMetadata(METADATA) + tail)).toContain(`left open\n${closer}\n\n## Validation evidence`);
  });

  it("gives a plan that says that it is completed, and is the same otherwise", () => {
    const before = facts(withMetadata(METADATA)).plan;
    const { plan, problems } = parseText(closed(withMetadata(METADATA)), { path: PATH });
    expect(problems).toEqual([]);
    expect(plan?.metadata).toEqual({ ...before.metadata, status: "completed", done_evidence: EVIDENCE });
    expect({ ...plan, metadata: null }).toEqual({ ...before, metadata: null });
  });

  it("deletes nothing when the plan is already where it goes to", () => {
    const given = facts(withMetadata(METADATA));
    const { files } = buildClosing({ ...given, plan: { ...given.plan, path: COMPLETED } });
    expect(files.map(({ path }) => path)).toEqual([COMPLETED, EVIDENCE]);
  });
});

describe("closing a plan with front matter", () => {
  const SINGLE = "implementation-targets: [src]\n";
  const plan = (yaml: string) => `---\n${yaml}---\n# Ring\n`;
  const evidence = `done-evidence: ${EVIDENCE}`;

  it.each([
    [
      "plain",
      `plan-id: ring\nstatus: queued\ndone-evidence: pending\n`,
      `plan-id: ring\nstatus: completed\n${evidence}\n`,
    ],
    [
      "quoted, with blanks and comments",
      `# a\nstatus:   'queued'   # now\n\nplan-id: ring\ndone-evidence: "pending" # soon\n`,
      `# a\nstatus:   completed   # now\n\nplan-id: ring\n${evidence} # soon\n`,
    ],
    [
      "folded",
      `plan-id: ring\ndone-evidence: >-\n  pending,\n  as yet\nstatus: queued\n`,
      `plan-id: ring\n${evidence}\nstatus: completed\n`,
    ],
    [
      "of two lines",
      `plan-id: ring\ndone-evidence: pending\n  as yet\nstatus: queued\n`,
      `plan-id: ring\n${evidence}\nstatus: completed\n`,
    ],
    [
      "anchored",
      `plan-id: ring\nstatus: &s queued\ndone-evidence: pending\n`,
      `plan-id: ring\nstatus: &s completed\n${evidence}\n`,
    ],
    [
      "behind quoted keys",
      `plan-id: ring\n'status': queued\n"done-evidence": pending\n`,
      `plan-id: ring\n'status': completed\n"done-evidence": ${EVIDENCE}\n`,
    ],
    [
      "half there",
      `# first\nplan-id: ring\nstatus: queued\n`,
      `# first\n${evidence}\nplan-id: ring\nstatus: completed\n`,
    ],
    ["not there", `plan-id: ring\n`, `status: completed\n${evidence}\nplan-id: ring\n`],
  ])("sets values that are %s, and keeps all else", (_, before, after) => {
    expect(closed(plan(before + SINGLE)).startsWith(plan(after + SINGLE))).toBe(true);
    for (const [lineEnd, mark] of [
      ["\r\n", ""],
      ["\r", "\uFEFF"],
    ] as const) {
      const change = (text: string) => mark + text.replaceAll("\n", lineEnd);
      expect(closed(change(plan(before + SINGLE))).startsWith(change(plan(after + SINGLE)))).toBe(true);
    }
  });

  it.each([
    [
      "flow form",
      `{plan-id: ring, status: queued, implementation-targets: [src]}\n`,
      `{${evidence}, plan-id: ring, status: completed, implementation-targets: [src]}\n`,
    ],
    [
      "indentation",
      `  plan-id: ring\n  implementation-targets: [src]\n`,
      `  status: completed\n  ${evidence}\n  plan-id: ring\n  implementation-targets: [src]\n`,
    ],
  ])("keeps %s", (_, before, after) => {
    expect(closed(plan(before)).startsWith(plan(after))).toBe(true);
  });

  it.each([
    ["nothing", ""],
    ["a comment", "# later\n"],
    ["an empty map", "{}\n"],
  ])("adds what is missing to %s", (_, yaml) => {
    const text = closed(plan(yaml));
    const { plan: reread, problems } = parseText(text, { path: PATH });
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(reread?.metadata).toMatchObject({ status: "completed", done_evidence: EVIDENCE });
    expect(text).toContain(yaml.startsWith("#") ? yaml : "# Ring");
  });

  it("quotes a path that YAML would take for something else", () => {
    const paths = { completed: "docs/exec-plans/completed/", evidence: "2026: x" };
    const { plan: reread } = parseText(closed(plan("plan-id: ring\n"), { paths }), { path: PATH });
    expect(reread?.metadata?.done_evidence).toBe("2026: x/ring.md");
  });

  it("takes no fence in the front matter for one of the text", () => {
    expect(closed(plan("plan-id: ring\nacceptance-criteria: |\n  ```\n  left open\n"))).toContain(
      "# Ring\n\n## Validation evidence",
    );
  });
});

describe("closing a bare playbook", () => {
  it("writes its evidence alone", () => {
    const { files } = buildClosing(facts(base));
    expect(files).toEqual([
      {
        path: "docs/exec-plans/evidence-index/rotate-keys.md",
        text: `# Evidence: rotate-keys

- Title: \`Rotate keys\`
- Plan: \`${PATH}\`
- Run: \`RUN_20260325T120000Z_deadbeef\`
- Date: 2026-03-25
- Journal head before this commit: \`head\`

## Items

${SECTIONS.slice(SECTIONS.indexOf("- Item"), SECTIONS.indexOf("\n## Closure"))}`,
      },
    ]);
  });

  it("lets no command or title end its code span", () => {
    const text = base.replace("| node --test |", "| echo ``a` `` b |").replace("# Rotate keys", "# Ring `x` \u202E");
    const [file] = buildClosing(facts(text)).files;
    expect(file?.text).toContain("exit code 0: ``` echo ``a` `` b ```");
    expect(file?.text).toContain("- Title: `` Ring `x` \\u{202E} ``");
  });
});

describe("a plan that is not wholly proven", () => {
  it.each<[string, (given: ClosingFacts) => Partial<ClosingFacts>]>([
    ["an item without a commit", ({ items }) => ({ items: items.slice(1) })],
    ["an item without a packet", ({ packets }) => ({ packets: packets.slice(1) })],
    ["an item twice", ({ items }) => ({ items: [...items.slice(1), ...items.slice(2)] })],
    [
      "an item of another plan",
      ({ items }) => ({ items: items.map((item) => ({ ...item, itemId: `x${item.itemId}` })) }),
    ],
    ["a packet twice", ({ packets }) => ({ packets: [...packets, ...packets.slice(0, 1)] })],
  ])("is never closed: %s", (_, change) => {
    const given = facts(withMetadata(METADATA));
    expect(() => buildClosing({ ...given, ...change(given) })).toThrow("closing ring: ");
    expect(() => buildClosingMessage({ ...given, ...change(given) })).toThrow("closing ring: ");
  });
});

it("the message names plan, run, packets in the plan's order and the journal's head", () => {
  const given = facts(withMetadata(METADATA));
  expect(buildClosingMessage({ ...given, packets: given.packets.toReversed() })).toBe(`Close plan ring

Plan: ring
Run: RUN_20260325T120000Z_deadbeef
Packet: packet-01
Packet: packet-02
Packet: packet-03
Journal-Head: head
`);
});
