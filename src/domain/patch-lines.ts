/** What a patch adds to and takes from one file. Text is what the bytes say as UTF-8, without NUL: UTF-16 reads as text. */
export interface PatchedFile {
  readonly path: string;
  /** Lines that are new, each with its number in the new file. */
  readonly added: readonly { readonly line: number; readonly text: string }[];
  /** What stood there before and is gone, as one text. */
  readonly removed: string;
}

/**
 * Reads a patch in git's unified form, as `buildPatch` makes it: whole names, no renames, everything as text. A file that
 * only moved is removed in one place and added in the other.
 */
export function readPatchLines(patch: Uint8Array): PatchedFile[] {
  const files: PatchedFile[] = [];
  let path = "";
  let added: { line: number; text: string }[] = [];
  let removed: string[] = [];
  let [before, after, line] = [0, 0, 0];
  const close = (): void => {
    if (added.length + removed.length > 0) files.push({ path, added, removed: removed.join("\n") });
    [added, removed] = [[], []];
  };
  for (const bytes of splitLines(patch)) {
    const text = decode(bytes);
    if (before > 0 || after > 0) {
      const [sign] = text;
      if (sign === "+") added.push({ line, text: text.slice(1) });
      if (sign === "-") removed.push(text.slice(1));
      if (sign !== "\\") {
        before -= sign === "+" ? 0 : 1;
        after -= sign === "-" ? 0 : 1;
        line += sign === "-" ? 0 : 1;
      }
      continue;
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text);
    if (hunk !== null) {
      [before, after, line] = [Number(hunk[1] ?? 1), Number(hunk[3] ?? 1), Number(hunk[2])];
    } else if (text.startsWith("diff --git ")) close();
    else if (text.startsWith("--- ")) path = readName(text.slice(4), "a/") ?? path;
    else if (text.startsWith("+++ ")) path = readName(text.slice(4), "b/") ?? path;
  }
  close();
  return files;
}

const LINE_FEED = 0x0a;

function* splitLines(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found === -1 ? bytes.length : found;
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll("\0", "");
}

/** A name as a patch has it: in quotes and with octal escapes when it has bytes that are not plain; nothing for none. */
function readName(written: string, prefix: string): string | undefined {
  const quoted = /^"(.*)"\t?$/.exec(written)?.[1];
  const name = quoted === undefined ? written.replace(/\t$/, "") : unquote(quoted);
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, "\\": 92 };

function unquote(quoted: string): string {
  const bytes: number[] = [];
  for (const [, octal, escape, plain] of quoted.matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/g)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else if (escape !== undefined) bytes.push(ESCAPES[escape] ?? 0);
    else bytes.push(...new TextEncoder().encode(plain));
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}
