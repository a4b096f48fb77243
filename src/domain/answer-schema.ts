import { z } from "zod";
import { auditReportSchema, type AuditAssignment } from "./audit-report.ts";
import { PAYLOAD_STATUSES } from "./executor-outcome.ts";
import { triageReportSchema, type TriageAssignment } from "./triage.ts";

/** A JSON Schema of the answer that a coding agent has to give. */
export type AnswerSchema = Readonly<Record<string, unknown>>;

/** What an agent may say of its session: a payload that has every key, because the agents' schemas have no others. */
const sessionAnswer = z.object({ status: z.enum(PAYLOAD_STATUSES), summary: z.string(), reason: z.string() });

/** The answer of an executor. */
export function sessionAnswerSchema(): AnswerSchema {
  return simplify(z.toJSONSchema(sessionAnswer), {});
}

/** The answer of an audit lane; what it has to repeat can be nothing else. */
export function auditAnswerSchema({ lane, item_id, attempt, packet_sha256, nonce }: AuditAssignment): AnswerSchema {
  return simplify(z.toJSONSchema(auditReportSchema), { lane, item_id, attempt, packet_sha256, nonce });
}

/** The answer of a triage program. */
export function triageAnswerSchema({ item_id, attempt, findings_sha256, nonce }: TriageAssignment): AnswerSchema {
  return simplify(z.toJSONSchema(triageReportSchema), { item_id, attempt, findings_sha256, nonce });
}

/**
 * The part of JSON Schema that all models' services take: closed objects, every key required, no bounds of length or
 * number, no references. Bounds are checked when the answer is parsed.
 */
function simplify(schema: object, given: Readonly<Record<string, string | number>>): AnswerSchema {
  const root: Record<string, unknown> = { ...schema };
  const definitions = objectOf(root["$defs"]);
  const walk = (node: unknown): AnswerSchema => {
    const from = objectOf(node);
    const reference = from["$ref"];
    if (typeof reference === "string") return walk(definitions[reference.replace("#/$defs/", "")]);
    if ("const" in from) return { type: typeof from["const"], enum: [from["const"]] };
    if (from["type"] === "array") return { type: "array", items: walk(from["items"]) };
    if (from["type"] !== "object") {
      return { type: from["type"], ...("enum" in from ? { enum: from["enum"] } : {}) };
    }
    const properties = Object.entries(objectOf(from["properties"])).map(([key, value]) => [key, walk(value)] as const);
    return {
      type: "object",
      properties: Object.fromEntries(properties),
      required: properties.map(([key]) => key),
      additionalProperties: false,
    };
  };
  const simple = walk(root);
  const repeated = Object.entries(given).map(([key, value]) => [
    key,
    { type: typeof value === "number" ? "integer" : "string", enum: [value] },
  ]);
  return { ...simple, properties: { ...objectOf(simple["properties"]), ...Object.fromEntries(repeated) } };
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
