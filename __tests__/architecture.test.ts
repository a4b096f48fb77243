import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseAst } from "rolldown/parseAst";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const CONFIG = readFileSync(join(ROOT, ".oxlintrc.json"), "utf8");

interface Diagnostic {
  readonly filename: string;
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly help?: string;
}

interface LintResult {
  readonly files: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** Runs the real oxlint in `folder`. That it looked at files at all is for the caller to check: `files` says how many. */
function lint(folder: string, ...args: string[]): LintResult {
  const oxlint = join(ROOT, "node_modules/oxlint/bin/oxlint");
  const { stdout, stderr } = spawnSync(process.execPath, [oxlint, "--type-aware", "--format=json", ...args], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const start = stdout.indexOf("{");
  if (start < 0) throw new Error(`oxlint gave no JSON:\n${stdout}${stderr}`);
  const result = JSON.parse(stdout.slice(start)) as { number_of_files: number; diagnostics: Diagnostic[] };
  return { files: result.number_of_files, diagnostics: result.diagnostics };
}

/** [file, what it says, the rule, part of the reason that must be given] */
type Violation = readonly [file: string, source: string, rule: string, reason: string];

const IMPORTS = "no-restricted-imports";
const GLOBALS = "no-restricted-globals";
const PROPERTIES = "no-restricted-properties";
const PROCESSES = "Processes are started only in";
const CLOCK = "Only src/effects/clock.ts reads the clock";
const RANDOMNESS = "Only src/effects/ids.ts makes randomness";
const RUNTIME = "Use the global process";
const ENVIRONMENT = "Only main.ts of a door reads the environment";
const EXIT = "Only main.ts of a door ends the process";

const from = (specifier: string) => `import { x } from "${specifier}";\nx();\n`;
const typeFrom = (specifier: string) => `import type { X } from "${specifier}";\nexport const x = {} as X;\n`;
const lazily = (specifier: string) => `export const x = () => import("${specifier}");\n`;
const again = (specifier: string) => `export { x } from "${specifier}";\n`;
const use = (expression: string) => `export const x = () => ${expression};\n`;

const VIOLATIONS: readonly Violation[] = [
  ["src/domain/imports-ports.ts", typeFrom("../ports.ts"), IMPORTS, "src/domain decides and nothing else"],
  ["src/domain/imports-kernel.ts", from("../kernel/run-plan.ts"), IMPORTS, "src/domain decides and nothing else"],
  ["src/domain/imports-effects.ts", from("../effects/git/git.ts"), IMPORTS, "src/domain decides and nothing else"],
  ["src/domain/imports-render.ts", from("../render/report.ts"), IMPORTS, "src/domain decides and nothing else"],
  ["src/domain/imports-node.ts", from("node:path"), IMPORTS, "src/domain decides and nothing else"],
  ["src/domain/imports-fs.ts", from("fs/promises"), IMPORTS, "src/domain decides and nothing else"],
  ["src/domain/imports-crypto.ts", from("node:crypto"), IMPORTS, "src/domain decides and nothing else"],
  ["src/domain/imports-library.ts", from("picomatch"), IMPORTS, "src/domain decides and nothing else"],
  ["src/domain/imports-lazily.ts", lazily("../effects/clock.ts"), IMPORTS, "src/domain decides and nothing else"],
  ["src/domain/exports-again.ts", again("../effects/clock.ts"), IMPORTS, "src/domain decides and nothing else"],
  [
    "src/domain/digest.ts",
    `import { randomBytes } from "node:crypto";\nrandomBytes(1);\n`,
    IMPORTS,
    "hash of node:crypto and nothing else",
  ],
  ["src/domain/digest.ts", from("node:path"), IMPORTS, "digest.ts may import its own ring"],
  ["src/domain/globs.ts", from("minimatch"), IMPORTS, "globs.ts may import its own ring and picomatch"],
  ["src/domain/clock.ts", use("Date.now()"), GLOBALS, "a decision that reads the clock cannot be replayed"],
  ["src/domain/new-date.ts", use("new Date()"), GLOBALS, "a decision that reads the clock cannot be replayed"],
  [
    "src/domain/performance.ts",
    use("performance.now()"),
    GLOBALS,
    "a decision that reads the clock cannot be replayed",
  ],
  ["src/domain/uuid.ts", use("crypto.randomUUID()"), GLOBALS, "randomness is passed in"],
  ["src/domain/random.ts", use("Math.random()"), PROPERTIES, RANDOMNESS],
  ["src/domain/process.ts", use("process.platform"), GLOBALS, "it knows nothing of the process"],
  ["src/domain/fetch.ts", use(`fetch("x:")`), GLOBALS, "it does no I/O. Pass the data in"],
  ["src/domain/console.ts", use(`console.log("x")`), GLOBALS, "it does no I/O. Return the text"],
  ["src/domain/timeout.ts", use("setTimeout(x, 1)"), GLOBALS, "nothing in it waits"],
  ["src/domain/interval.ts", use("setInterval(x, 1)"), GLOBALS, "nothing in it waits"],
  ["src/domain/immediate.ts", use("setImmediate(x)"), GLOBALS, "nothing in it waits"],
  ["src/domain/microtask.ts", use("queueMicrotask(x)"), GLOBALS, "nothing in it waits"],
  ["src/domain/promise.ts", use("Promise.resolve(1)"), GLOBALS, "nothing in it waits"],
  ["src/domain/global-this.ts", use("globalThis.Date"), GLOBALS, "go round the rules about purity"],
  ["src/domain/global.ts", use("global.Date"), GLOBALS, "go round the rules about purity"],
  ["src/domain/require.ts", use(`require("node:fs")`), GLOBALS, "This package is ESM"],

  ["src/render/html/imports-kernel.ts", from("../../kernel/run-plan.ts"), IMPORTS, "src/render turns values into text"],
  ["src/render/imports-ports.ts", typeFrom("../ports.ts"), IMPORTS, "src/render turns values into text"],
  ["src/render/imports-kernel.ts", from("../kernel/run-plan.ts"), IMPORTS, "src/render turns values into text"],
  ["src/render/imports-effects.ts", from("../effects/clock.ts"), IMPORTS, "src/render turns values into text"],
  ["src/render/imports-node.ts", from("node:os"), IMPORTS, "src/render turns values into text"],
  ["src/render/imports-library.ts", from("yaml"), IMPORTS, "src/render turns values into text"],
  ["src/render/clock.ts", use("new Date()"), GLOBALS, "a decision that reads the clock cannot be replayed"],

  ["src/ports.ts", from("./domain/plan.ts"), IMPORTS, "types alone"],
  ["src/ports.ts", typeFrom("zod"), IMPORTS, "a library or Node there would tie the kernel to it"],
  ["src/ports.ts", typeFrom("./effects/clock.ts"), IMPORTS, "src/ports.ts knows src/domain alone"],
  ["src/ports.ts", typeFrom("./compose/world.ts"), IMPORTS, "src/ports.ts knows src/domain alone"],
  ["src/ports/values.ts", from("../domain/plan.ts"), IMPORTS, "src/ports holds types alone"],
  ["src/ports/imports-zod.ts", typeFrom("zod"), IMPORTS, "src/ports says what the kernel may ask for"],
  ["src/ports/imports-effects.ts", typeFrom("../effects/clock.ts"), IMPORTS, "src/ports knows itself and src/domain"],
  ["src/ports/imports-ports.ts", typeFrom("../ports.ts"), IMPORTS, "src/ports knows itself and src/domain"],

  [
    "src/kernel/imports-effects.ts",
    from("../effects/clock.ts"),
    IMPORTS,
    "src/kernel asks for effects through src/ports.ts",
  ],
  [
    "src/kernel/perform/imports-effects.ts",
    typeFrom("../../effects/git/git.ts"),
    IMPORTS,
    "src/kernel asks for effects through src/ports.ts",
  ],
  ["src/kernel/imports-cli.ts", from("../cli/exit-codes.ts"), IMPORTS, "knows none of them"],
  ["src/kernel/imports-action.ts", from("../action/main.ts"), IMPORTS, "knows none of them"],
  ["src/kernel/imports-conveyor.ts", from("../conveyor/run-next.ts"), IMPORTS, "knows none of them"],
  ["src/kernel/imports-supervisor.ts", from("../supervisor/supervise.ts"), IMPORTS, "knows none of them"],
  ["src/kernel/imports-compose.ts", from("../compose/world.ts"), IMPORTS, "knows none of them"],
  ["src/kernel/imports-node.ts", from("node:path"), IMPORTS, "libraries and Node belong in src/effects"],
  ["src/kernel/imports-library.ts", from("execa"), IMPORTS, "libraries and Node belong in src/effects"],
  ["src/kernel/clock.ts", use("Date.now()"), GLOBALS, CLOCK],
  ["src/kernel/performance.ts", use("performance.now()"), GLOBALS, CLOCK],
  ["src/kernel/hrtime.ts", use("process.hrtime()"), PROPERTIES, CLOCK],
  ["src/kernel/random.ts", use("Math.random()"), PROPERTIES, RANDOMNESS],
  ["src/kernel/uuid.ts", use("crypto.randomUUID()"), GLOBALS, RANDOMNESS],
  ["src/kernel/environment.ts", use("process.env"), PROPERTIES, ENVIRONMENT],
  ["src/kernel/exit.ts", use("process.exit(1)"), PROPERTIES, EXIT],

  ["src/effects/imports-kernel.ts", from("../kernel/run-plan.ts"), IMPORTS, "src/effects does what it is told"],
  [
    "src/effects/git/imports-kernel.ts",
    typeFrom("../../kernel/run-plan.ts"),
    IMPORTS,
    "src/effects does what it is told",
  ],
  ["src/effects/imports-conveyor.ts", from("../conveyor/run-next.ts"), IMPORTS, "src/effects does what it is told"],
  [
    "src/effects/imports-supervisor.ts",
    from("../supervisor/supervise.ts"),
    IMPORTS,
    "src/effects does what it is told",
  ],
  ["src/effects/imports-cli.ts", from("../cli/exit-codes.ts"), IMPORTS, "src/effects does what it is told"],
  ["src/effects/imports-compose.ts", from("../compose/world.ts"), IMPORTS, "src/effects does what it is told"],
  ["src/effects/starts-a-process.ts", from("node:child_process"), IMPORTS, PROCESSES],
  ["src/effects/starts-a-process-with-execa.ts", from("execa"), IMPORTS, PROCESSES],
  ["src/effects/git/starts-a-process.ts", from("child_process"), IMPORTS, PROCESSES],
  ["src/effects/imports-process.ts", from("node:process"), IMPORTS, RUNTIME],
  ["src/effects/random-bytes.ts", `import { randomBytes } from "node:crypto";\nrandomBytes(1);\n`, IMPORTS, RANDOMNESS],
  ["src/effects/process.ts", from("../kernel/run-plan.ts"), IMPORTS, "src/effects does what it is told"],
  ["src/effects/process-tree.ts", from("node:module"), IMPORTS, RUNTIME],
  ["src/effects/sandbox/starts-a-process.ts", from("node:child_process"), IMPORTS, PROCESSES],
  ["src/effects/sandbox/inside.ts", from("../clock.ts"), IMPORTS, "inside.ts runs alone inside a sandbox"],
  ["src/effects/sandbox/inside.ts", from("./proxy.ts"), IMPORTS, "inside.ts runs alone inside a sandbox"],
  ["src/effects/sandbox/inside.ts", from("execa"), IMPORTS, "inside.ts runs alone inside a sandbox"],
  [
    "src/effects/git/push.ts",
    `import { runRemoteGit } from "./git.ts";\nrunRemoteGit();\n`,
    IMPORTS,
    "never pushes without a lease",
  ],
  [
    "src/effects/push.ts",
    `import { runRemoteGit } from "./git/git.ts";\nrunRemoteGit();\n`,
    IMPORTS,
    "never pushes without a lease",
  ],
  ["src/effects/git/remote.ts", from("execa"), IMPORTS, PROCESSES],
  ["src/effects/git/git.ts", `import { randomUUID } from "node:crypto";\nrandomUUID();\n`, IMPORTS, RANDOMNESS],
  ["src/effects/clock.ts", from("../kernel/run-plan.ts"), IMPORTS, "src/effects does what it is told"],
  ["src/effects/ids.ts", from("node:child_process"), IMPORTS, PROCESSES],
  ["src/effects/github/imports-octokit.ts", from("@octokit/core"), IMPORTS, "client.ts makes a client of GitHub"],
  ["src/effects/github/client.ts", from("@actions/github"), IMPORTS, "belongs in src/action"],
  ["src/effects/github/client.ts", from("node:child_process"), IMPORTS, PROCESSES],
  ["src/effects/clock-reader.ts", use("Date.now()"), GLOBALS, CLOCK],
  ["src/effects/environment-reader.ts", use("process.env"), PROPERTIES, ENVIRONMENT],
  [
    "src/effects/environment-by-destructuring.ts",
    "const { env } = process;\nexport const x = env;\n",
    PROPERTIES,
    ENVIRONMENT,
  ],
  ["src/effects/clock.ts", use("process.env"), PROPERTIES, ENVIRONMENT],
  ["src/effects/ids.ts", use("process.exit()"), PROPERTIES, EXIT],
  [
    "src/effects/builtin.ts",
    use(`process.getBuiltinModule("node:child_process")`),
    PROPERTIES,
    "Import modules by name",
  ],
  ["src/effects/global-this.ts", use("globalThis.Date"), GLOBALS, "go round the rules about clock"],
  ["src/effects/global.ts", use("global.Date"), GLOBALS, "go round the rules about clock"],

  ["src/compose/x.ts", from("../domain/plan.ts"), IMPORTS, "decides nothing itself"],
  ["src/compose/x.ts", from("../kernel/run-plan.ts"), IMPORTS, "knows neither who asks"],
  ["src/compose/x.ts", from("../cli/exit-codes.ts"), IMPORTS, "knows neither who asks"],
  ["src/compose/x.ts", from("node:fs"), IMPORTS, "libraries and Node are wrapped there"],

  ["src/invocation/imports-effects.ts", from("../effects/clock.ts"), IMPORTS, "An invocation gets its effects from"],
  ["src/invocation/imports-cli.ts", from("../cli/main.ts"), IMPORTS, "it knows none of them"],
  ["src/invocation/imports-node.ts", from("node:path"), IMPORTS, "libraries and Node belong in src/effects"],
  ["src/action/imports-cli.ts", from("../cli/main.ts"), IMPORTS, "what they share belongs in src/invocation"],

  ["src/cli/imports-effects.ts", from("../effects/clock.ts"), IMPORTS, "A door gets its effects from src/compose"],
  [
    "src/cli/commands/imports-effects.ts",
    typeFrom("../../effects/git/git.ts"),
    IMPORTS,
    "A door gets its effects from src/compose",
  ],
  ["src/cli/imports-action.ts", from("../action/main.ts"), IMPORTS, "One door never goes through another"],
  ["src/cli/imports-fs.ts", from("node:fs/promises"), IMPORTS, "Only src/effects touches files"],
  ["src/cli/starts-a-process.ts", from("node:child_process"), IMPORTS, PROCESSES],
  ["src/cli/imports-process.ts", from("node:process"), IMPORTS, RUNTIME],
  ["src/cli/environment.ts", use("process.env"), PROPERTIES, ENVIRONMENT],
  ["src/cli/exit.ts", use("process.exit(1)"), PROPERTIES, EXIT],
  ["src/cli/clock.ts", use("new Date()"), GLOBALS, CLOCK],
  ["src/cli/main.ts", use("Math.random()"), PROPERTIES, RANDOMNESS],
  ["src/cli/main.ts", use(`process.hrtime()`), PROPERTIES, CLOCK],
  ["src/cli/main.ts", use(`process.getBuiltinModule("node:fs")`), PROPERTIES, "Import modules by name"],

  ["src/elsewhere.ts", from("node:fs"), IMPORTS, "Only src/effects touches files"],
  ["src/elsewhere.ts", from("execa"), IMPORTS, PROCESSES],
  ["src/elsewhere.ts", from("node:process"), IMPORTS, RUNTIME],
  ["src/elsewhere.ts", use(`require("node:fs")`), GLOBALS, "This package is ESM"],

  [
    "src/kernel/cycle-one.ts",
    `import { two } from "./cycle-two.ts";\nexport const one = () => two;\n`,
    "no-cycle",
    "cycle",
  ],
  [
    "src/kernel/cycle-two.ts",
    `import { one } from "./cycle-one.ts";\nexport const two = () => one;\n`,
    "no-cycle",
    "cycle",
  ],
  ["src/kernel/barrel.ts", `export * from "./cycle-one.ts";\n`, "no-barrel-file", "Barrel file"],
  ["src/kernel/any.ts", "export const x = (value: any) => String(value);\n", "no-explicit-any", "any"],
  [
    "src/kernel/non-null.ts",
    "export const x = (value: string | undefined) => value!.length;\n",
    "no-non-null-assertion",
    "non-null",
  ],
  [
    "src/kernel/floating.ts",
    "const later = async () => 1;\nexport const x = () => {\n  later();\n};\n",
    "no-floating-promises",
    "Promises must be awaited",
  ],
];

/** What each place may do: a rule that forbade everything would catch every violation too. */
const ALLOWED: readonly (readonly [file: string, source: string])[] = [
  ["src/domain/zod.ts", from("zod")],
  ["src/domain/yaml.ts", from("yaml")],
  ["src/domain/own-ring.ts", from("./zod-user.ts")],
  ["src/domain/digest.ts", `import { hash } from "node:crypto";\nexport const x = () => hash("sha256", "");\n`],
  ["src/domain/globs.ts", from("picomatch")],
  ["src/render/domain.ts", from("../domain/plan.ts")],
  ["src/render/own-ring.ts", from("./markdown.ts")],
  ["src/render/page.ts", from("./html/html.ts")],
  ["src/render/html/domain.ts", from("../../domain/plan.ts")],
  ["src/ports.ts", typeFrom("./domain/plan.ts").replace("const x = {} as X", "type Y = X")],
  ["src/ports.ts", typeFrom("./ports/git.ts").replace("const x = {} as X", "type Y = X")],
  ["src/ports/rings.ts", typeFrom("../domain/plan.ts").replace("const x = {} as X", "type Y = X")],
  ["src/ports/types.ts", typeFrom("./git.ts").replace("const x = {} as X", "type Y = X")],
  ["src/kernel/rings.ts", from("../domain/plan.ts")],
  ["src/kernel/perform/rings.ts", from("../../render/prompt.ts") + `export type { Clock } from "../../ports.ts";\n`],
  ["src/effects/files.ts", from("node:fs/promises")],
  ["src/effects/rings.ts", from("../domain/plan.ts")],
  ["src/effects/process.ts", from("node:child_process")],
  ["src/effects/process-tree.ts", from("execa")],
  ["src/effects/git/git.ts", from("execa")],
  ["src/effects/sandbox/inside.ts", from("node:child_process")],
  ["src/effects/sandbox/inside.ts", use("[process.env, process.exit(1)]")],
  ["src/effects/clock.ts", use("[Date.now(), performance.now(), process.hrtime()]")],
  ["src/effects/ids.ts", `import { randomBytes } from "node:crypto";\nexport const x = () => randomBytes(4);\n`],
  ["src/compose/x.ts", from("../effects/clock.ts")],
  ["src/compose/x.ts", typeFrom("../ports.ts")],
  ["src/cli/compose.ts", from("../compose/world.ts")],
  ["src/cli/commands/run.ts", from("../../kernel/run-plan.ts")],
  ["src/cli/commander.ts", from("commander")],
  ["src/cli/main.ts", use("process.exit(Number(process.env.X))")],
  ["schemas/generate.ts", from("node:fs")],
  ["__tests__/files.test.ts", from("node:fs") + use("[process.env, new Date(), Math.random()]")],
];

const ARCHITECTURE = [IMPORTS, GLOBALS, PROPERTIES, "no-cycle", "no-barrel-file"];

describe("the linter, run with our configuration on files that break one rule each", () => {
  let folder: string;
  let result: LintResult;

  // Each case has a folder of its own that stands for the repository, because several are about the same file.
  const place = (kind: string, index: number, file: string) => join(`${kind}-${index}`, file);
  const found = (path: string) => result.diagnostics.filter(({ filename }) => filename.replaceAll("\\", "/") === path);
  const text = ({ code, message, help }: Diagnostic) => `${code}: ${message} ${help ?? ""}`;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "conveyor-architecture-"));
    // The patterns of the configuration are relative to it; the copy may find its folders one level down.
    writeFileSync(
      join(folder, ".oxlintrc.json"),
      CONFIG.replaceAll(/"((?:src|__tests__|bench)\/[^"]*)"(?=[,\]])/g, '"*/$1"'),
    );
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    cpSync(join(ROOT, "package.json"), join(folder, "package.json"));
    cpSync(join(ROOT, "tsconfig.json"), join(folder, "tsconfig.json"));
    const put = (path: string, source: string) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), source);
    };
    // The two halves of the cycle must lie side by side.
    VIOLATIONS.forEach(([file, source, rule], index) =>
      put(place(rule === "no-cycle" ? "cycle" : "bad", rule === "no-cycle" ? 0 : index, file), source),
    );
    ALLOWED.forEach(([file, source], index) => put(place("good", index, file), source));
    result = lint(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("looks at every one of them", () => {
    expect(result.files).toBe(VIOLATIONS.length + ALLOWED.length);
  });

  it.each(VIOLATIONS.map((violation, index) => [...violation, index] as const))(
    "%s: %j is caught by %s: %s",
    (file, _source, rule, reason, index) => {
      const path = rule === "no-cycle" ? place("cycle", 0, file) : place("bad", index, file);
      const caught = found(path).filter(({ code, severity }) => code.endsWith(`(${rule})`) && severity === "error");
      expect(caught.map(text).join("\n"), `what the linter said of ${path}`).toContain(reason);
    },
  );

  it.each(ALLOWED.map(([file, source], index) => [file, source, index] as const))(
    "%s: %j is let through",
    (file, _source, index) => {
      const caught = found(place("good", index, file)).filter(({ code }) =>
        ARCHITECTURE.some((rule) => code.endsWith(`(${rule})`)),
      );
      expect(caught.map(text)).toEqual([]);
    },
  );

  it("leaves no reason of the configuration without a case that provokes it", () => {
    const reasons = [...CONFIG.matchAll(/"message": "((?:[^"\\]|\\.)*)"/g)].map(
      ([, reason]) => JSON.parse(`"${reason}"`) as string,
    );
    expect(reasons.length).toBeGreaterThan(40);
    const said = result.diagnostics.map(text).join("\n");
    expect(reasons.filter((reason) => !said.includes(reason))).toEqual([]);
  });
});

