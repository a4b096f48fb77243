import { foldersAbove } from "./paths.ts";
import type { Placed } from "./plan-cells.ts";
import type { ReportProblem } from "./plan-problems.ts";
import { quoteText } from "./visible-text.ts";

/** What an item reads and makes, with the places to report. */
export interface ItemPaths {
  readonly id: string;
  readonly prerequisites: readonly string[];
  readonly deliverables: readonly string[];
  /** Surfaces and consult paths. */
  readonly reads: readonly Placed[];
}

/**
 * Checks that what an item reads will be there: tracked at the base commit, or a deliverable of an item that comes
 * before it. A folder is there when a file beneath it is. A file in a delivered folder does not count, because
 * nothing promises that file. An item that comes after a row that could not be read is left alone: that row may
 * deliver what is missed.
 *
 * Codes: PLAN_PATH_UNTRACKED.
 */
export function checkReads(
  items: readonly ItemPaths[],
  trackedFiles: ReadonlySet<string>,
  report: ReportProblem,
): void {
  const folders = buildFolders(trackedFiles);
  const isTracked = (path: string): boolean => path === "." || trackedFiles.has(path) || folders.has(path);
  const deliverers = indexDeliverables(items);
  const positions = new Map(items.map((item, position) => [item.id, position]));
  const unread = items.length;
  const edges = items.map((item) => item.prerequisites.map((id) => positions.get(id) ?? unread));
  const comesAfter = closeEdges(edges);
  for (const [position, item] of items.entries()) {
    const isDelivered = (path: string): boolean =>
      (deliverers.get(path) ?? []).some((deliverer) => comesAfter(position, deliverer));
    const isThere = (path: string): boolean => isTracked(path) || comesAfter(position, unread) || isDelivered(path);
    for (const { value, at } of item.reads.filter((path) => !isThere(path.value))) {
      report("PLAN_PATH_UNTRACKED", at, {
        expected: "a path that is tracked at the base commit, or a deliverable of a prerequisite",
        found: `${quoteText(value)}, which is neither`,
        example: "name the item that delivers it in `prerequisites`",
      });
    }
  }
}

/** Folders by the set of files they were made of: all plans of a repository are checked against the same one. */
const foldersOf = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();

/** All folders of the tracked files. A folder that is known brings nothing new above it. */
function buildFolders(trackedFiles: ReadonlySet<string>): ReadonlySet<string> {
  const known = foldersOf.get(trackedFiles);
  if (known !== undefined) return known;
  const folders = new Set<string>();
  foldersOf.set(trackedFiles, folders);
  for (const file of trackedFiles) {
    for (let end = file.lastIndexOf("/"); end > 0; end = file.lastIndexOf("/", end - 1)) {
      const folder = file.slice(0, end);
      if (folders.has(folder)) {
        break;
      }
      folders.add(folder);
    }
  }
  return folders;
}

/** Who delivers a path, or something beneath it. */
function indexDeliverables(items: readonly ItemPaths[]): Map<string, number[]> {
  const deliverers = new Map<string, number[]>();
  for (const [position, item] of items.entries()) {
    for (const path of new Set(
      item.deliverables.flatMap((deliverable) => [deliverable, ...foldersAbove(deliverable)]),
    )) {
      const known = deliverers.get(path);
      if (known === undefined) {
        deliverers.set(path, [position]);
      } else {
        known.push(position);
      }
    }
  }
  return deliverers;
}

/**
 * All direct and indirect prerequisites, one bit each (Warshall). Walking along the edges for each item would take
 * seconds for 500 items that depend on each other densely.
 */
function closeEdges(edges: readonly (readonly number[])[]): (from: number, to: number) => boolean {
  const words = Math.ceil((edges.length + 1) / 32);
  const rows = edges.map((targets) => {
    const row = new Uint32Array(words);
    for (const target of targets) {
      row[target >>> 5] = (row[target >>> 5] ?? 0) | (1 << (target & 31));
    }
    return row;
  });
  const has = (row: Uint32Array | undefined, at: number): boolean => ((row?.[at >>> 5] ?? 0) & (1 << (at & 31))) !== 0;
  for (const [through, further] of rows.entries()) {
    for (const row of rows.filter((candidate) => has(candidate, through))) {
      for (let word = 0; word < words; word += 1) {
        row[word] = (row[word] ?? 0) | (further[word] ?? 0);
      }
    }
  }
  return (from, to) => has(rows[from], to);
}
