import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TreeChange } from "../../src/domain/candidate.ts";
import { defaultConfig } from "../../src/domain/config.ts";
import { judgeScope, type ScopeRules } from "../../src/domain/scope.ts";

const OID = "a".repeat(40);
const NOTHING = "0".repeat(40);

function change(path: string, input: Partial<TreeChange> = {}): TreeChange {
  return {
    path,
    status: "added",
    old_mode: "000000",
    new_mode: "100644",
    old_oid: NOTHING,
    new_oid: OID,
    added_lines: 1,
    deleted_lines: 0,
    new_bytes: 10,
    ...input,
  };
}

function rules(input: { roots?: string[]; protectedPaths?: string[]; tracked?: string[] } = {}): ScopeRules {
  const config = defaultConfig();
  return {
    item: { write_roots: input.roots ?? ["."] },
    planPath: "plans/Ü/plan.md",
    configPath: "ci/conveyor.yml",
    config: { ...config, policy: { ...config.policy, "protected-paths": input.protectedPaths ?? [] } },
    tier: "low",
    protectedException: [],
    trackedPaths: input.tracked ?? [],
  };
}

function codesOf(changes: readonly TreeChange[], input: Parameters<typeof rules>[0] = {}): string[] {
  return judgeScope(changes, rules(input)).map((violation) => violation.code);
}

describe("a path of a harmless name passes", () => {
  it.each([
    "a.ts",
    "src/a b.ts",
    'src/it\'s "quoted".ts',
    "docs/日本語.md",
    "docs/o\u0308.md",
    "-rf",
    "--upload-pack=x",
    "con",
    "aux.txt",
    "a..b",
    "...",
    ".gitignore",
    ".gitkeep",
    ".github.md",
    "git",
    "x.git",
    ".gitx",
    "git~",
    "git~x",
    "gitter~1",
    "githooks/x",
    "hooks/useThing.ts",
    "src/hooks/pre.ts",
    "AGENT.md",
    "src/action.yml",
    "a:b",
    "x".repeat(4096),
    "раypal.ts",
  ])("%s", (path) => {
    expect(codesOf([change(path)])).toEqual([]);
  });
});

const GIT_LIKE = [
  ".git",
  ".GIT",
  ".Git/config",
  "a/.git",
  "a/.giT/hooks/x",
  ".git ",
  ".git.",
  ".git . .",
  ".git...",
  ".git::$INDEX_ALLOCATION",
  ".git:stream",
  "git~1",
  "GIT~1/config",
  "git~2",
  "git~11",
  ".g\u200cit",
  ".gi\u200dt",
  "\u200e.git",
  ".git\ufeff",
  ".\u206agit",
  "x/.g\u202eit/y",
];
const INVISIBLE = [
  "a\nb",
  "a\rb",
  "a\tb",
  "a\u0000b",
  "a\u001b[31mb",
  "a\u007fb",
  "a\u0085b",
  "a\u009bb",
  "a\u2028b",
  "a\u2029b",
  "a\u200bb",
  "a\u200db",
  "a\u200fb",
  "a\u202ab",
  "a\u202eb",
  "a\u2066b",
  "a\u2069b",
  "a\u061cb",
  "a\u00adb",
  "a\u034fb",
  "a\ufeffb",
  "a\u{e0041}b",
  "a\ufe0fb",
];

describe("a name that stands for another or cannot be seen is PATH_UNSAFE", () => {
  it.each([...GIT_LIKE, ...INVISIBLE])("%j", (path) => {
    expect(codesOf([change(path)])).toContain("PATH_UNSAFE");
  });

  it.each([...GIT_LIKE, ...INVISIBLE])("%j, but taking it away is right", (path) => {
    expect(codesOf([change(path, { status: "deleted", new_mode: "000000", new_oid: NOTHING, new_bytes: 0 })])).toEqual(
      [],
    );
  });

  it.each([
    ["bytes that are not UTF-8", change("a\ufffd", { path_hex: "61ff" }), "the name is not UTF-8"],
    ["a submodule", change("lib", { new_mode: "160000" }), "a submodule or nested repository"],
    ["a name that git refuses", change("a", { new_oid: NOTHING }), "git takes no path of this name into a tree"],
    ["a control character", change("a\u0001"), "the name has control characters"],
    ["an invisible character", change("a\u200b"), "the name has invisible characters"],
    ["a .git of another name", change(".giT"), "the name stands for .git on some file system"],
  ])("%s, and it says so", (_what, unsafe, detail) => {
    const [violation, ...others] = judgeScope([unsafe], rules());
    expect(violation).toEqual({ code: "PATH_UNSAFE", path: unsafe.path, detail });
    expect(others).toEqual([]);
  });
});

