import { z } from "zod";

export const treeChangeSchema = z.strictObject({
  /** Path relative to the root, decoded as UTF-8; `path_hex` is set when its bytes are not UTF-8. */
  path: z.string(),
  path_hex: z.string().optional(),
  status: z.enum(["added", "deleted", "modified", "type_changed"]),
  /** Octal modes as git writes them, `000000` for none. */
  old_mode: z.string(),
  new_mode: z.string(),
  old_oid: z.string(),
  new_oid: z.string(),
  /** Lines added and deleted; a file with NUL bytes counts every 80 bytes as a line. */
  added_lines: z.int().nonnegative(),
  deleted_lines: z.int().nonnegative(),
  /** Size of the new blob in bytes, 0 when deleted. */
  new_bytes: z.int().nonnegative(),
  /** Target of a new symlink. */
  link_target: z.string().optional(),
});
/** One path that differs between two trees. */
export type TreeChange = z.infer<typeof treeChangeSchema>;

const TAMPER_KINDS = [
  "head",
  "refs",
  "hooks",
  "config",
  "alternates",
  "info",
  "index-flags",
  "worktree-pointer",
  "objects",
  "worktrees",
  // Around a program in a job of GitHub Actions: the runner's command files, and our own code.
  "runner-files",
  "action-files",
] as const;

export const tamperFindingSchema = z.strictObject({
  kind: z.enum(TAMPER_KINDS),
  /** What differs, in words, for example `refs/heads/main changed`. */
  detail: z.string(),
});
/** What a session changed although it belongs to the orchestrator: git metadata, or on a runner what surrounds it. */
export type TamperFinding = z.infer<typeof tamperFindingSchema>;
