import { buildPathMatcher } from "./globs.ts";
import { dropHiddenText } from "./hidden-text.ts";
import { isInside } from "./paths.ts";
import { showText } from "./visible-text.ts";

/** Files in which repositories tell coding agents how to work. All of them are protected: no item changes one. */
const INSTRUCTION_FILES = [
  "**/AGENTS*.md",
  "**/CLAUDE*.md",
  "**/.claude/**/*.md",
  "**/.codex/**/*.md",
  ".github/copilot-instructions.md",
];

/** What a prompt may hold of them, in characters, and how many it names. */
export const INSTRUCTION_LIMITS = { named: 50, given: 8, fileLength: 16_384, totalLength: 49_152 } as const;

/** Instruction files of the base commit: all that are there by name, and the text of those that concern the item. */
export interface InstructionFiles {
  readonly named: readonly string[];
  /** Files that are there and not named, because there are too many. */
  readonly unnamed: number;
  readonly given: readonly { readonly path: string; readonly text: string; readonly isCut: boolean }[];
}

/**
 * Chooses the files whose text an item's session is given: those that stand in the root or in a folder on the way to a
 * write root, nearest to the root first.
 */
export function chooseInstructionFiles(
  trackedPaths: readonly string[],
  writeRoots: readonly string[],
): { readonly found: readonly string[]; readonly wanted: readonly string[] } {
  const matches = buildPathMatcher(INSTRUCTION_FILES);
  const found = trackedPaths.filter(matches).sort((left, right) => depth(left) - depth(right) || compare(left, right));
  const wanted = found.filter((path) => {
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
    // A folder of settings speaks for the folder that it stands in.
    const concerned = folder.replace(/(^|\/)\.(claude|codex|github)(\/.*)?$/i, "") || ".";
    return writeRoots.some((root) => isInside(concerned, root));
  });
  return { found, wanted: wanted.slice(0, INSTRUCTION_LIMITS.given) };
}

/** What a prompt says of the files: bounded, and without what a reader of them could not see. */
export function tellInstructions(
  found: readonly string[],
  texts: readonly { readonly path: string; readonly text: string }[],
): InstructionFiles {
  const { named, fileLength, totalLength } = INSTRUCTION_LIMITS;
  let left: number = totalLength;
  const given = texts.map(({ path, text }) => {
    const seen = dropHiddenText(text);
    const room = Math.min(fileLength, left);
    left -= Math.min(room, seen.length);
    return { path: showText(path), text: seen.slice(0, room).toWellFormed(), isCut: seen.length > room };
  });
  return { named: found.slice(0, named).map(showText), unnamed: Math.max(0, found.length - named), given };
}

function depth(path: string): number {
  return path.split("/").length;
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