const SOURCES = globSync("src/**/*.{ts,js}", { cwd: ROOT }).map((path) => path.replaceAll("\\", "/"));

describe("the tree as it stands", () => {
  // The linter knows types, so it reads everything twice over: half a minute, and more on a machine that others use.
  it("is clean, and the linter has looked at all of it", { timeout: 300_000 }, () => {
    const linted = globSync(["src/**/*.{ts,js}", "schemas/*.ts", "__tests__/**/*.ts", "bench/**/*.ts", "*.config.ts"], {
      cwd: ROOT,
    });
    const expected = linted.filter((path) => !path.replaceAll("\\", "/").startsWith("__tests__/fixtures/"));
    const { files, diagnostics } = lint(ROOT);
    expect(SOURCES.length).toBeGreaterThan(0);
    expect(files).toBeGreaterThanOrEqual(expected.length);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect(errors.map(({ filename, code, message }) => `${filename} ${code} ${message}`)).toEqual([]);
  });

  it.each(SOURCES)("%s keeps the rules that the linter cannot express", (path) => {
    expect(findSourceViolations(path, readFileSync(join(ROOT, path), "utf8"))).toEqual([]);
  });
});

describe("the rules that the linter cannot express", () => {
  it.each([
    ["src/domain/x.ts", "export async function x() {}", "async"],
    ["src/domain/x.ts", "export const x = async () => 1;", "async"],
    ["src/domain/x.ts", "export class X { async run() {} }", "async"],
    ["src/render/x.ts", "await x;", "await"],
    ["src/domain/x.ts", "export {}; for await (const x of y) z(x);", "await"],
    ["src/ports.ts", "export const x = 1;", "a value"],
    ["src/ports.ts", "export function x() {}", "a value"],
    ["src/ports/x.ts", "export const x = 1;", "a value"],
    ["src/ports.ts", `import { X } from "./domain/plan.ts"; export type Y = X;`, "a value"],
    ["src/kernel/x.ts", `export { x } from "./y.ts";`, "passes on"],
    ["src/kernel/x.ts", `export * from "./y.ts";`, "passes on"],
    ["src/kernel/index.ts", "export const x = 1;", "index.ts"],
    ["src/kernel/x.ts", "// oxlint-disable-next-line no-restricted-imports -- just once\nx();", "switches off"],
    ["src/kernel/x.ts", "/* eslint-disable */\nx();", "switches off"],
    ["src/kernel/x.ts", "export const load = (path: string) => import(path);", "computed"],
  ])("%s: %j is refused: %s", (path, source, reason) => {
    expect(findSourceViolations(path, source).join("\n")).toContain(reason);
  });

  it.each([
    ["src/domain/x.ts", "export const x = () => 1; // async and await in a comment"],
    ["src/ports.ts", `import type { X } from "./domain/plan.ts"; export interface Y { x(): Promise<X> }`],
    ["src/kernel/x.ts", "export const x = async () => await y();"],
    ["src/index.ts", `export { x } from "./y.ts";`],
    ["src/kernel/x.ts", "// oxlint-disable-next-line max-lines-per-function -- a table\nx();"],
  ])("%s: %j is let through", (path, source) => {
    expect(findSourceViolations(path, source)).toEqual([]);
  });
});

