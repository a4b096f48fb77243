import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { parse } from "yaml";
import { z } from "zod";
import { describe, expect, it } from "vitest";
import { agentKeys } from "../../src/domain/agent-config.ts";
import {
  buildPolicyFile,
  COMMAND_PLACEHOLDERS,
  configSchema,
  defaultConfig,
  parseConfig,
  policyDigest,
  policyOf,
  readPolicyFile,
  type Config,
} from "../../src/domain/config.ts";
import { rulesOf } from "../../src/domain/item-rules.ts";
import { buildPlan } from "./run-fixtures.ts";
import { sha256 } from "../../src/domain/digest.ts";
import { buildProblemLine } from "../../src/domain/plan.ts";

const DOCS = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
const EXAMPLE = /```yaml\n([\s\S]*?)```/.exec(DOCS)?.[1] ?? "";

/** Problems of a text as `line:column CODE`. */
function placesOf(text: string): string[] {
  return parseConfig("c.yml", text).problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

function parsed(text: string): Config {
  const { config, problems } = parseConfig("c.yml", text);
  if (config === undefined) throw new Error(problems.map(buildProblemLine).join("\n"));
  return config;
}

/** Every key of the schema that holds no other keys, with dots, and what it holds when left out. */
function leavesOf(schema: z.ZodType, path = ""): string[] {
  const inner = schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  // Of what can be a command or an agent the table has the command; docs/agents.md has the rest.
  if (inner instanceof z.ZodDiscriminatedUnion && path === "executor")
    return leavesOf(inner.options[0] as z.ZodType, path);
  if (!(inner instanceof z.ZodObject)) return [path];
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, value]) =>
    leavesOf(value, path === "" ? key : `${path}.${key}`),
  );
}

function valueAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
}

/** A default as its cell gives it: a value that is no word stands there as YAML. */
function parseDefault(cell: string, type: string): unknown {
  const written = /^`(.*)`/.exec(cell)?.[1] ?? `no code in ${cell}`;
  return type === "object" ? parse(written) : written;
}

const LEAVES = leavesOf(configSchema);
const ROWS = [...DOCS.matchAll(/^\| `([a-z.-]+)` \| (.*?) \| (.*) \|$/gm)].map(([, key = "", fallback = ""]) => ({
  key,
  fallback,
}));
const WITH_EXECUTOR = "version: 1\nmanager: {command: [a]}\nexecutor: {use: command, command: [a]}\nconsent: {}\n";

const AGENTS_DOCS = readFileSync(new URL("../../docs/agents.md", import.meta.url), "utf8");

describe("docs/agents.md", () => {
  const rows = [...AGENTS_DOCS.matchAll(/^\| `([a-z-]+)` \| (both|codex|claude) \|/gm)];

  it.each(["codex", "claude"] as const)("lists exactly the keys of %s", (name) => {
    const keys = rows.flatMap(([, key = "", whose]) => (whose === "both" || whose === name ? [key] : []));
    expect(keys).toEqual(Object.keys(agentKeys(name, z.array(z.string()))));
  });

  it("has an example that parses, with a codex that has a price", () => {
    const { audits } = parsed(`version: 1\n${/```yaml\n([\s\S]*?)```/.exec(AGENTS_DOCS)?.[1] ?? ""}`);
    expect(audits.lanes.map((lane) => lane.use)).toEqual(["codex", "claude"]);
  });
});

