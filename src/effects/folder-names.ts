import { readdirSync } from "node:fs";

/** The names in a folder. */
export interface FolderNames {
  readonly files: readonly string[];
  readonly folders: readonly string[];
  /** Names that are no UTF-8: no text names those files, and git finds them all the same. */
  readonly odd: readonly Buffer[];
}

/** Reads the names in a folder; whatever is no folder is a file here, a link too. Throws what the machine says. */
export function readFolderNames(path: string): FolderNames {
  const [files, folders, odd]: [string[], string[], Buffer[]] = [[], [], []];
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: "buffer" })) {
    const bytes = Buffer.from(entry.name);
    const name = bytes.toString("utf8");
    if (!Buffer.from(name).equals(bytes)) odd.push(bytes);
    else if (entry.isDirectory()) folders.push(name);
    else files.push(name);
  }
  return { files, folders, odd };
}

const OWNER_MAY_LOOK = 0o500;

/**
 * True for a folder that its owner may not list and enter. It is the mode that says so: whoever may read everything would
 * not notice, and what lies there can be used by name all the same.
 */
export function isLocked({ mode }: { readonly mode: number }): boolean {
  return (mode & OWNER_MAY_LOOK) !== OWNER_MAY_LOOK;
}

/** A name as a message shows it: what is no text as `\xNN`. */
export function showName(name: Buffer): string {
  return [...name]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
    )
    .join("");
}
