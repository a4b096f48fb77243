import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { GATES_OPEN, makeFolder, TestRepository, type Ended, type Outcome } from "../support/conveyor.ts";
import { EVIDENCE_PATH } from "../support/worlds.ts";

/**
 * Errs once in item 01; in item 02 it leaves things that must not reach anybody; in item 03 it writes to the prepare
 * cache that it finds beside its worktree.
 */
const EXECUTOR = `set -eu
test "$(cat node_modules/tiny/index.mjs)" = "$(tar -xOf vendor/tiny.tgz package/index.mjs)"
case "$ORCH_ITEM_ID" in
01)
  mkdir -p src
  if test "$ORCH_STAGE" = fix; then
    grep -q 'required command failed' "$ORCH_FINDINGS_PATH"
    echo 'import { shout } from "tiny"; export const greet = (name) => shout("hello " + name);' > src/greet.mjs
  else
    echo 'export const greet = (name) => "hello " + name;' > src/greet.mjs
  fi ;;
02)
  echo 'export const shout = () => "POISON";' > node_modules/tiny/index.mjs
  mkdir -p node_modules/planted build out
  echo 'export const planted = true;' > node_modules/planted/index.mjs
  echo planted > build/planted.txt
  echo second > out/second.txt ;;
03)
  cache="$(dirname "$(dirname "$PWD")")/prepare"
  test -d "$cache"
  find "$cache" -name index.mjs -exec sh -c 'echo "export const shout = () => \\"POISON\\";" > "$1"' sh {} \\;
  mkdir -p out
  echo third > out/third.txt ;;
esac
`;

const CHECK = `import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { shout } from "tiny";
import { greet } from "../src/greet.mjs";

assert.equal(shout("a"), "A!");
assert.equal(greet("Ada"), "HELLO ADA!");
assert.equal(existsSync("build"), false, "an ignored file of an executor is here");
assert.equal(existsSync("node_modules/planted"), false, "a package of an executor is here");
`;

let repository: TestRepository;
let ended: Ended & { outcome: Outcome };
let before: Map<string, string>;
let index: Buffer;

beforeAll(async () => {
  const tarball = packTiny();
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  repository = new TestRepository({
    rows: [
      {
        step_id: "01",
        deliverable: "src/greet.mjs",
        allowed_write_roots: "src",
        required_verification_commands: "node tools/check.mjs",
      },
      {
        step_id: "02",
        prerequisites: "01",
        deliverable: "out/second.txt",
        required_verification_commands: "node tools/check.mjs; grep -q second out/second.txt",
      },
      {
        step_id: "03",
        prerequisites: "01-02",
        deliverable: "out/third.txt",
        required_verification_commands: "node tools/check.mjs",
      },
    ],
    executor: EXECUTOR,
    configLines: [
      "prepare: {commands: [[npm, ci, --ignore-scripts, --offline, --no-audit, --no-fund]], inputs: [package.json, package-lock.json]}",
      "validation: {commands: [[node, tools/check.mjs]]}",
    ],
    files: {
      ".gitignore": "node_modules/\nbuild/\n",
      "package.json": JSON.stringify({
        name: "app",
        version: "1.0.0",
        private: true,
        dependencies: { tiny: "file:vendor/tiny.tgz" },
      }),
      "package-lock.json": JSON.stringify({
        name: "app",
        version: "1.0.0",
        lockfileVersion: 3,
        requires: true,
        packages: {
          "": { name: "app", version: "1.0.0", dependencies: { tiny: "file:vendor/tiny.tgz" } },
          "node_modules/tiny": { version: "1.0.0", resolved: "file:vendor/tiny.tgz", integrity },
        },
      }),
      "tools/check.mjs": CHECK,
    },
  });
  mkdirSync(join(repository.path, "vendor"));
  writeFileSync(join(repository.path, "vendor", "tiny.tgz"), tarball);
  repository.commit("the package");
  before = readRefs();
  index = readFileSync(join(repository.path, ".git", "index"));
  ended = await repository.run(GATES_OPEN);
});

