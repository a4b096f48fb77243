import { describe, expect, it } from "vitest";
import type { TreeChange } from "../../src/domain/candidate.ts";
import {
  countSwitchedOff,
  describeSurface,
  findingsOfSurface,
  findSurface,
  type SurfaceFacts,
} from "../../src/domain/verification-surface.ts";

const OID = "a".repeat(40);

function change(path: string, status: TreeChange["status"] = "modified"): TreeChange {
  const modes = { old_mode: "100644", new_mode: status === "deleted" ? "000000" : "100644" };
  return { path, status, ...modes, old_oid: OID, new_oid: OID, added_lines: 1, deleted_lines: 0, new_bytes: 1 };
}

describe("what a candidate changed of its own verification", () => {
  const isSurface = (each: TreeChange, command = "npm test", globs: string[] = []): boolean =>
    findSurface([each], [command], globs).paths.length === 1;

  it.each([
    ["package.json", true],
    ["packages/a/package.json", true],
    ["Makefile", true],
    ["tsconfig.build.json", true],
    ["vitest.config.ts", true],
    ["src/conftest.py", true],
    [".mocharc.yml", true],
    ["src/a.test.ts", true],
    ["tests/data.json", true],
    ["pkg/parse_test.go", true],
    ["src/__snapshots__/a.snap", true],
    ["src/a.ts", false],
    ["README.md", false],
    ["src/latest.ts", false],
    ["src/package.json.ts", false],
  ])("%s: %s", (path, expected) => {
    expect(isSurface(change(path))).toBe(expected);
  });

  it.each([
    ["bash ./tools/check.sh --all", true],
    ["bash 'tools/check.sh'", true],
    ["CHECK=tools/check.sh; bash $CHECK", true],
    ["(cd .; tools/check.sh)|cat", true],
    ["bash tools/check.sh.old", false],
    ["bash other/tools/check.sh", false],
  ])("a script that a command names: %s", (command, expected) => {
    expect(isSurface(change("tools/check.sh"), command)).toBe(expected);
  });

  it("what validation.test-paths says is a test is one", () => {
    expect(isSurface(change("checks/a.txt"))).toBe(false);
    expect(isSurface(change("checks/a.txt"), "npm test", ["checks/**"])).toBe(true);
  });

  it("new tests and new scripts stay, new configuration does not", () => {
    expect(isSurface(change("tests/new.test.ts", "added"))).toBe(false);
    expect(isSurface(change("tools/check.sh", "added"), "bash tools/check.sh")).toBe(false);
    expect(isSurface(change("jest.config.js", "added"))).toBe(true);
    expect(isSurface(change("Makefile", "added"), "make -f Makefile")).toBe(false);
  });

  it("tests that are gone and tests that changed are told apart", () => {
    const changes = [
      change("tests/a.test.ts", "deleted"),
      change("tests/b.test.ts"),
      change("tests/c.test.ts", "added"),
    ];
    expect(findSurface(changes, [], [])).toEqual({
      paths: ["tests/a.test.ts", "tests/b.test.ts"],
      deletedTests: ["tests/a.test.ts"],
      changedTests: ["tests/b.test.ts", "tests/c.test.ts"],
    });
  });
});

describe("tests that are switched off", () => {
  it.each([
    ["it.skip('a'); test . only('b'); describe.todo('c')", 3],
    ["xit('a'); xdescribe ('b'); fit('c')", 3],
    ["@pytest.mark.skip\n@pytest.mark.xfail(reason='x')\n@unittest.skipIf(True)\npytest.skip('x')", 4],
    ["t.Skip(); t.Skipf('x'); #[ignore]\n@Disabled\n@Ignore", 5],
    ["it('a'); exit(1); await profit(2); list.skip(3); testing.only; skipped()", 0],
  ])("%j: %i", (text, expected) => {
    expect(countSwitchedOff(text)).toBe(expected);
  });
});

describe("what is said of it", () => {
  const facts = (input: Partial<SurfaceFacts> = {}): SurfaceFacts => ({
    paths: ["test.sh"],
    deleted_tests: [],
    switched_off: [],
    prepare_ending: null,
    commands: [{ command: "bash test.sh", ending: { kind: "exited", exit_code: 0 }, log: "log" }],
    ...input,
  });
  const failed = [{ command: "bash test.sh", ending: { kind: "exited" as const, exit_code: 3 }, log: "log" }];

  it("nothing when the base's checks pass too", () => {
    expect(findingsOfSurface(facts())).toEqual([]);
    expect(describeSurface(facts())).toEqual(["changed: test.sh"]);
    expect(describeSurface(null)).toEqual([]);
  });

  it("a finding that never blocks when they fail, with the command and its ending", () => {
    expect(findingsOfSurface(facts({ commands: failed }))).toMatchObject([
      {
        check: "verification_surface",
        severity: "medium",
        is_blocking: false,
        evidence: ["bash test.sh: exit code 3"],
      },
    ]);
  });

  it("another for tests that are gone or off", () => {
    const fewer = facts({ deleted_tests: ["a"], switched_off: [{ path: "b", before: 1, after: 2 }] });
    expect(findingsOfSurface(fewer)).toMatchObject([
      { file_paths: ["a", "b"], evidence: ["a was deleted", "b switches off 2 tests, 1 before"] },
    ]);
  });
});
