import { resolve } from "node:path";
import { world } from "../../compose/world.ts";
import { buildCase } from "../../domain/approval-case.ts";
import { parseApprovalFacts } from "../../domain/approval-facts.ts";
import { listGestures } from "../../domain/approval-gestures.ts";
import { decideApproval } from "../../domain/approvals.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { showText } from "../../domain/visible-text.ts";
import { buildApprovalExplanation, renderApproval } from "../../render/approval-text.ts";
import { refuse } from "../answer.ts";
import type { Format, Io } from "../io.ts";

/** `conveyor approvals explain FACTS`: the records that count, or every rule that refuses; exit 3 when not approved. */
export async function explainApprovals(io: Io, path: string, options: { format: Format }): Promise<number> {
  const bytes = world.readLocalFile(resolve(io.cwd, path));
  if (bytes === undefined) return refuse(io, "USAGE", `cannot read ${path}; expected a file of approval facts`);
  const facts = parseApprovalFacts(new TextDecoder().decode(bytes));
  if (!facts.ok) {
    for (const problem of facts.error) io.note(showText(`${path}: ${problem}`));
    return refuse(io, "USAGE", `${path} holds no approval facts; expected what approval-facts.schema.json describes`);
  }
  const asked = buildCase(facts.value);
  const decision = decideApproval(asked, listGestures(asked));
  io.out(
    options.format === "json"
      ? `${JSON.stringify(buildApprovalExplanation(decision), null, 2)}\n`
      : renderApproval(decision),
  );
  return decision.reasonCode === null ? EXIT.done : EXIT.blocked;
}
