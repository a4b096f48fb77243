import { classifyRisk } from "../../domain/risk.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { renderPlan } from "../../render/plan-text.ts";
import { printProblems } from "../answer.ts";
import type { Format, Io } from "../io.ts";
import { readCheckoutPlan } from "../checkout-plan.ts";

/** `conveyor plans show PLAN`: the plan as the kernel sees it, with its form and its risk. Nothing is run. */
export async function showPlan(io: Io, planPath: string, options: { format: Format }): Promise<number> {
  const read = await readCheckoutPlan(io, planPath);
  if (typeof read === "number") return read;
  const { plan, form, problems, config } = read;
  printProblems(io, problems);
  if (plan === undefined) return EXIT.usage;
  const risk = classifyRisk({ plan, config });
  const facts = { plan, form, risk };
  io.out(options.format === "json" ? `${JSON.stringify(facts, null, 2)}\n` : renderPlan(facts));
  return EXIT.done;
}
