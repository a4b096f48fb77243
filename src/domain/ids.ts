import { sha256 } from "./digest.ts";

/** Identifiers of runs, items and attempts: their shapes, and the names made from them. */

/** What a run id looks like. */
export const RUN_ID = /^RUN_\d{8}T\d{6}Z_[0-9a-f]{8}$/;

/** True for a run id such as `RUN_20260325T120000Z_deadbeef` (UTC, 8 hexadecimal digits). */
export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

/** Builds a run id from an ISO time in UTC and 8 hexadecimal digits of randomness. */
export function buildRunId(isoTime: string, randomHex: string): string {
  return `RUN_${isoTime.slice(0, 19).replaceAll(/[-:]/g, "")}Z_${randomHex.slice(0, 8)}`;
}

/** When a run was named, to the second, as an ISO time in UTC: what is known of a run that left nothing else. */
export function timeOfRunId(runId: string): string {
  return runId.replace(/^RUN_(....)(..)(..)T(..)(..)(..)Z.*$/, "$1-$2-$3T$4:$5:$6Z");
}

/**
 * Encodes an item id as one name of a file or folder: everything outside `[A-Za-z0-9_-]` becomes `%XX`,
 * so that two different ids never share a folder, also where names fold case or dots mean something.
 */
export function encodeName(id: string): string {
  return [...new TextEncoder().encode(id)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9_-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}

/** How long the name of a file may be; file systems take 255 bytes, and a suffix is added while it is written. */
const FILE_NAME_LENGTH_MAX = 200;
const FILE_NAME_LENGTH_KEPT = 120;

/** Encodes the name of a person's file in the same way; a long one keeps its beginning, and its digest tells it apart. */
export function encodeFileName(name: string): string {
  const encoded = encodeName(name);
  return encoded.length <= FILE_NAME_LENGTH_MAX
    ? encoded
    : `${encoded.slice(0, FILE_NAME_LENGTH_KEPT).replace(/%.?$/, "")}-${sha256(name)}`;
}

/** The run branch, which `--deliver branch` makes appear in the user's repository. */
export function runBranch(planId: string, runId: string): string {
  return `conveyor/${planId}/${runId}`;
}

/** The run that a branch is of, by its name; nothing when it is no run branch. */
export function runOfBranch(branch: string): string | undefined {
  const [, runId = ""] = /^conveyor\/.+\/([^/]+)$/.exec(branch) ?? [];
  return isRunId(runId) ? runId : undefined;
}