describe("a symlink", () => {
  const link = (path: string, target: string): TreeChange =>
    change(path, { new_mode: "120000", link_target: target, added_lines: 1 });

  it.each([
    ["a", "b"],
    ["a", "."],
    ["a", "./b/./c"],
    ["a/b", "../c"],
    ["a/b", ".."],
    ["a/b/c", "../../d/e"],
    ["a/b/c", "../.././d"],
    ["a", "b//c/"],
    ["a", "..."],
    ["a", "b..c"],
  ])("%s -> %s stays in the tree", (path, target) => {
    expect(codesOf([link(path, target)])).toEqual([]);
  });

  it.each([
    ["a", "/etc/passwd"],
    ["a", "/"],
    ["a", ".."],
    ["a", "../x"],
    ["a/b", "../../x"],
    ["a/b", "../.././.."],
    ["a/b", "./../../x"],
    ["a", "b/../../x"],
    // The name before the dots may be a symlink itself; then they climb from where that one leads.
    ["a", "b/.."],
    ["a/b", "c/../d"],
    ["a/b/c", "../x/../../y"],
    ["a", "..\\x"],
    ["a", "C:\\x"],
    ["a", "b\u0000"],
    ["a", ".git"],
    ["a", ".git/config"],
    ["a/b", "../.GIT/hooks"],
    ["a", "b/git~1"],
    ["a", ".git./x"],
    ["a", ".g\u200cit"],
  ])("%s -> %j is PATH_UNSAFE", (path, target) => {
    expect(codesOf([link(path, target)])).toEqual(["PATH_UNSAFE"]);
  });

  it("that replaces a file is judged like a new one", () => {
    expect(codesOf([{ ...link("a", "/etc"), status: "type_changed" }])).toEqual(["PATH_UNSAFE"]);
    expect(codesOf([{ ...link("a", "/etc"), status: "modified" }])).toEqual(["PATH_UNSAFE"]);
  });

  it("has a target that can be seen in the message", () => {
    expect(judgeScope([link("a", "/\u001b[2J\u202e")], rules())[0]?.detail).toBe(
      "a symlink that leaves the tree: /\\u{1B}[2J\\u{202E}",
    );
  });

  it("of whatever target that is allowed leads into the tree, wherever other allowed ones lead", () => {
    const name = fc.constantFrom("a", "b", "..", ".", "");
    const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(path, fc.array(name, { minLength: 1, maxLength: 6 })), { minLength: 1, maxLength: 5 }),
        (links) => {
          const allowed = links.filter(([at, target]) => codesOf([link(at.join("/"), target.join("/"))]).length === 0);
          const targets = new Map(allowed.map(([at, target]) => [at.join("/"), target]));
          for (const [at] of allowed) {
            // Git has no path below a symlink, so a link of which a folder above is one cannot be in a tree.
            const above = at.slice(0, -1).map((_name, index) => at.slice(0, index + 1).join("/"));
            if (!above.some((folder) => targets.has(folder))) expect(resolves(at, targets)).toBe(true);
          }
        },
      ),
      { seed: 4, numRuns: 2000 },
    );
  });
});

/** Walks a path as a kernel does, link by link; false when it climbs out of the root. */
function resolves(path: readonly string[], targets: ReadonlyMap<string, readonly string[]>): boolean {
  const todo = [...path];
  let at: string[] = [];
  for (let steps = 0; steps < 200; steps += 1) {
    const name = todo.shift();
    if (name === undefined) return true;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (at.length === 0) return false;
      at = at.slice(0, -1);
      continue;
    }
    const target = targets.get([...at, name].join("/"));
    if (target === undefined) at = [...at, name];
    else todo.unshift(...target);
  }
  // A circle of links: no kernel opens it.
  return true;
}

