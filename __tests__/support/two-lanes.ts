import { TestRepository, type RepositoryInput } from "./conveyor.ts";

/** Bash that passes whatever it is shown, as both audit lanes of a run whose subject is something else. */
const PASS = `printf '{"schema_version":"conveyor.audit_report.v1","lane":"%s","item_id":"%s","attempt":%s,"packet_sha256":"%s","nonce":"%s","verdict":"pass","summary":"Looked at it.","limitations":[],"findings":[]}' "$ORCH_LANE" "$ORCH_ITEM_ID" "$ORCH_ATTEMPT" "$ORCH_PACKET_SHA256" "$ORCH_NONCE" > "$ORCH_RESULT_PATH"\n`;

/** A repository whose two audit lanes pass everything. */
export function makeAudited(input: RepositoryInput = {}): TestRepository {
  const lanes = ["careful", "quick"].map((name) => `{name: ${name}, use: command, command: [bash, tools/pass.sh]}`);
  return new TestRepository({
    ...input,
    files: { ...input.files, "tools/pass.sh": PASS },
    configLines: [...(input.configLines ?? []), `audits: {lanes: [${lanes.join(", ")}]}`],
  });
}
