import { resolve } from "node:path";
import { openWorkplace, world } from "../../compose.ts";
import { orderItems } from "../../domain/plan-order.ts";
import { parsePlan } from "../../domain/parse-plan.ts";
import type { Plan } from "../../domain/plan.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { renderItem, renderItemsTable } from "../../render/items-text.ts";
import { printProblems, refuse } from "../answer.ts";
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
  const bytes = world.readLocalFile(resolve(io.cwd, path));
  if (bytes === undefined) return refuse(io, "USAGE", `cannot read ${path}`);
  const opened = await openWorkplace(io.cwd, io.env);
  const inside = opened.ok ? world.toRepositoryPath(opened.value.places.root, io.cwd, path) : undefined;
  const { plan, problems } = parsePlan({ path: inside ?? path, bytes });
  printProblems(io, problems);
  return plan ?? EXIT.usage;
}
