import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { TamperFinding } from "../../domain/candidate.ts";
import type { Worktree } from "../../ports/git.ts";
import { isLocked, readFolderNames, showName } from "../folder-names.ts";
import { parseIndexFlags } from "./index-flags.ts";
import type { ObjectFormat } from "./object-id.ts";
import type { ObjectListing, StoredObjects } from "./stored-objects.ts";

type Kind = TamperFinding["kind"];

interface Fact {
  readonly kind: Kind;
  readonly value: string;
}

/** Everything that a session must leave as it is, by the name that a finding shows. */
export interface MetadataFacts {
  readonly facts: ReadonlyMap<string, Fact>;
  readonly objects: ObjectListing;
}

const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** Folders whose files a session may not change, with what a change of them is called. */
const REPOSITORY: readonly (readonly [path: string, kind: Kind])[] = [
  ["HEAD", "head"],
  ["config", "config"],
  ["config.worktree", "config"],
  ["commondir", "config"],
  ["branches", "config"],
  ["remotes", "config"],
  ["hooks", "hooks"],
  ["info", "info"],
  ["shallow", "info"],
  ["refs", "refs"],
  ["packed-refs", "refs"],
  ["reftable", "refs"],
  ["objects/info/alternates", "alternates"],
  ["objects/info/http-alternates", "alternates"],
];
const WORKTREE: readonly (readonly [path: string, kind: Kind])[] = [
  ["HEAD", "head"],
  ["config.worktree", "config"],
  ["config", "config"],
  ["hooks", "hooks"],
  ["info", "info"],
  ["refs", "refs"],
  ["commondir", "worktrees"],
  ["gitdir", "worktrees"],
  ["locked", "worktrees"],
];

/**
 * Records the facts about git metadata. Runs in process: no git that a session could have misled is asked.
 */
export async function readMetadata(
  gitDir: string,
  worktree: Worktree,
  format: ObjectFormat,
  stored: StoredObjects,
): Promise<MetadataFacts> {
  return { facts: readFacts(gitDir, worktree, format), objects: await stored.list() };
}

/** Says what differs from before, and removes objects that a session added. */
export async function compareMetadata(
  before: MetadataFacts,
  gitDir: string,
  worktree: Worktree,
  format: ObjectFormat,
  stored: StoredObjects,
): Promise<TamperFinding[]> {
  const now = readFacts(gitDir, worktree, format);
  const findings: TamperFinding[] = [];
  for (const name of new Set([...before.facts.keys(), ...now.keys()])) {
    const [old, current] = [before.facts.get(name), now.get(name)];
    const kind = old?.kind ?? current?.kind;
    if (kind === undefined || old?.value === current?.value) continue;
    const verb = old === undefined ? "added" : current === undefined ? "removed" : "changed";
    findings.push({ kind, detail: `${name} ${verb}` });
  }
  return [...findings, ...(await stored.compare(before.objects))];
}

function readFacts(gitDir: string, worktree: Worktree, format: ObjectFormat): Map<string, Fact> {
  const facts = new Map<string, Fact>();
  for (const [path, kind] of REPOSITORY) addFacts(facts, gitDir, path, kind, path);
  for (const folder of ["objects", "refs", "worktrees"]) addFolderFact(facts, gitDir, folder);
  for (const name of listWorktrees(facts, join(gitDir, "worktrees"))) {
    const isOwn = name === worktree.name;
    addFolderFact(facts, gitDir, `worktrees/${name}`);
    for (const [path, kind] of WORKTREE) {
      const owned = isOwn || kind === "config" || kind === "hooks" ? kind : "worktrees";
      addFacts(facts, gitDir, `worktrees/${name}/${path}`, owned, `worktrees/${name}/${path}`);
    }
  }
  addPointerFacts(facts, worktree);
  const flags = readIndexFlags(join(gitDir, "worktrees", worktree.name, "index"), format);
  for (const flag of flags) facts.set(`index: ${flag}`, { kind: "index-flags", value: flag });
  return facts;
}

function listWorktrees(facts: Map<string, Fact>, folder: string): string[] {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return [];
  const { names, hidden } = readNames(folder, stat);
  for (const what of hidden) facts.set(`worktrees/ ${what}`, { kind: "worktrees", value: what });
  return names;
}

/** A pointer that is a folder or a link would make git and editors read another repository than ours. */
function addPointerFacts(facts: Map<string, Fact>, worktree: Worktree): void {
  const stat = lstatSync(worktree.path, { throwIfNoEntry: false });
  const value = stat?.isDirectory() === true ? `folder ${stat.ino}` : "no folder";
  facts.set("the worktree's folder", { kind: "worktree-pointer", value });
  const pointer = lstatSync(join(worktree.path, ".git"), { throwIfNoEntry: false });
  const content = pointer?.isFile() === true ? describeFile(join(worktree.path, ".git")) : "no regular file";
  facts.set("the worktree's .git", { kind: "worktree-pointer", value: content });
}

function addFolderFact(facts: Map<string, Fact>, gitDir: string, folder: string): void {
  const stat = lstatSync(join(gitDir, folder), { throwIfNoEntry: false });
  const value = stat === undefined ? "missing" : stat.isDirectory() ? "folder" : "no folder";
  const kind = folder === "objects" || folder === "refs" ? folder : "worktrees";
  facts.set(`${folder}/`, { kind, value });
}

function addFacts(facts: Map<string, Fact>, root: string, path: string, kind: Kind, name: string): void {
  const full = join(root, path);
  const stat = lstatSync(full, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isDirectory()) {
    const { names, hidden } = readNames(full, stat);
    for (const what of hidden) facts.set(`${name}/ ${what}`, { kind, value: what });
    for (const entry of names) addFacts(facts, root, `${path}/${entry}`, kind, `${name}/${entry}`);
  } else if (stat.isSymbolicLink()) {
    facts.set(name, { kind, value: `link to ${readlinkSync(full)}` });
  } else {
    facts.set(name, { kind, value: stat.isFile() ? describeFile(full) : "no regular file" });
  }
}

/** Content and whether it may be executed; times say nothing, since git rewrites files with what they held. */
function describeFile(path: string): string {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (stat.size > FILE_BYTES_MAX) return `too large to read: ${stat.size} bytes, ${stat.ino}, ${stat.ctimeMs}`;
      const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
      return `${digest} ${stat.mode & 0o111}`;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return `unreadable: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function readIndexFlags(path: string, format: ObjectFormat): readonly string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  const bytes = stat.isFile() ? readFileSync(path) : Buffer.alloc(0);
  return parseIndexFlags(bytes, format === "sha1" ? 20 : 32) ?? ["cannot be read"];
}

/** Names in order, and what git may find in a folder that we cannot name: one that its owner may not read, names that are no text. */
function readNames(folder: string, stat: { readonly mode: number }): { names: string[]; hidden: string[] } {
  const locked = isLocked(stat) ? ["locked"] : [];
  try {
    const { files, folders, odd } = readFolderNames(folder);
    return { names: [...files, ...folders].toSorted(), hidden: [...locked, ...odd.map(showName)] };
  } catch {
    return { names: [], hidden: ["locked"] };
  }
}