/** Where a coding agent may be named, and why; nothing else may know which there are. */
const AGENT_NAMES_ALLOWED: Readonly<Record<string, string>> = {
  "src/domain/agent-config.ts": "their configuration",
  "src/domain/config.ts": "their configuration",
  "src/domain/cost-bound.ts": "whether one can hold itself to a budget",
  "src/domain/starter-workflow.ts": "the configuration that init writes",
  "src/domain/scope.ts": "files that no item may change",
  "src/domain/paths.ts": "files that no item may change",
  "src/domain/instruction-files.ts": "files with instructions for them",
  "src/effects/environment-probe.ts": "settings of theirs that lie about",
};

describe("the names of coding agents", () => {
  it("stand in their adapters and their configuration alone", () => {
    const named = globSync("src/**/*.ts", { cwd: ROOT }).filter((path) =>
      /codex|claude|openai|anthropic/i.test(readFileSync(join(ROOT, path), "utf8")),
    );
    const others = named.filter((path) => !path.startsWith("src/effects/executor/"));
    expect(others.toSorted()).toEqual(Object.keys(AGENT_NAMES_ALLOWED).toSorted());
  });
});

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/**
 * What oxlint 1.94 has no rule for, read from the syntax tree: it has no `no-restricted-syntax`, its
 * `no-barrel-file` sees `export *` alone, and a comment can switch any rule off.
 */