describe("docs/configuration.md", () => {
  it("lists exactly the keys of the schema, in their order", () => {
    expect(LEAVES.length).toBeGreaterThan(20);
    expect(ROWS.map((row) => row.key)).toEqual(LEAVES);
  });

  it.each(ROWS)("gives the default of $key that holds", ({ key, fallback }) => {
    const value = valueAt(parsed(WITH_EXECUTOR), key);
    if (fallback === "none, must be there") {
      const [top = "", ...rest] = key.split(".");
      const text: Record<string, unknown> = {
        version: 1,
        manager: { command: ["a"] },
        executor: { use: "command", command: ["a"] },
      };
      const holder = rest.length === 0 ? text : (text[top] as Record<string, unknown>);
      delete holder[rest.at(-1) ?? top];
      expect(configSchema.safeParse(text).success).toBe(false);
    } else if (fallback === "nothing") expect(value ?? []).toEqual([]);
    else
      expect(typeof value === "object" ? value : String(value as string | number | boolean)).toEqual(
        parseDefault(fallback, typeof value),
      );
  });

  it("has an example that sets every key, and parses to the defaults and what it says", () => {
    const says = parse(EXAMPLE) as Record<string, unknown>;
    // These two say that there is nothing to ask for; the example asks.
    expect(LEAVES.filter((leaf) => valueAt(says, leaf) === undefined)).toEqual(["policy.ci", "policy.review"]);
    const config = parsed(EXAMPLE);
    // A lane may leave out what it hands over.
    const lanes = config.audits.lanes.map(({ name }) => name);
    expect(lanes).toEqual(["careful", "quick"]);
    expect(config.audits.lanes.map(({ env }) => env)).toEqual([["AUDITOR_KEY"], []]);
    expect(config).toMatchObject(says);
    const defaults = parsed(WITH_EXECUTOR);
    const changed = LEAVES.filter(
      (leaf) => JSON.stringify(valueAt(config, leaf)) !== JSON.stringify(valueAt(defaults, leaf)),
    );
    expect(changed).toEqual([
      "prepare.commands",
      "prepare.inputs",
      "prepare.network",
      "manager.command",
      "manager.expected-artifacts",
      "executor.command",
      "executor.expected-artifacts",
      "executor.env",
      "audits.lanes",
      "validation.commands",
      "validation.test-paths",
      "policy.protected-paths",
      "policy.sensitive-paths",
      "policy.reviews.teams",
      "policy.machine-users",
      "policy.secret-scan.allow",
      "policy.required-checks",
      "policy.trusted-refs",
      "consent.expires",
      "sandbox.env",
      "sandbox.keys",
    ]);
  });

  it("names every code that a configuration is refused with", () => {
    for (const code of ["CONFIG_YAML", "CONFIG_UNKNOWN_KEY", "CONFIG_INVALID"]) expect(DOCS).toContain(`- \`${code}\``);
  });
});

const PLAN = buildPlan();

describe("a configuration that nobody wrote", () => {
  it("is the one that says its version alone", () => {
    expect(defaultConfig()).toEqual(parsed("version: 1\n"));
    expect(defaultConfig().executor).toBeUndefined();
  });

  it("gives the item machine its rules", () => {
    expect(rulesOf(defaultConfig(), PLAN)).toEqual({
      fixRounds: 2,
      remediationRounds: 1,
      sessionsPerItem: 12,
      rollovers: 5,
      contextRemainingFloor: 2000,
      lanes: [],
      executorRetries: 0,
      keyRequestsMax: new Map(),
      auditRetries: 2,
      agentLanes: [],
      agentTriage: false,
      triageProgram: false,
      approvalPolicy: defaultConfig().policy,
      demands: new Map([["01", { manualGate: false, redGreen: false, externalEvidence: false, allowNoChange: false }]]),
      admission: {
        risk: {
          tier: "medium",
          reasons: [{ tier: "medium", text: "no Risk-Tier, and an item changes more than documents" }],
        },
        metadata: null,
      },
    });
    const other = parsed(
      [
        "version: 1",
        "limits: {fix-rounds: 0, remediation-rounds: 4, sessions-per-item: 3, rollovers: 6, context-remaining-floor: 7}",
        "audits: {lanes: [{name: a, use: command, command: [x]}, {name: b, use: command, command: [y]}], retries: 5}",
        "triage: {use: command, command: [z]}",
        "policy: {require-github-identity: true, sensitive-paths: [out]}",
        "",
      ].join("\n"),
    );
    expect(rulesOf(other, PLAN)).toMatchObject({
      fixRounds: 0,
      remediationRounds: 4,
      sessionsPerItem: 3,
      rollovers: 6,
      contextRemainingFloor: 7,
      lanes: ["a", "b"],
      auditRetries: 5,
      triageProgram: true,
      approvalPolicy: { "require-github-identity": true },
      admission: { risk: { tier: "high" } },
    });
  });

  it.each([
    [
      { manual_gate: "signoff" as const },
      { manualGate: true, redGreen: false, externalEvidence: false, allowNoChange: false },
    ],
    [
      { requires_red_green: true },
      { manualGate: false, redGreen: true, externalEvidence: false, allowNoChange: false },
    ],
    [
      { external_check: "human_supplied_evidence_required" as const },
      { manualGate: false, redGreen: false, externalEvidence: true, allowNoChange: false },
    ],
    [{ allow_no_change: true }, { manualGate: false, redGreen: false, externalEvidence: false, allowNoChange: true }],
  ])("takes from the plan what an item must show beyond verification: %j", (input, demands) => {
    expect(rulesOf(defaultConfig(), buildPlan([input])).demands.get("01")).toEqual(demands);
  });
});

