import { runGit, type GitContext } from "./git.ts";

/** The commit a ref or other name means, tags peeled, or nothing. */
export async function readCommitOfRef(context: GitContext, ref: string): Promise<string | undefined> {
  const args = ["--verify", "--quiet", "--end-of-options", `${ref}^{commit}`];
  const { code, stdout } = await runGit(context, "rev-parse", args, { accept: [0, 1, 128] });
  return code === 0 ? stdout.toString("latin1").trim() : undefined;
}

/**
 * Moves a ref by compare-and-swap. `refused`: it did not name `from` any more (`undefined`: it existed already), or
 * another ref takes the place of one of its folders.
 */
export async function swapRefIn(
  context: GitContext,
  ref: string,
  from: string | undefined,
  to: string,
): Promise<"moved" | "refused"> {
  if (!ref.startsWith("refs/")) throw new Error(`expected a full ref name such as refs/heads/main, found ${ref}`);
  try {
    await runGit(context, "update-ref", ["--no-deref", ref, to, from ?? ""]);
    return "moved";
  } catch (error) {
    const isTaken = error instanceof Error && /cannot create|cannot lock ref .* exists/s.test(error.message);
    if (isTaken || (await readCommitOfRef(context, ref)) !== from) return "refused";
    throw error;
  }
}