function findSourceViolations(path: string, source: string): readonly string[] {
  const problems: string[] = [];
  const isPure = path.startsWith("src/domain/") || path.startsWith("src/render/");
  const program = parseAst(source, { lang: path.endsWith(".ts") ? "ts" : "js" }, path) as unknown as Node & {
    body: Node[];
  };

  for (const node of nodesOf(program)) {
    if (isPure && node["async"] === true) problems.push("an async function: this ring is pure and nothing in it waits");
    if (isPure && (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node["await"] === true)))
      problems.push("await: this ring is pure and nothing in it waits");
    if (node.type === "ImportExpression" && (node["source"] as Node).type !== "Literal")
      problems.push("a computed import: nobody can say which ring it reaches into");
  }
  for (const node of program.body) {
    const passesOn =
      node.type === "ExportAllDeclaration" || (node.type === "ExportNamedDeclaration" && node["source"] !== null);
    if (passesOn && path !== "src/index.ts" && node["exportKind"] !== "type")
      problems.push(
        "a module that passes on another's exports: import from where a thing is made, so that the rings can be seen",
      );
    if (/^src\/ports(\.ts$|\/)/.test(path) && !isTypeOnly(node)) problems.push("a value: ports are types alone");
  }
  if (path.endsWith("/index.ts") && path !== "src/index.ts")
    problems.push("an index.ts: the only barrel is src/index.ts");
  for (const [comment] of source.matchAll(/(?:ox|es)lint-disable[^\n]*/g)) {
    const rules = comment
      .replace(/^[a-z-]+/, "")
      .replace(/--.*|\*\/.*/, "")
      .trim();
    if (rules === "" || ARCHITECTURE.some((rule) => rules.includes(rule)))
      problems.push("a comment that switches off a rule of the architecture: change the rule, with its reason");
  }
  return problems;
}

function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const member of value) yield* nodesOf(member);
  else if (value !== null && typeof value === "object") {
    if (typeof (value as Node).type === "string") yield value as Node;
    yield* nodesOf(Object.values(value));
  }
}

function isTypeOnly(node: Node): boolean {
  if (node.type === "ImportDeclaration") return node["importKind"] === "type";
  if (node.type === "ExportNamedDeclaration") return node["exportKind"] === "type";
  return node.type === "TSInterfaceDeclaration" || node.type === "TSTypeAliasDeclaration";
}
