import { z } from "zod";
import { fileDigestSchema, type FileDigest } from "./journal.ts";
import { err, ok, type Result } from "./result.ts";

export const leftOutSchema = z.strictObject({
  schema_version: z.literal("conveyor.left_out.v1"),
  run_id: z.string(),
  /** What everything that was handed on together had to stay below, in bytes. */
  max_bytes: z.int().positive(),
  /** What was left out for that, by path. */
  files: z.array(fileDigestSchema).min(1),
});
/** What a run was handed on without, because all of it would have been too large. */
export type LeftOut = z.infer<typeof leftOutSchema>;

/**
 * True for output that a person may want to read and nothing else does: of commands, of preparations, and what programs
 * wrote to stderr. What an agent answered stands in its stdout, so that one is never left out.
 */
function isLeavable(path: string): boolean {
  return /(\.stdout|[./]stderr)\.log$/.test(path);
}

/**
 * Chooses what is left out so that the rest fits: the largest logs first, and never what `verify` or `resume` reads.
 * Gives the bytes that are needed at least when even that is too much. `bytesOf` is what a file costs where it is kept.
 */
export function chooseLeftOut(
  files: readonly FileDigest[],
  budget: number,
  bytesOf: (file: FileDigest) => number,
): Result<readonly FileDigest[], number> {
  const leavable = files
    .filter(({ path }) => isLeavable(path))
    .toSorted((left, right) => right.bytes - left.bytes || (left.path < right.path ? -1 : 1));
  const chosen: FileDigest[] = [];
  let bytes = files.reduce((sum, file) => sum + bytesOf(file), 0);
  for (const file of leavable) {
    if (bytes <= budget) break;
    chosen.push(file);
    bytes -= bytesOf(file);
  }
  return bytes <= budget ? ok(chosen.toSorted((left, right) => (left.path < right.path ? -1 : 1))) : err(bytes);
}

/**
 * Reads the list of what was left out. Every entry must be a log, and named by the journal with the same digest: a list
 * that says more would hide what is missing.
 */
export function parseLeftOut(
  text: string | undefined,
  run: { readonly runId: string; readonly files: { get(path: string): FileDigest | undefined } },
): Result<ReadonlyMap<string, FileDigest>, string> {
  if (text === undefined) return ok(new Map());
  const parsed = leftOutSchema.safeParse(parseJson(text));
  if (!parsed.success) return err(`is not a list of what was left out: ${parsed.error.issues[0]?.message ?? ""}`);
  const { run_id: runId, files } = parsed.data;
  if (runId !== run.runId) return err(`is of another run, ${runId}`);
  const wrong = files.find((file) => !isLeavable(file.path) || run.files.get(file.path)?.sha256 !== file.sha256);
  return wrong === undefined
    ? ok(new Map(files.map((file) => [file.path, file])))
    : err(`lists ${wrong.path}, which is no log that the journal names so`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
