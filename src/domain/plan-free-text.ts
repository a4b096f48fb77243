import type { Plan, PlanItem } from "./plan.ts";
import { isMetadataTitle, joinLines, parseHeading, type PlanLine } from "./plan-outline.ts";

interface FreeSection {
  readonly title: string;
  /** Id of the item that the text travels with; undefined when it is for everybody. */
  readonly owner: string | undefined;
  readonly level: number;
  readonly lines: PlanLine[];
}

/**
 * Gives the text of a plan without numbered sections away: what stands under a heading that begins with an item's id
 * travels with that item, up to the next heading of the same level or above; the rest is context for everybody. The
 * section `Metadata` has been read and is nobody's.
 */
export function parseFreeText(
  lines: readonly PlanLine[],
  title: string,
  items: readonly PlanItem[],
): Pick<Plan, "shared_sections" | "item_sections"> {
  const ids = new Set(items.map((item) => item.item_id));
  const sections: FreeSection[] = [{ title, owner: undefined, level: 1, lines: [] }];
  let isRead = false;
  for (const line of lines) {
    const current = sections.at(-1);
    const heading = parseHeading(line);
    const owner = heading === undefined ? undefined : findOwner(heading.text, ids);
    if (heading === undefined || current === undefined) {
      if (!isRead) current?.lines.push(line);
      continue;
    }
    const { level, text } = heading;
    if (level <= 2) isRead = level === 2 && isMetadataTitle(text);
    const ends = current.owner === undefined ? level <= 2 : level <= current.level;
    if (owner !== undefined || ends) sections.push({ title: text, owner, level, lines: [] });
    else current.lines.push(line);
  }
  const texts = sections
    .map(({ title: heading, owner, lines: under }) => ({ title: heading, owner, text: joinLines(under) }))
    .filter(({ text }) => text !== "");
  return {
    shared_sections: texts.flatMap(({ title: heading, owner, text }) =>
      owner === undefined ? [{ title: heading, text }] : [],
    ),
    item_sections: texts.flatMap(({ title: heading, owner, text }) =>
      owner === undefined ? [] : [{ item_id: owner, title: heading, text }],
    ),
  };
}

/** The item whose id is the heading's first word, in backticks or not, with or without a mark behind it. */
function findOwner(heading: string, ids: ReadonlySet<string>): string | undefined {
  const [first = ""] = heading.split(/[ \t]/, 1);
  const plain = first.replaceAll("`", "");
  if (ids.has(plain)) return plain;
  const bare = /^(.*?)[:.)–—-]$/.exec(plain)?.[1];
  return bare !== undefined && ids.has(bare) ? bare : undefined;
}
