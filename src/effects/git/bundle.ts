import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { BUNDLE_HEADER_BYTES_MAX, renderBundleHeader } from "../../domain/bundle-header.ts";
import type { HandedObjects, HandedRef } from "../../domain/handed-objects.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { buildPrivateContext, GitError, runGit, startGit, type GitContext } from "./git.ts";
import { makePrivateRepository } from "./layout.ts";
import { DIFF_FLAGS } from "./tree-changes.ts";
import type { ObjectFormat } from "./object-id.ts";
import { swapRefIn } from "./refs.ts";
import { withScratch, type ObjectStore } from "./scratch.ts";
import { listLooseIds } from "./inspect-objects.ts";

/** What one thread packs from loose objects, with nothing taken over from packs, is the same whenever it is packed. */
const PACK_FLAGS = [
  "--revs",
  "--thin",
  "--stdout",
  "--delta-base-offset",
  "--no-reuse-delta",
  "--no-reuse-object",
  "--no-sparse",
  "--threads=1",
  "-q",
];

/** The most memory that git may ask for at once while it reads what came from elsewhere: a tiny delta can claim any size. */
const ALLOCATION_BYTES_MAX = 1024 * 1024 * 1024;

/** Writes the bundle of a run: all that its refs name and the base commits lack, and nothing of the user's history. */
export async function writeBundle(store: ObjectStore, objects: HandedObjects, target: string): Promise<void> {
  await withScratch(store, async (scratch) => {
    const pack = startGit(scratch.context(), "pack-objects", PACK_FLAGS);
    pack.stdin.end(revisionsOf(objects));
    const file = createWriteStream(target, { flags: "wx", mode: 0o600 });
    file.write(renderBundleHeader(objects, store.format));
    await Promise.all([pipeline(pack.stdout, file), pack.done]);
  });
}

/** The texts of the commits that a bundle carries, and all that they and its trees change, as one patch after the other. */
export async function readHanded(
  store: ObjectStore,
  objects: HandedObjects,
): Promise<{ readonly texts: Buffer; readonly patch: Buffer }> {
  return withScratch(store, async (scratch) => {
    const context = scratch.context();
    const listed = await runGit(context, "rev-list", ["--format=raw", "--stdin"], { stdin: revisionsOf(objects) });
    const texts = listed.stdout;
    // Lines of a text are indented: none can pass for the head of a commit.
    const commits = [...texts.toString("latin1").matchAll(/^commit ([0-9a-f]{40,64})$/gm)].map(([, oid = ""]) => oid);
    const known = new Set([...commits, ...objects.bases]);
    const flags = ["-p", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", ...DIFF_FLAGS];
    const stdin = commits.map((oid) => `${oid}\n`).join("");
    const parts = [await runGit(context, "diff-tree", [...flags, "--stdin"], { stdin })];
    // A tree that no commit has, as a session leaves it that hands off, is compared with where the run began.
    const [base = ""] = objects.bases;
    for (const { oid } of objects.refs) {
      if (!known.has(oid)) parts.push(await runGit(context, "diff-tree", [...flags, base, oid]));
    }
    return { texts, patch: Buffer.concat(parts.map(({ stdout }) => stdout)) };
  });
}

/** The head of a bundle as text and how long it is, or nothing when the file does not begin with one. */
export async function readBundleHeader(path: string): Promise<{ text: string; bytes: number } | undefined> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const head = Buffer.alloc(Math.min(size, BUNDLE_HEADER_BYTES_MAX));
  await file.read(head, 0, head.length, 0);
  const end = head.indexOf("\n\n");
  return end === -1 ? undefined : { text: head.toString("latin1", 0, end + 2), bytes: end + 2 };
}

/**
 * Makes a private repository of a bundle and the objects of the user's own. Each object is hashed on its way, all that
 * the refs name must be there whole, and nothing else may have come along; else says what is wrong. Of the refs the run
 * branch alone is made, as in the repository that the bundle was made of.
 */
export async function makeBundledRepository(input: {
  readonly gitDir: string;
  readonly userGitCommonDir: string;
  readonly format: ObjectFormat;
  readonly searchPath: string;
  readonly path: string;
  /** Where the pack begins. */
  readonly offset: number;
  readonly objects: HandedObjects;
  readonly branch: HandedRef;
}): Promise<Result<undefined, string>> {
  const { gitDir, searchPath, objects } = input;
  await makePrivateRepository(input);
  const env = { GIT_ALLOC_LIMIT: String(ALLOCATION_BYTES_MAX) };
  const context = buildPrivateContext({ gitDir, searchPath, env });
  const failure = await unpack(context, input.path, input.offset);
  if (failure !== undefined) return err(`its pack cannot be taken in: ${failure}`);
  const listed = await listReachable(context, objects);
  if (!listed.ok) return listed;
  const foreign = listLooseIds(join(gitDir, "objects")).find((oid) => !listed.value.has(oid));
  if (foreign !== undefined) return err(`holds an object that nothing in the journal leads to: ${foreign}`);
  await swapRefIn(context, input.branch.ref, undefined, input.branch.oid);
  return ok(undefined);
}

async function unpack(context: GitContext, path: string, start: number): Promise<string | undefined> {
  const git = startGit(context, "unpack-objects", ["-q"]);
  let rest = 0;
  git.stdout.on("data", (chunk: Buffer) => void (rest += chunk.length));
  // Git ends at the pack's checksum and may close its input before the file has ended; its exit code tells.
  const fed = pipeline(createReadStream(path, { start }), git.stdin).catch(() => undefined);
  try {
    await git.done;
  } catch (fault) {
    if (!(fault instanceof GitError)) throw fault;
    return fault.stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  } finally {
    await fed;
  }
  return rest === 0 ? undefined : "bytes follow its checksum";
}

async function listReachable(
  context: GitContext,
  objects: HandedObjects,
): Promise<Result<ReadonlySet<string>, string>> {
  const args = ["--objects", "--no-object-names", "--stdin"];
  const stdin = revisionsOf(objects);
  const { code, stdout, stderr } = await runGit(context, "rev-list", args, { stdin, accept: [0, 1, 128] });
  if (code !== 0) return err(`does not hold all that its refs name: ${stderr.trim().slice(0, 300)}`);
  return ok(
    new Set(
      stdout
        .toString("latin1")
        .split("\n")
        .filter((line) => line !== ""),
    ),
  );
}

function revisionsOf({ refs, bases }: HandedObjects): string {
  return [...refs.map(({ oid }) => oid), ...bases.map((oid) => `^${oid}`)].map((line) => `${line}\n`).join("");
}