describe("a protected path is PROTECTED_PATH_CHANGED", () => {
  const floor = [
    ".github/workflows/x.yml",
    ".github",
    ".GitHub/Workflows/x.yml",
    ".github./workflows/x.yml",
    ".github /x",
    "CODEOWNERS",
    "docs/codeowners",
    "action.yml",
    "Action.YAML",
    ".gitattributes",
    "a/b/.gitAttributes",
    ".gitmodules",
    "a/.gitmodules",
    ".npmrc",
    "packages/a/.NPMRC",
    ".npmrc::$DATA",
    ".husky/pre-commit",
    ".hus\u212Ay/pre-commit",
    ".hu\u017Fky/x",
    ".githooks/x",
    "tools/hooks/pre-push",
    "hooks/commit-msg",
    "x/hooks/post-checkout",
    "x/hooks/update",
    "hooks/reference-transaction",
    "AGENTS.md",
    "agents.override.md",
    "src/AGENTS.md",
    "CLAUDE.md",
    "x/claude.local.md",
    ".claude/settings.json",
    "x/.claude/commands/y.md",
    ".codex/config.toml",
    ".mcp.json",
    "a/.MCP.json",
    ".cursor/rules",
    ".gemini/x",
    ".conveyor/runs/x",
    "docs/future/x.md",
    "DOCS/exec-plans/active/x.md",
    "docs/exec-plans/completed/a/b.md",
    "docs/exec-plans/evidence-index/x",
    "plans/Ü/plan.md",
    "plans/ü/PLAN.md",
    "plans/u\u0308/plan.md",
    "ci/conveyor.yml",
    "CI/Conveyor.yml",
  ];
  it.each(floor)("%s", (path) => {
    expect(codesOf([change(path)])).toContain("PROTECTED_PATH_CHANGED");
  });

  it.each(["added", "deleted", "modified", "type_changed"] as const)("when it is %s", (status) => {
    expect(codesOf([change(".github/x", { status })])).toEqual(["PROTECTED_PATH_CHANGED"]);
  });

  it("also when the plan gives the item exactly that path", () => {
    expect(codesOf([change("action.yml")], { roots: ["action.yml"] })).toEqual(["PROTECTED_PATH_CHANGED"]);
  });

  it.each([
    ["deploy/**", "deploy/a/b", true],
    ["deploy/**", "Deploy/a", true],
    ["deploy", "deploy/a", true],
    ["deploy/", "deploy/a", true],
    ["**/*.sql", "x/y/z.SQL", true],
    ["**/*.sql", ".hidden/z.sql", true],
    ["!src/**", "src/a", false],
    ["!src/**", "lib/a", false],
    ["deploy/*.yml", "deploy/a.yaml", false],
    ["deploy", "deployment/a", false],
  ])("configured %s takes %s: %s", (pattern, path, taken) => {
    expect(codesOf([change(path)], { protectedPaths: [pattern] })).toEqual(taken ? ["PROTECTED_PATH_CHANGED"] : []);
  });

  it("configuration takes nothing from the floor", () => {
    expect(codesOf([change(".github/x")], { protectedPaths: ["!.github/**", "!**"] })).toEqual([
      "PROTECTED_PATH_CHANGED",
    ]);
  });

  it.each(["plans [old]", "plans (a)", "./plans", "plans/", "{a,b}", "a*"])(
    "a plan folder called %j is itself and no pattern",
    (folder) => {
      const judged = (path: string): string[] => {
        const all = rules();
        const paths = { ...all.config.paths, active: folder };
        return judgeScope([change(path)], { ...all, config: { ...all.config, paths } }).map(({ code }) => code);
      };
      const place = folder.replace(/^\.\//, "").replace(/\/$/, "");
      expect(judged(`${place}/x.md`)).toEqual(["PROTECTED_PATH_CHANGED"]);
      expect(judged(`other/${place}/x.md`)).toEqual([]);
      expect(judged("ab/x.md")).toEqual([]);
    },
  );
});

describe("the write roots", () => {
  it.each([
    [["src"], "src/a.ts", true],
    [["src"], "src", true],
    [["src/a.ts"], "src/a.ts", true],
    [["docs", "src"], "src/a", true],
    [["."], "anything/at/all", true],
    [["src"], "srcs/a", false],
    [["src"], "Src/a", false],
    [["src/a.ts"], "src/a.tsx", false],
    [["src/a"], "src/b", false],
  ])("%j hold %s: %s", (roots, path, held) => {
    expect(codesOf([change(path)], { roots })).toEqual(held ? [] : ["SCOPE_VIOLATION"]);
  });

  it("hold what is taken away as well, and the message names them", () => {
    const gone = change("lib/x", { status: "deleted", new_oid: NOTHING });
    expect(judgeScope([gone], rules({ roots: ["src", "docs"] }))).toEqual([
      { code: "SCOPE_VIOLATION", path: "lib/x", detail: "outside the write roots src, docs" },
    ]);
  });
});

describe("twins that differ in case alone are PATH_UNSAFE", () => {
  it.each([
    ["a tracked file", ["README.md"], [change("readme.md")]],
    ["a tracked folder", ["Src/a.ts"], [change("src/b.ts")]],
    ["a folder above it", ["A/b/c.ts"], [change("a/b/d/e.ts")]],
    ["each other", [], [change("x.ts"), change("X.ts")]],
    ["each other, in folders", [], [change("lib/a.ts"), change("Lib/b.ts")]],
    ["a file and a folder", ["docs"], [change("Docs/a")]],
    ["forms of one letter", ["\u00fc.md"], [change("u\u0308.md")]],
    ["the Kelvin sign", ["k.md"], [change("\u212a.md")]],
  ])("%s", (_what, tracked, changes) => {
    expect(codesOf(changes, { tracked })).toEqual(["PATH_UNSAFE"]);
  });

  it.each([
    ["the same folder", ["src/a.ts"], [change("src/b.ts")]],
    [
      "a rename in case",
      ["readme.md"],
      [change("readme.md", { status: "deleted", new_oid: NOTHING }), change("README.md")],
    ],
    [
      "a folder that is renamed whole",
      ["Src/a", "Src/b"],
      [
        change("Src/a", { status: "deleted", new_oid: NOTHING }),
        change("Src/b", { status: "deleted", new_oid: NOTHING }),
        change("src/a"),
        change("src/b"),
      ],
    ],
    ["a changed file of a name that has a twin already", ["a", "A"], [change("a", { status: "modified" })]],
  ])("%s is none", (_what, tracked, changes) => {
    expect(codesOf(changes, { tracked })).toEqual([]);
  });

  it("a folder that is renamed in part is one, and the message names the other", () => {
    const changes = [change("Src/a", { status: "deleted", new_oid: NOTHING }), change("src/a")];
    expect(judgeScope(changes, rules({ tracked: ["Src/a", "Src/b"] }))).toEqual([
      { code: "PATH_UNSAFE", path: "src/a", detail: "differs in case alone from Src" },
    ]);
  });
});

describe("the limits of a change", () => {
  const many = (count: number, input: Partial<TreeChange> = {}): TreeChange[] =>
    Array.from({ length: count }, (_unused, index) => change(`f${index}`, input));

  it.each([
    ["800 lines", [change("a", { added_lines: 500, deleted_lines: 300 })]],
    ["100 files", many(100)],
    ["1 MiB", [change("a", { new_bytes: 1_048_576 })]],
  ])("at the edge, %s, it passes", (_what, changes) => {
    expect(codesOf(changes)).toEqual([]);
  });

  it.each([
    ["801 changed lines, the limit is 800", [change("a", { added_lines: 500, deleted_lines: 301 })]],
    ["801 changed lines, the limit is 800", [change("a", { added_lines: 800 }), change("b", { added_lines: 1 })]],
    ["101 changed files, the limit is 100", many(101)],
    ["101 changed files, the limit is 100", many(101, { status: "deleted", new_oid: NOTHING })],
    ["1048577 bytes in changed files, the limit is 1048576", [change("a", { new_bytes: 1_048_577 })]],
  ])("over it is DIFF_LIMIT_EXCEEDED: %s", (detail, changes) => {
    expect(judgeScope(changes, rules())).toEqual([{ code: "DIFF_LIMIT_EXCEEDED", path: ".", detail }]);
  });
});

it("everything wrong is told at once, and no change is no violation", () => {
  expect(judgeScope([], rules())).toEqual([]);
  expect(codesOf([change(".github/\u0001", { added_lines: 900 })], { roots: ["src"] })).toEqual([
    "PATH_UNSAFE",
    "PROTECTED_PATH_CHANGED",
    "SCOPE_VIOLATION",
    "DIFF_LIMIT_EXCEEDED",
  ]);
});
