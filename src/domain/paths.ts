import { invisibleIndex } from "./visible-text.ts";

const PATH_LENGTH_MAX = 512;

/**
 * Names that no plan may open for writing, at any depth: git's own data, our state, and what configures coding
 * agents. Compared folded, because some file systems fold case and ignore trailing dots and spaces.
 */
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set([".git", "git~1", ".conveyor", ".codex", ".claude", ".mcp.json"]);

/**
 * Says what is wrong with a path that shall lie inside the repository, for example "an absolute path", or undefined
 * for a good one. `.` is the whole repository. Give it the text that `normalizePath` made.
 */
export function pathProblem(text: string): string | undefined {
  if (text === "") {
    return "an empty path";
  }
  if (text.length > PATH_LENGTH_MAX) {
    return `a path longer than ${PATH_LENGTH_MAX} characters`;
  }
  if (invisibleIndex(text) !== -1) {
    return "a control or invisible character";
  }
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) {
    return "a URL";
  }
  if (text.startsWith("/") || /^[A-Za-z]:/.test(text)) {
    return "an absolute path";
  }
  if (text === "~" || text.startsWith("~/")) {
    return "a path in a home folder";
  }
  if (text.includes("\\")) {
    return "a backslash";
  }
  return text === "." ? undefined : segmentProblem(text.split("/"));
}

function segmentProblem(segments: readonly string[]): string | undefined {
  if (segments.includes("..")) {
    return "`..`";
  }
  if (segments.includes("")) {
    return "an empty segment";
  }
  return segments.includes(".") ? "a segment `.`" : undefined;
}

/** Drops leading `./` and trailing slashes, so that one place has one name. */
export function normalizePath(text: string): string {
  let start = 0;
  while (text.startsWith("./", start)) {
    start += 2;
  }
  let end = text.length;
  while (end > start + 1 && text[end - 1] === "/") {
    end -= 1;
  }
  return start > 0 && start === end ? "." : text.slice(start, end);
}

/** True when `path` is `root` or lies beneath it. `.` is the whole repository. Both are normalized. */
export function isInside(root: string, path: string): boolean {
  return root === "." || path === root || path.startsWith(`${root}/`);
}

/**
 * The rule that forbids a write root, as the name or folder that it names, or undefined. A folder *above* a forbidden
 * one is allowed, as `.` is; what is written is judged again, path by path.
 */
export function forbiddenRoot(path: string, forbiddenFolders: readonly string[]): string | undefined {
  const name = path.split("/").find((segment) => FORBIDDEN_NAMES.has(foldSegment(segment)));
  if (name !== undefined) {
    return name;
  }
  const folded = foldCase(path);
  return forbiddenFolders.find((folder) => isInside(foldCase(normalizePath(folder)), folded));
}

/**
 * Writes a path as a file system may take it: case and compatibility forms folded, and in each name what Windows
 * ignores left out. Two paths of one folded form may be one file somewhere.
 */
export function foldPath(path: string): string {
  return path.split("/").map(foldSegment).join("/");
}

/** All folders above a path, nearest first, without `.`. */
export function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    folders.push(path.slice(0, at));
  }
  return folders;
}

function foldCase(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** Windows ignores trailing dots and spaces and takes what follows a colon for a stream of the same file. */
function foldSegment(segment: string): string {
  const name = foldCase(segment).split(":", 1)[0] ?? "";
  let end = name.length;
  while (end > 0 && (name[end - 1] === "." || name[end - 1] === " ")) {
    end -= 1;
  }
  return name.slice(0, end);
}
