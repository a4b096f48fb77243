/** One line of a hunk. Numbers are those of the file before and after; a line that is in only one of them has one. */
export interface PatchLine {
  /** `note` is git's own remark, for example that no newline ends the file. */
  readonly kind: "context" | "added" | "deleted" | "note";
  readonly old: number | null;
  readonly new: number | null;
  /** Without its mark and its line end. */
  readonly text: string;
}

/** Lines of a file that changed, and those around them. */
export interface PatchHunk {
  /** What git says after the second `@@`: often the function that it is in. */
  readonly heading: string;
  readonly lines: readonly PatchLine[];
}

/** What a patch does to one file. */
export interface PatchFile {
  readonly path: string;
  readonly kind: "added" | "deleted" | "changed";
  /** Remarks of git about mode or binary content, for people. */
  readonly remarks: readonly string[];
  readonly hunks: readonly PatchHunk[];
  readonly added: number;
  readonly deleted: number;
}

/** A patch as far as it was read. */
export interface Patch {
  readonly files: readonly PatchFile[];
  /** True when it holds more lines than were asked for, or ends in the middle of a hunk. */
  readonly isCut: boolean;
}

interface OpenFile {
  path: string;
  kind: PatchFile["kind"];
  remarks: string[];
  hunks: { heading: string; lines: PatchLine[] }[];
  added: number;
  deleted: number;
}

/**
 * Reads a patch that `git diff-tree -p` wrote, at most `linesMax` lines of hunks. How long a hunk is, its own head says:
 * nothing that stands in a changed file is ever taken for the head of another. What cannot be read is left out.
 */
export function parsePatch(text: string, linesMax: number): Patch {
  const lines = text.split("\n");
  const files: OpenFile[] = [];
  let read = 0;
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    at += 1;
    const file = files.at(-1);
    if (line.startsWith("diff --git ")) {
      files.push({ path: pathOfHead(line), kind: "changed", remarks: [], hunks: [], added: 0, deleted: 0 });
      continue;
    }
    if (file === undefined) continue;
    const head = HUNK_HEAD.exec(line);
    if (head === null) {
      readHead(file, line);
      continue;
    }
    const hunk = readHunk(lines, at, head, linesMax - read);
    file.hunks.push({ heading: head[5] ?? "", lines: hunk.lines });
    file.added += hunk.lines.filter(({ kind }) => kind === "added").length;
    file.deleted += hunk.lines.filter(({ kind }) => kind === "deleted").length;
    read += hunk.lines.length;
    at += hunk.lines.length;
    if (hunk.isCut) return { files, isCut: true };
  }
  return { files, isCut: false };
}

const HUNK_HEAD = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)$/;

/** Reads the lines of one hunk; `isCut` when there are fewer than its head promises, or more than are wanted. */
function readHunk(
  lines: readonly string[],
  from: number,
  head: RegExpExecArray,
  linesMax: number,
): { lines: PatchLine[]; isCut: boolean } {
  const found: PatchLine[] = [];
  let [old, oldLeft] = [Number(head[1]), Number(head[2] ?? 1)];
  let [now, nowLeft] = [Number(head[3]), Number(head[4] ?? 1)];
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const mark = line[0];
    const text = line.slice(1);
    if (mark === "\\") {
      found.push({ kind: "note", old: null, new: null, text: text.trim() });
      continue;
    }
    if (oldLeft === 0 && nowLeft === 0) break;
    if (found.length >= linesMax) return { lines: found, isCut: true };
    if (mark === "+" && nowLeft > 0) {
      found.push({ kind: "added", old: null, new: now, text });
    } else if (mark === "-" && oldLeft > 0) {
      found.push({ kind: "deleted", old, new: null, text });
    } else if (mark === " " && oldLeft > 0 && nowLeft > 0) {
      found.push({ kind: "context", old, new: now, text });
    } else return { lines: found, isCut: true };
    if (mark !== "+") [old, oldLeft] = [old + 1, oldLeft - 1];
    if (mark !== "-") [now, nowLeft] = [now + 1, nowLeft - 1];
  }
  return { lines: found, isCut: oldLeft > 0 || nowLeft > 0 };
}

/** Reads a line between the head of a file and its first hunk. */
function readHead(file: OpenFile, line: string): void {
  if (line.startsWith("new file mode ")) {
    file.kind = "added";
    if (!line.endsWith("100644")) file.remarks.push(line);
  } else if (line.startsWith("deleted file mode ")) file.kind = "deleted";
  else if (/^(old|new) mode \d+$/.test(line)) file.remarks.push(line);
  else if (line === "GIT binary patch" || line.startsWith("Binary files ")) file.remarks.push("binary content");
  else if (file.hunks.length > 0) return;
  else if (line.startsWith("--- ") || line.startsWith("+++ ")) file.path = pathOfSide(line.slice(4)) ?? file.path;
}

/** The path of `--- a/path` or `+++ b/path`; nothing for the side on which the file does not exist. */
function pathOfSide(side: string): string | undefined {
  const path = unquote(side.replace(/\t$/, ""));
  return path === "/dev/null" ? undefined : path.slice(2);
}

/** The path of `diff --git a/path b/path`: without renames both are the same, so that the middle is known. */
function pathOfHead(line: string): string {
  const both = line.slice("diff --git ".length);
  const first = both.slice(0, (both.length - 1) / 2);
  return unquote(first).slice(2);
}

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  "\\": 92,
};

/** A name as git quotes it in C's way, with octal numbers of bytes. */
function unquote(name: string): string {
  if (!name.startsWith('"')) return name;
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (const [part] of name.slice(1, -1).matchAll(/\\[0-7]{3}|\\.|[^\\]+/gs)) {
    if (!part.startsWith("\\")) bytes.push(...encoder.encode(part));
    else bytes.push(ESCAPES[part.slice(1)] ?? Number.parseInt(part.slice(1), 8));
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}
