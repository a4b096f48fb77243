import { judgeSecrets } from "../../domain/secret-findings.ts";
import type { ScopeViolation } from "../../domain/scope.ts";
import type { RunContext } from "../run-context.ts";

/**
 * Looks for secrets in what a change adds, before it is committed, kept or shown to anybody. What the policy of the run
 * allows is no violation. SECRET_IN_DIFF.
 */
export async function scanCandidate({ ports, config }: RunContext, patch: Uint8Array): Promise<ScopeViolation[]> {
  return judgeSecrets(await ports.secrets.scan(patch), config.policy["secret-scan"].allow);
}
