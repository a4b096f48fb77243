import type { PackFault } from "../domain/packed-run.ts";
import type { Result } from "../domain/result.ts";
import { openPackToGoOn, openPackToRead, type OpenedPack } from "../effects/packed-runs.ts";
import type { UnpackedFacts } from "../effects/unpack-run.ts";
import { machine } from "./machine.ts";
import { openForReading } from "./read-run.ts";
import type { Workplace } from "./workplace.ts";

/** What a packed run is opened for, and what judges it before anybody uses it. */
export interface PackRequest {
  /** Absolute path of the packed folder. */
  readonly folder: string;
  /** The digest that somebody vouches for; any packed folder when it is left out. */
  readonly packSha256: string | undefined;
  /** `read`: in a temporary folder. `go_on`: in `outputDir`, or among the runs of the checkout. */
  readonly use: { readonly kind: "read" } | { readonly kind: "go_on"; readonly outputDir: string | undefined };
  readonly judge: (facts: UnpackedFacts, reading: ReturnType<typeof openForReading>) => Promise<PackFault | undefined>;
}

/**
 * Opens a packed run: what it gives is a run folder like any other, with its private repository. Reason codes:
 * ARTIFACT_TAMPERED, JOURNAL_CORRUPT, and those of `judge`.
 */
export async function openPackedRun(
  workplace: Workplace,
  { folder, packSha256, use, judge }: PackRequest,
): Promise<Result<OpenedPack, PackFault>> {
  const { user, places, env } = workplace;
  const source = { folder, packSha256, user, searchPath: env["PATH"] ?? "" };
  const judgeThere = (facts: UnpackedFacts, runFolder: string): Promise<PackFault | undefined> =>
    judge(facts, openForReading(workplace, runFolder, facts.run.state.runId));
  if (use.kind === "read") return openPackToRead(source, judgeThere);
  const opened = await openPackToGoOn(source, judgeThere, { places, outputDir: use.outputDir, ...machine });
  // The base is pinned here too, or a gc of this repository could take it away.
  if (opened.ok) await user.pinBase(opened.value.run.state.runId, opened.value.run.state.baseCommit);
  return opened;
}