describe("an unknown key is refused where it stands", () => {
  const holders = [...new Set(LEAVES.map((leaf) => leaf.split(".").slice(0, -1).join(".")))];
  it.each(holders)("in %j", (holder) => {
    const keys = holder === "" ? [] : holder.split(".");
    const lines = [...keys.map((key) => `${key}:`), "surprise: 1"].map((line, depth) => "  ".repeat(depth) + line);
    const executor = holder === "executor" ? ["  use: command"] : [];
    const program = ["executor", "manager"].includes(holder) ? ["  command: [a]"] : [];
    const text = ["version: 1", ...lines, ...executor, ...program, ""].join("\n");
    const { config, problems } = parseConfig("c.yml", text);
    expect(config).toBeUndefined();
    expect(problems.map(buildProblemLine)).toEqual([
      `c.yml:${2 + keys.length}:${1 + 2 * keys.length} CONFIG_UNKNOWN_KEY ${holder === "" ? "" : `${holder}.`}surprise: ` +
        "unknown key; expected one that docs/configuration.md lists",
    ]);
  });

  it.each([
    ["__proto__: {a: 1}", "2:1"],
    ["limits: {__proto__: {fix-rounds: 1}}", "2:10"],
    ["constructor: 1", "2:1"],
    ["toString: 1", "2:1"],
    ["Limits: {}", "2:1"],
    ["fix_rounds: 1", "2:1"],
    ["audits: {lane: []}", "2:10"],
    ["5: 1", "2:1"],
    ["limits: {<<: {fix-rounds: 1}}", "2:10"],
  ])("%s", (line, place) => {
    expect(placesOf(`version: 1\n${line}\n`)).toEqual([`${place} CONFIG_UNKNOWN_KEY`]);
    expect(({} as Record<string, unknown>)["fix-rounds"]).toBeUndefined();
  });

  it("and all faults are told at once", () => {
    expect(placesOf("version: 2\nx: 1\nlimits:\n  fix-rounds: 99\n  y: 2\npolicy: []\n").toSorted()).toEqual([
      "1:1 CONFIG_INVALID",
      "2:1 CONFIG_UNKNOWN_KEY",
      "4:3 CONFIG_INVALID",
      "5:3 CONFIG_UNKNOWN_KEY",
      "6:1 CONFIG_INVALID",
    ]);
  });
});

