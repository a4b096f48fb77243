import { orderItems } from "../../domain/plan-order.ts";
import type { Plan } from "../../domain/plan.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { renderItem, renderItemsTable } from "../../render/items-text.ts";
import { printProblems, refuse } from "../answer.ts";
import { readCheckoutPlan } from "../checkout-plan.ts";
import type { Format, Io } from "../io.ts";

/** `conveyor items list PLAN`: items in the order of work. */
export async function listItems(io: Io, planPath: string, options: { format: Format }): Promise<number> {
  const plan = await readPlan(io, planPath);
  if (typeof plan === "number") return plan;
  const items = orderItems(plan.items);
  io.out(options.format === "json" ? `${JSON.stringify(items, null, 2)}\n` : renderItemsTable(items));
  return EXIT.done;
}

/** `conveyor items show PLAN ITEM`: one item with all its fields. */
export async function showItem(io: Io, planPath: string, itemId: string, options: { format: Format }): Promise<number> {
  const plan = await readPlan(io, planPath);
  if (typeof plan === "number") return plan;
  const item = plan.items.find((candidate) => candidate.item_id === itemId);
  if (item === undefined) {
    return refuse(
      io,
      "USAGE",
      `the plan has no item ${itemId}; it has ${plan.items.map((each) => each.item_id).join(", ")}`,
    );
  }
  io.out(options.format === "json" ? `${JSON.stringify(item, null, 2)}\n` : renderItem(item));
  return EXIT.done;
}

async function readPlan(io: Io, path: string): Promise<Plan | number> {
  const read = await readCheckoutPlan(io, path);
  if (typeof read === "number") return read;
  printProblems(io, read.problems);
  return read.plan ?? EXIT.usage;
}
