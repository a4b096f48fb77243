import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { approvalFactsSchema } from "../src/domain/approval-facts.ts";
import { auditReportSchema, packetManifestSchema } from "../src/domain/audit-report.ts";
import { checkpointSchema } from "../src/domain/checkpoint.ts";
import { configSchema } from "../src/domain/config.ts";
import { frontMatterSchema } from "../src/domain/front-matter-schema.ts";
import { journalEventSchema } from "../src/domain/journal.ts";
import { leftOutSchema } from "../src/domain/left-out.ts";
import { mergedFindingsSchema } from "../src/domain/merged-findings.ts";
import { planSchema } from "../src/domain/plan.ts";
import { runReportSchema } from "../src/domain/report.ts";
import { rerunReportSchema } from "../src/domain/rerun.ts";
import { triageReportSchema } from "../src/domain/triage.ts";

/** One persisted shape and the file that publishes it. */
export interface PublishedSchema {
  /** File name in this folder without `.schema.json`. */
  readonly name: string;
  readonly title: string;
  /** Major version of the shape, part of its `$id`. */
  readonly version: number;
  readonly schema: z.ZodType;
  /** `output`: as we write it. `input`: as a person may write it, defaults left out. */
  readonly io: "input" | "output";
}

/** Every shape that is published; the next one is added here and nowhere else. */
export const PUBLISHED_SCHEMAS: readonly PublishedSchema[] = [
  { name: "normalized-plan", title: "Normalized plan of Plan Conveyor", version: 1, schema: planSchema, io: "output" },
  {
    name: "plan",
    title: "Front matter of a plan of Plan Conveyor",
    version: 1,
    schema: frontMatterSchema,
    io: "input",
  },
  { name: "config", title: "Configuration of Plan Conveyor", version: 1, schema: configSchema, io: "input" },
  { name: "event", title: "One line of a run's journal", version: 1, schema: journalEventSchema, io: "output" },
  { name: "checkpoint", title: "Checkpoint of a run", version: 1, schema: checkpointSchema, io: "output" },
  { name: "run-report", title: "Report of a run", version: 1, schema: runReportSchema, io: "output" },
  {
    name: "audit-packet",
    title: "Manifest of an audit packet",
    version: 1,
    schema: packetManifestSchema,
    io: "output",
  },
  { name: "audit-report", title: "What an auditor writes", version: 1, schema: auditReportSchema, io: "output" },
  { name: "merged-findings", title: "Findings of a round", version: 1, schema: mergedFindingsSchema, io: "output" },
  {
    name: "triage-report",
    title: "What a triage program writes",
    version: 1,
    schema: triageReportSchema,
    io: "output",
  },
  {
    name: "left-out",
    title: "What a packed run came without for its size",
    version: 1,
    schema: leftOutSchema,
    io: "output",
  },
  {
    name: "rerun",
    title: "What running the checks of a run again came to",
    version: 1,
    schema: rerunReportSchema,
    io: "output",
  },
  {
    name: "approval-facts",
    title: "What decides about the approvals of a pull request",
    version: 1,
    schema: approvalFactsSchema,
    io: "input",
  },
];

const SUFFIX = ".schema.json";

/** Renders the JSON Schema file of one shape; equal shapes give equal bytes. */
export function renderSchema({ name, title, version, schema, io }: PublishedSchema): string {
  const { $schema, ...body } = z.toJSONSchema(schema, { target: "draft-2020-12", io });
  const head = { $schema, $id: `urn:plan-conveyor:schema:${name}:v${version}`, title };
  return `${JSON.stringify({ ...head, ...(sortKeywords(body) as object) }, null, 2)}\n`;
}

/** Names the files in `folder` that are missing, differ from their schema, or belong to none. */
export function findDrift(folder: string, published: readonly PublishedSchema[]): readonly string[] {
  const expected = new Map(published.map((entry) => [entry.name + SUFFIX, renderSchema(entry)]));
  const present = readdirSync(folder).filter((file) => file.endsWith(SUFFIX));
  const unknown = present.filter((file) => !expected.has(file));
  const drifted = [...expected].filter(([file, text]) => !present.includes(file) || read(folder, file) !== text);
  return [...drifted.map(([file]) => file), ...unknown];
}

/** Makes the schema files in `folder` exactly those of `published`. */
export function writeSchemas(folder: string, published: readonly PublishedSchema[]): void {
  for (const file of findDrift(folder, published)) rmSync(join(folder, file), { force: true });
  for (const entry of published) writeFileSync(join(folder, entry.name + SUFFIX), renderSchema(entry));
}

function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), "utf8");
}

/** Sorts JSON Schema keywords, so that a new release of zod cannot shuffle them; names of properties keep their order. */
function sortKeywords(value: unknown, isNames = false): unknown {
  if (Array.isArray(value)) return value.map((member) => sortKeywords(member));
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value);
  if (!isNames) members.sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(
    members.map(([key, member]) => [key, sortKeywords(member, !isNames && (key === "properties" || key === "$defs"))]),
  );
}

if (import.meta.main) {
  if (process.argv.includes("--check")) {
    for (const file of findDrift(import.meta.dirname, PUBLISHED_SCHEMAS)) {
      console.error(`schemas/${file} is not what src/domain says: run  npm run build  and commit the result`);
      process.exitCode = 1;
    }
  } else {
    writeSchemas(import.meta.dirname, PUBLISHED_SCHEMAS);
  }
}