const executor = (rest: string): string => `version: 1\nexecutor: {use: command, command: [a], ${rest}}\n`;
const REFUSED: readonly (readonly [text: string, place: string])[] = [
  ["", "1:1"],
  ["hello", "1:1"],
  ["- version: 1", "1:1"],
  ["{}", "1:1"],
  ["version: '1'", "1:1"],
  ["version: 2", "1:1"],
  ["version: !!str 1", "1:1"],
  ["version: 1\npaths:", "2:1"],
  ["version: 1\nlimits: null", "2:1"],
  ["version: 1\npaths: {future: ''}", "2:9"],
  ["version: 1\npaths: {active: /etc}", "2:9"],
  ["version: 1\npaths: {completed: a/../../b}", "2:9"],
  ["version: 1\npaths: {evidence: ..}", "2:9"],
  ["version: 1\npaths: {evidence: 5}", "2:9"],
  ["version: 1\nprepare: {commands: [npm ci]}", "2:22"],
  ["version: 1\nprepare: {commands: [[]]}", "2:22"],
  ["version: 1\nprepare: {commands: [[npm, '']]}", "2:28"],
  ["version: 1\nprepare: {commands: [[1]]}", "2:23"],
  ["version: 1\nprepare: {inputs: [/x]}", "2:20"],
  ["version: 1\nprepare: {timeout-minutes: 0}", "2:11"],
  ["version: 1\nprepare: {timeout-minutes: -1}", "2:11"],
  ["version: 1\nprepare: {timeout-minutes: 1441}", "2:11"],
  ["version: 1\nprepare: {timeout-minutes: .inf}", "2:11"],
  ["version: 1\nprepare: {timeout-minutes: .nan}", "2:11"],
  ["version: 1\nprepare: {timeout-minutes: '5'}", "2:11"],
  ["version: 1\nvalidation: {commands: [[a, b], []]}", "2:33"],
  ["version: 1\nvalidation: {timeout-minutes: 1441}", "2:14"],
  ["version: 1\nexecutor: {command: [a]}", "2:1"],
  ["version: 1\nexecutor: {use: other, command: [a]}", "2:12"],
  ["version: 1\nexecutor: {use: command}", "2:1"],
  ["version: 1\nexecutor: {use: command, command: []}", "2:26"],
  ["version: 1\nexecutor: {use: command, command: [a, '{nope}']}", "2:26"],
  [executor("expected-artifacts: [../x]"), "2:61"],
  [executor("timeout-minutes: 0"), "2:40"],
  [executor("env: [A-B]"), "2:46"],
  [executor("env: ['']"), "2:46"],
  [executor("env: [NODE_OPTIONS]"), "2:46"],
  [executor("env: [github_token]"), "2:46"],
  [executor("env: [ORCH_ITEM_ID]"), "2:46"],
  ["version: 1\nsandbox: {env: [LD_PRELOAD]}", "2:17"],
  ["version: 1\nsandbox: {level: on}", "2:11"],
  ["version: 1\nsandbox: {minimum-tier: 4}", "2:11"],
  ["version: 1\nsandbox: {network: [https://example.com]}", "2:21"],
  ["version: 1\nsandbox: {network: ['example.com:0']}", "2:21"],
  ["version: 1\nsandbox: {processes: 7}", "2:11"],
  ["version: 1\nsandbox: {file-bytes: 1}", "2:11"],
  ["version: 1\nprepare: {network: ['*']}", "2:21"],
  ["version: 1\npolicy: {protected-paths: ['']}", "2:28"],
  ["version: 1\npolicy: {protected-paths: x}", "2:10"],
  ["version: 1\nlimits: {fix-rounds: -1}", "2:10"],
  ["version: 1\nlimits: {fix-rounds: 21}", "2:10"],
  ["version: 1\nlimits: {fix-rounds: 1.5}", "2:10"],
  ["version: 1\nlimits: {sessions-per-item: 0}", "2:10"],
  ["version: 1\nlimits: {sessions-per-item: 1001}", "2:10"],
  ["version: 1\nlimits: {context-remaining-floor: -1}", "2:10"],
  ["version: 1\nlimits: {diff-lines: 0}", "2:10"],
  ["version: 1\nlimits: {diff-files: 0}", "2:10"],
  ["version: 1\nlimits: {diff-bytes: 0}", "2:10"],
  ["version: 1\nlimits: {output-bytes: 0}", "2:10"],
];