describe("a playbook of three items", () => {
  test("ends done, with a fix round for the item that failed its verification once", () => {
    expect(ended.stderr).toContain(
      "01: verification failed: required command failed: node tools/check.mjs: exit code 1",
    );
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.outcome.terminal_state).toBe("done");
    expect(ended.outcome.items.map((item) => [item.id, item.terminal_state, item.attempts])).toEqual([
      ["01", "passed", 1],
      ["02", "passed", 1],
      ["03", "passed", 1],
    ]);
    const sessions = eventsOf("session_started").map(({ item_id: id, details }) => [
      id,
      details["kind"],
      details["round"],
    ]);
    expect(sessions).toEqual([
      ["01", "execute", 1],
      ["01", "fix", 2],
      ["02", "execute", 1],
      ["03", "execute", 1],
    ]);
  });

  test("is agreed with by verify", async () => {
    const verified = await repository.conveyor(["verify"]);
    expect(verified.stdout).toContain("agrees with its journal");
    expect(verified.code).toBe(0);
  });

  test("puts a commit for each item and the closing one on the run branch, with trailers and the verified trees", () => {
    const { branch, run_id: runId, head_sha: head } = ended.outcome;
    const all = repository.git("rev-list", "--reverse", `main..${branch}`).split("\n");
    expect(all).toHaveLength(4);
    expect(all.at(-1)).toBe(head);
    expect(repository.git("diff", "--name-only", `${head}~1`, head)).toBe(EVIDENCE_PATH);
    const commits = all.slice(0, -1);
    const packetOf = (id: string): string =>
      String(eventsOf("packet_frozen").find(({ item_id: of }) => of === id)?.details["packet_sha256"]);
    const closing = repository.git("log", "-1", "--format=%B", head).split("\n");
    expect(closing).toEqual(expect.arrayContaining(["01", "02", "03"].map((id) => `Packet: ${packetOf(id)}`)));
    const passed = new Map(
      eventsOf("verification_finished").map(({ item_id: id, details }) => [id, details["commit"] as string]),
    );
    for (const [at, commit] of commits.entries()) {
      const id = `0${at + 1}`;
      const candidate = eventsOf("candidate_built").find(({ details }) => details["commit"] === passed.get(id));
      expect(repository.git("rev-parse", `${commit}^{tree}`)).toBe(candidate?.details["tree"]);
      expect(repository.git("log", "-1", "--format=%(trailers:only,unfold)", commit).split("\n")).toEqual([
        "Plan: test-plan",
        `Item: ${id}`,
        `Run: ${runId}`,
        `Packet: ${packetOf(id)}`,
      ]);
      expect(repository.git("rev-list", "--parents", "-1", commit).split(" ")).toHaveLength(2);
    }
    expect(
      repository.git("ls-tree", "-r", "--name-only", branch, "out", "src", "build", "node_modules").split("\n"),
    ).toEqual(["out/second.txt", "out/third.txt", "src/greet.mjs"]);
  });

  test("leaves the checkout and every ref but its own two as they were", () => {
    const { branch, run_id: runId, head_sha: head } = ended.outcome;
    const after = readRefs();
    const base = before.get("refs/heads/main");
    expect(Object.fromEntries(after)).toEqual({
      ...Object.fromEntries(before),
      [`refs/conveyor/base/${runId}`]: base,
      [`refs/heads/${branch}`]: head,
    });
    // First the index: `git status` itself may write it.
    expect(readFileSync(join(repository.path, ".git", "index")).equals(index)).toBe(true);
    expect(repository.git("status", "--porcelain", "--branch")).toBe("## main");
    expect(repository.git("ls-files", "--others")).toMatch(/^(\.conveyor\/[^\n]*\n?)+$/);
  });

  test("installs once and hands out copies, until an executor has written to the cache", () => {
    expect(eventsOf("base_prepared").map(({ details }) => details["status"])).toEqual(["ran"]);
    expect(eventsOf("attempt_opened").map(({ details }) => details["prepare_status"])).toEqual([
      "cached",
      "cached",
      "cached",
    ]);
    const installs = repository.report().stage_executions.filter((execution) => execution.purpose === "prepare");
    // Base, and once more after item 03 wrote to the cache; the copy that validation got is that second one.
    expect(installs.map((execution) => [execution.stage, execution.status])).toEqual([
      ["planning", "success"],
      ["execution", "success"],
    ]);
    expect(installs[1]?.idempotency_key).toContain("03");
  });
});

function eventsOf(type: string) {
  return repository.events().filter((event) => event.type === type);
}

function readRefs(): Map<string, string> {
  const lines = repository.git("for-each-ref", "--format=%(refname) %(objectname)").split("\n");
  return new Map(lines.map((line) => [line.split(" ")[0] ?? "", line.split(" ")[1] ?? ""]));
}

/** What `npm pack` would make of a package of one function. */
function packTiny(): Buffer {
  const folder = makeFolder();
  mkdirSync(join(folder, "package"));
  writeFileSync(
    join(folder, "package", "package.json"),
    '{"name": "tiny", "version": "1.0.0", "exports": "./index.mjs"}',
  );
  writeFileSync(join(folder, "package", "index.mjs"), 'export const shout = (text) => text.toUpperCase() + "!";\n');
  execFileSync("tar", ["-czf", "tiny.tgz", "package"], { cwd: folder });
  return readFileSync(join(folder, "tiny.tgz"));
}
