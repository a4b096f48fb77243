import { describe, expect, it } from "vitest";
import { auditAnswerSchema, sessionAnswerSchema, triageAnswerSchema } from "../../src/domain/answer-schema.ts";

const AUDIT = { lane: "left", item_id: "01", attempt: 2, packet_sha256: "ab", nonce: "cd" };
const TRIAGE = { item_id: "01", attempt: 2, findings_sha256: "ab", nonce: "cd" };

/** Every schema within a schema. */
function* nodesOf(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return;
  if ("type" in value && typeof value.type === "string") yield { ...value };
  for (const child of Object.values(value)) yield* nodesOf(child);
}

describe("the schema that an agent has to answer by", () => {
  const all = { session: sessionAnswerSchema(), audit: auditAnswerSchema(AUDIT), triage: triageAnswerSchema(TRIAGE) };

  it.each(Object.entries(all))("of %s has nothing that a service would not take", (_, schema) => {
    for (const node of nodesOf(schema)) {
      expect(["type", "enum", "properties", "required", "additionalProperties", "items"]).toEqual(
        expect.arrayContaining(Object.keys(node)),
      );
      if (node["type"] !== "object") continue;
      expect(node["additionalProperties"]).toBe(false);
      expect(node["required"]).toEqual(Object.keys(node["properties"] as object));
    }
    expect(JSON.stringify(schema)).not.toContain("$ref");
  });

  it("lets what must be repeated be nothing else", () => {
    expect(all.audit["properties"]).toMatchObject({
      schema_version: { type: "string", enum: ["conveyor.audit_report.v1"] },
      lane: { type: "string", enum: ["left"] },
      item_id: { type: "string", enum: ["01"] },
      attempt: { type: "integer", enum: [2] },
      packet_sha256: { type: "string", enum: ["ab"] },
      nonce: { type: "string", enum: ["cd"] },
      verdict: { type: "string", enum: ["pass", "issues_found", "blocked", "inconclusive"] },
    });
    expect(all.triage["properties"]).toMatchObject({
      findings_sha256: { type: "string", enum: ["ab"] },
      nonce: { type: "string", enum: ["cd"] },
    });
  });

  it("has the whole of a finding and of a disposition", () => {
    const { findings } = all.audit["properties"] as { findings: { items: { required: string[]; properties: object } } };
    expect(findings.items.required).toContain("is_blocking");
    expect(findings.items.properties).toMatchObject({ file_paths: { type: "array", items: { type: "string" } } });
    const { dispositions } = all.triage["properties"] as { dispositions: { items: { required: string[] } } };
    expect(dispositions.items.required).toEqual(["finding_id", "disposition", "reason"]);
  });

  it("of a session asks for a status, a summary and a reason", () => {
    expect(all.session["required"]).toEqual(["status", "summary", "reason"]);
  });
});