describe("a value that does not fit is refused where it stands", () => {
  it.each(REFUSED)("%j at %s", (text, place) => {
    expect([...new Set(placesOf(text))]).toEqual([`${place} CONFIG_INVALID`]);
  });

  it.each([
    "limits: {fix-rounds: 0}",
    "limits: {fix-rounds: 20}",
    "limits: {sessions-per-item: 1}",
    "limits: {sessions-per-item: 1000}",
    "limits: {context-remaining-floor: 0, diff-lines: 1, diff-files: 1, diff-bytes: 1, output-bytes: 1}",
    "prepare: {timeout-minutes: 1440}",
    "validation: {timeout-minutes: 0.1}",
  ])("the edge is allowed: %s", (line) => {
    expect(placesOf(`version: 1\n${line}\n`)).toEqual([]);
  });

  it("says which placeholder it does not know, and all that it does", () => {
    const [problem] = parseConfig(
      "c.yml",
      "version: 1\nexecutor: {use: command, command: ['{nope}{item_id}']}",
    ).problems;
    expect(problem?.message).toBe(
      `executor.command: unknown placeholder {nope}; expected one of ${COMMAND_PLACEHOLDERS.map((name) => `{${name}}`).join(" ")}`,
    );
  });

  it.each(COMMAND_PLACEHOLDERS)("knows the placeholder {%s}", (name) => {
    expect(placesOf(`version: 1\nexecutor: {use: command, command: [a, 'x{${name}}y{z']}\n`)).toEqual([]);
  });
});

