import type { PlanItem } from "./plan.ts";

type Ordered = Pick<PlanItem, "item_id" | "prerequisites">;

/**
 * The order of work: an item comes after its prerequisites, and of the free ones the first in the table is next.
 * Prerequisites that are not among the items count as done, so a selection of items can be ordered too. The parser
 * refuses cycles; one that comes here is our bug.
 */
export function orderItems<T extends Ordered>(items: readonly T[]): T[] {
  const left = new Set(items);
  const waiting = new Set(items.map((item) => item.item_id));
  const ordered: T[] = [];
  while (left.size > 0) {
    const next = [...left].find((item) => !item.prerequisites.some((id) => waiting.has(id)));
    if (next === undefined) {
      throw new Error(`items wait for each other: ${[...waiting].join(", ")}`);
    }
    left.delete(next);
    waiting.delete(next.item_id);
    ordered.push(next);
  }
  return ordered;
}

/**
 * Finds circles of prerequisites, each as the ids along it, beginning with the one that stands first in the table.
 * Of circles that share items one is found: mending it shows the next.
 */
export function findCycles(items: readonly Ordered[]): string[][] {
  const prerequisites = new Map(items.map((item) => [item.item_id, item.prerequisites]));
  const finished = new Set<string>();
  const inCycle = new Set<string>();
  const trail: string[] = [];
  const onTrail = new Set<string>();
  const cycles: string[][] = [];
  // The recursion is as deep as the longest chain, at most the 500 items of a plan.
  const visit = (id: string): void => {
    trail.push(id);
    onTrail.add(id);
    for (const next of prerequisites.get(id) ?? []) {
      if (onTrail.has(next) && !inCycle.has(next) && !inCycle.has(id)) {
        const cycle = trail.slice(trail.indexOf(next));
        cycle.forEach((member) => inCycle.add(member));
        cycles.push(cycle);
      } else if (!onTrail.has(next) && !finished.has(next) && prerequisites.has(next)) {
        visit(next);
      }
    }
    trail.pop();
    onTrail.delete(id);
    finished.add(id);
  };
  const table = [...prerequisites.keys()];
  table.filter((id) => !finished.has(id)).forEach((id) => finished.has(id) || visit(id));
  return cycles.map((cycle) => startAtFirst(cycle, table));
}

function startAtFirst(cycle: readonly string[], table: readonly string[]): string[] {
  const members = new Set(cycle);
  const first = cycle.indexOf(table.find((id) => members.has(id)) ?? "");
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}
