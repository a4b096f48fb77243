import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findDrift, PUBLISHED_SCHEMAS, renderSchema } from "../schemas/generate.ts";

const ROOT = join(import.meta.dirname, "..");
const SCHEMAS = join(ROOT, "schemas");

describe("the committed schemas", () => {
  it("are exactly what the domain says", () => {
    expect(PUBLISHED_SCHEMAS.length).toBeGreaterThan(0);
    expect(findDrift(SCHEMAS, PUBLISHED_SCHEMAS)).toEqual([]);
  });

  it.each(PUBLISHED_SCHEMAS)("$name has an id, a title and a closed object", (published) => {
    const schema: unknown = JSON.parse(renderSchema(published));
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: `urn:plan-conveyor:schema:${published.name}:v${published.version}`,
      title: published.title,
    });
    expect(renderSchema(published)).toMatch(/\n$/);
    expect(renderSchema(published)).toBe(renderSchema(published));
  });

  it("have names and ids that no two share", () => {
    const names = PUBLISHED_SCHEMAS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("the generator, run on a copy of the sources", () => {
  let copy: string;
  const generate = (...args: string[]) =>
    spawnSync(process.execPath, ["schemas/generate.ts", ...args], { cwd: copy, encoding: "utf8" });

  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), "conveyor-schemas-"));
    cpSync(SCHEMAS, join(copy, "schemas"), { recursive: true });
    cpSync(join(ROOT, "src/domain"), join(copy, "src/domain"), { recursive: true });
    cpSync(join(ROOT, "package.json"), join(copy, "package.json"));
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  });
  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  it("finds nothing to say about sources that were not touched", () => {
    expect(generate("--check")).toMatchObject({ status: 0, stderr: "" });
  });

  it("names the file when a zod schema has changed, and only regenerating settles it", () => {
    const plan = join(copy, "src/domain/plan.ts");
    const before = readFileSync(plan, "utf8");
    const after = before.replace("title: z.string(),", "title: z.string().max(80),");
    expect(after).not.toBe(before);
    writeFileSync(plan, after);

    const checked = generate("--check");
    expect(checked.status).toBe(1);
    expect(checked.stderr).toContain("schemas/normalized-plan.schema.json is not what src/domain says");

    execFileSync(process.execPath, ["schemas/generate.ts"], { cwd: copy });
    expect(generate("--check").status).toBe(0);
    expect(readFileSync(join(copy, "schemas/normalized-plan.schema.json"), "utf8")).toContain('"maxLength": 80');
  });

  it("names a file that was edited by hand, one that is missing and one that belongs to no shape", () => {
    appendFileSync(join(copy, "schemas/normalized-plan.schema.json"), "\n");
    writeFileSync(join(copy, "schemas/forgotten.schema.json"), "{}\n");
    expect(generate("--check").stderr.trim().split("\n")).toHaveLength(2);

    rmSync(join(copy, "schemas/normalized-plan.schema.json"));
    expect(generate("--check").stderr).toContain("schemas/normalized-plan.schema.json");

    generate();
    expect(readdirSync(join(copy, "schemas")).toSorted()).toEqual(readdirSync(SCHEMAS).toSorted());
  });
});