describe("a text that is not YAML of one plain document is refused", () => {
  const bomb = [
    "version: 1",
    "a: &a [x, x, x, x, x, x, x]",
    ...["b", "c", "d", "e", "f", "g"].map((name, index) => {
      const before = "abcdefg"[index] ?? "";
      return `${name}: &${name} [${Array(7).fill(`*${before}`).join(", ")}]`;
    }),
    "",
  ].join("\n");
  it.each([
    ["a key twice", "version: 1\nversion: 1\n", "2:1", "Map keys must be unique"],
    ["a key twice, deeper", "version: 1\nlimits: {diff-lines: 1, diff-lines: 2}\n", "2:25", "Map keys must be unique"],
    ["several documents", "version: 1\n---\nversion: 1\n", "2:1", "expected one YAML document, found several"],
    ["a tab as indentation", "version: 1\nlimits:\n\tfix-rounds: 1\n", "3:1", "Tabs are not allowed as indentation"],
    ["an open bracket", "version: [1\n", "2:1", "Flow sequence"],
    ["a directive", "%FOO bar\n---\nversion: 1\n", "1:1", "Unknown directive %FOO"],
    ["another YAML", "%YAML 9.9\n---\nversion: 1\n", "1:7", "Unsupported YAML version 9.9"],
    ["a tag of JavaScript", "version: !!js/function 1\n", "1:10", "Unresolved tag"],
    ["an alias without anchor", "version: 1\nprepare: *x\n", "2:10", "expected an anchor before *x"],
    ["an alias before its anchor", "version: 1\nprepare: *x\nlimits: &x {}\n", "2:10", "expected an anchor before *x"],
    ["aliases of aliases", bomb, "1:1", "expected aliases that stand for little, found too much"],
    ["51 aliases", `version: &a 1\nb: [${Array(51).fill("*a").join(",")}]\n`, "1:1", "expected at most 50 aliases"],
    [
      "32 brackets in a map",
      `version: 1\na: ${"[".repeat(32)}${"]".repeat(32)}\n`,
      "2:35",
      "expected at most 32 levels",
    ],
    [
      "33 maps in block form",
      Array.from({ length: 34 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join(""),
      "33:33",
      "expected at most 32 levels",
    ],
    ["33 lists in one line", `- ${"- ".repeat(40)}\n`, "1:65", "expected at most 32 levels"],
    ["much in it", "- \n".repeat(100_000), "66667:3", "expected at most 200000 marks"],
    ["too many characters", `#${"x".repeat(1_048_576)}`, "1:1", "expected at most 1048576 characters"],
  ])("%s", (_what, text, place, message) => {
    const [problem] = parseConfig("c.yml", text).problems;
    expect(problem).toBeDefined();
    expect(`${problem?.line}:${problem?.column} ${problem?.code}`).toBe(`${place} CONFIG_YAML`);
    expect(problem?.message).toContain(message);
  });

  it("a tag of its own is told beside the parser's word", () => {
    const messages = parseConfig("c.yml", "version: !mine 1\n").problems.map((problem) => problem.message);
    expect(messages).toContain("expected no custom tag, found !mine");
  });

  it.each([
    ["a byte order mark", "\uFEFFversion: 1\n"],
    ["CRLF", "version: 1\r\nlimits: {fix-rounds: 2}\r\n"],
    ["an anchor and its alias", "version: 1\npaths: {future: &f docs/future}\nprepare: {inputs: [*f]}\n"],
    ["50 aliases", `version: 1\nprepare: {inputs: [&a x, ${Array(50).fill("*a").join(", ")}]}\n`],
    ["brackets that are words", `version: 1\npolicy: {protected-paths: ['${"[".repeat(90)}']} # ${"{".repeat(90)}\n`],
    ["much indentation", `version: 1\nlimits:\n${" ".repeat(400)}fix-rounds: 1\n`],
    ["256 columns", `version: 1\n${" ".repeat(256)}# comment\n`],
    ["a plain tag", "version: !!int 1\n"],
  ])("%s is none of these", (_what, text) => {
    expect(parseConfig("c.yml", text).problems).toEqual([]);
  });

  it("counts places behind a byte order mark and CRLF as an editor does", () => {
    expect(placesOf("\uFEFFversion: 1\r\nlimits:\r\n  x: 1\r\n")).toEqual(["3:3 CONFIG_UNKNOWN_KEY"]);
  });

  it("whatever the text, it parses or every fault has its place, and nothing is thrown", () => {
    const pieces = fc.constantFrom(
      ..."version: 1|\n|  |limits|: |{|}|[|]|, |- |? |&a |*a|*b|!x |!!str |'|\"|# |---\n|__proto__|<<|%YAML 1.1\n|\t|\uFEFF|\0|{item_id}|executor|command|5".split(
        "|",
      ),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (words) => {
        const text = words.join("");
        const { config, problems } = parseConfig("c.yml", text);
        expect(config === undefined).toBe(problems.length > 0);
        for (const { line, column, message } of problems) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(text.split("\n").length);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(message).not.toBe("");
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it.each([
    ["question marks", "? ".repeat(20_000)],
    ["brackets that comments close", `${"[".repeat(30)} # ${"]".repeat(30)}\n`.repeat(2000)],
    ["colons", "a: ".repeat(20_000)],
    ["dashes", "- ".repeat(20_000)],
  ])("deep nesting by %s is refused and does not exhaust the stack", (_what, text) => {
    expect(placesOf(text).every((place) => place.endsWith(" CONFIG_YAML"))).toBe(true);
    expect(placesOf(text).length).toBeGreaterThan(0);
  });
});

describe("the policy of a run", () => {
  it("is what decides what may pass, and nothing else", () => {
    const of = (text: string): string => policyDigest(parsed(text));
    const plain = of("version: 1\n");
    expect(of("version: 1\nlimits: {diff-lines: 800}\n")).toBe(plain);
    expect(of("version: 1\npaths: {future: elsewhere}\n")).toBe(plain);
    const others = [
      "limits: {diff-lines: 801}",
      "policy: {protected-paths: [x]}",
      "validation: {commands: [[a]]}",
      "prepare: {inputs: [x]}",
      "sandbox: {env: [X]}",
      "audits: {lanes: [{name: a, use: command, command: [x]}, {name: b, use: command, command: [y]}]}",
      "audits: {retries: 3}",
      "triage: {use: command, command: [x]}",
      "limits: {remediation-rounds: 0}",
      "executor: {use: command, command: [a]}",
    ].map((line) => of(`version: 1\n${line}\n`));
    expect(new Set([plain, ...others]).size).toBe(others.length + 1);
    expect(Object.keys(policyOf(defaultConfig()) as object)).toEqual([
      "policy",
      "limits",
      "audits",
      "triage",
      "validation",
      "prepare",
      "sandbox",
      "executor",
    ]);
  });

  it("is read back from its file as it was written, and from nothing else", () => {
    const config = parsed(EXAMPLE);
    const file = buildPolicyFile(config);
    expect(file.sha256).toBe(sha256(file.text));
    expect(file.text.endsWith("}\n")).toBe(true);
    expect(readPolicyFile(file.text)).toEqual(config);
    expect(readPolicyFile("{}")).toBeUndefined();
    expect(readPolicyFile("not JSON")).toBeUndefined();
    expect(readPolicyFile(file.text.replace('"version":1', '"version":2'))).toBeUndefined();
  });
});
