import type { HandedObjects, HandedRef } from "./handed-objects.ts";
import { err, ok, type Result } from "./result.ts";

/** How long the header of a bundle may be: a run names a few objects for each item. */
export const BUNDLE_HEADER_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Writes the head of a git bundle, which a pack of the objects follows. Any git reads it: `git fetch run.bundle BRANCH`
 * in a repository that has the base commits.
 */
export function renderBundleHeader({ refs, bases }: HandedObjects, format: "sha1" | "sha256"): string {
  const signature = format === "sha1" ? "# v2 git bundle\n" : "# v3 git bundle\n@object-format=sha256\n";
  return `${signature}${bases.map((oid) => `-${oid} base\n`).join("")}${refs.map(lineOf).join("")}\n`;
}

/**
 * Judges the head of a bundle: it must be the very bytes that the journal gives, but for the run branch, which a killed
 * process may have moved one step further. Gives where the run branch stands, or what is wrong.
 */
export function judgeBundleHeader(
  text: string,
  input: {
    /** Full name of the run branch's ref. */
    readonly branchRef: string;
    readonly format: "sha1" | "sha256";
    /** What the bundle has to carry when the run branch stands there; nothing when it may not. */
    expect(branch: string): HandedObjects | undefined;
  },
): Result<HandedObjects & { readonly branch: string }, string> {
  const found = text.split("\n").find((line) => line.endsWith(` ${input.branchRef}`));
  const branch = found?.slice(0, -input.branchRef.length - 1) ?? "";
  const expected = input.expect(branch);
  if (expected === undefined)
    return err(`says that the run branch is at ${branch || "nothing"}, which the journal does not`);
  if (renderBundleHeader(expected, input.format) === text) return ok({ ...expected, branch });
  const lines = new Set(text.split("\n"));
  const missing = expected.refs.find((ref) => !lines.has(lineOf(ref).trimEnd()));
  if (missing !== undefined) return err(`lacks ${missing.ref} at ${missing.oid}`);
  const allowed = new Set(renderBundleHeader(expected, input.format).split("\n"));
  const foreign = [...lines].find((line) => !allowed.has(line));
  return err(
    foreign === undefined ? "has its lines in another order" : `has a line that the journal does not give: ${foreign}`,
  );
}

function lineOf({ ref, oid }: HandedRef): string {
  return `${oid} ${ref}\n`;
}
