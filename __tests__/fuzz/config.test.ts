import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configSchema, parseConfig } from "../../src/domain/config.ts";
import { PLAN_PATH, ROOT, TestRepository } from "../support/conveyor.ts";
import { expectUnpolluted, withinTime } from "../support/measured.ts";
import { FUZZ, hostileFiles, mutated } from "../support/mutations.ts";

const SEEDS = readExamples();

/** The examples of the documentation: whole configurations. */
function readExamples(): string[] {
  const text = readFileSync(join(ROOT, "docs", "configuration.md"), "utf8");
  const examples = [...text.matchAll(/```yaml\n(version: 1\n[\s\S]*?)```/g)].map(([, example]) => example ?? "");
  if (examples.length === 0) throw new Error("the documentation has no whole configuration");
  return [...examples, "version: 1\n", "version: 1\nlimits: &a {fix-rounds: 1}\npolicy: {protected-paths: [a, b]}\n"];
}

test("a configuration with any faults is read in time, and each fault is located", () => {
  let refused = 0;
  fc.assert(
    fc.property(mutated(SEEDS), (bytes) => {
      const text = bytes.toString("utf8");
      const { config, problems } = withinTime(() => parseConfig("conveyor.yml", text));
      expect(config === undefined).toBe(problems.length > 0);
      if (config !== undefined) expect(configSchema.safeParse(config).success).toBe(true);
      const lines = text.split("\n");
      for (const { line, column, code, message } of problems) {
        expect(code).toMatch(/^CONFIG_(YAML|INVALID|UNKNOWN_KEY)$/);
        expect(message).not.toBe("");
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines.length + 1);
        expect(column).toBeGreaterThanOrEqual(1);
      }
      if (problems.length > 0) refused += 1;
      expectUnpolluted();
    }),
    FUZZ,
  );
  expect(refused).toBeGreaterThan(FUZZ.numRuns / 4);
  expect(refused).toBeLessThan(FUZZ.numRuns);
});

describe("a hostile configuration in a repository", () => {
  const bombs = {
    "a bomb of aliases": Buffer.from(
      `version: 1\na: &a [x, x, x]\n${"bcdefgh"
        .split("")
        .map((name, index) => `${name}: &${name} [${`*${"abcdefg"[index]},`.repeat(9)}]`)
        .join("\n")}\n`,
    ),
    "a key twice": Buffer.from("version: 1\nversion: 1\n"),
    "a custom tag": Buffer.from("version: !!js/function 'x'\n"),
    "deep nesting": Buffer.from(`version: 1\nlimits: ${"[".repeat(5_000)}\n`),
    "deep indentation": Buffer.from(
      `version: 1\n${Array.from({ length: 400 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")}\n`,
    ),
  };
  const files = { ...hostileFiles("version: 1\n", "# "), ...bombs };
  const repository = new TestRepository();

  test.each(Object.entries(files))(
    "is refused with its place, or read, and nothing is started: %s",
    async (_, bytes) => {
      const path = ".github/conveyor.yml";
      repository.write({ [path]: "" });
      writeFileSync(join(repository.path, path), bytes);
      repository.commit("hostile");
      const { config } = parseConfig(path, bytes.toString("utf8"));
      const ended = await repository.conveyor(["run", PLAN_PATH]);
      expect(ended.code, ended.stderr).toBe(2);
      // A configuration that can be read names no executor here, and that is what is said of it.
      expect(ended.stderr).toMatch(config === undefined ? /conveyor\.yml:\d+:\d+ CONFIG_/ : /EXECUTOR_NOT_CONFIGURED/);
      expect(ended.stderr).not.toMatch(/\n\s+at /);
      expect(repository.runFolders()).toEqual([]);
    },
  );
});
