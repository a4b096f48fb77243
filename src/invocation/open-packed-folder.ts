import { openPackedRun, type PackRequest } from "../compose/unpack.ts";
import type { Workplace } from "../compose/workplace.ts";
import { world } from "../compose/world.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { judgePackedRun } from "../kernel/judge-packed-run.ts";
import { notBelieved, type FoundRun } from "./open-saved-run.ts";
import { refusedPack, type Refused } from "./refused.ts";

/** A run that came in a packed folder; disposing it removes what was unpacked only to be read. */
export interface FoundPack extends AsyncDisposable {
  readonly found: FoundRun;
  /** The run lies here already, further on than in the folder: that is used. */
  readonly wasHere: boolean;
}

/** Opens a packed folder and judges what it holds. Reason codes: ARTIFACT_TAMPERED, JOURNAL_CORRUPT, GIT_TAMPERED. */
export async function openPackedFolder(
  workplace: Workplace,
  request: Omit<PackRequest, "judge">,
): Promise<Result<FoundPack, Refused>> {
  const scrutiny = request.use.kind;
  const opened = await openPackedRun(workplace, {
    ...request,
    judge: ({ run, reports }, reading) => judgePackedRun(run, reports, reading, scrutiny),
  });
  if (!opened.ok) return err(refusedPack(opened.error));
  const pack = opened.value;
  const dispose = (): PromiseLike<void> => pack[Symbol.asyncDispose]();
  const { runFolder } = pack;
  if (!pack.wasHere) {
    const packed = { folder: request.folder, packSha256: pack.packSha256 };
    return ok({
      found: { workplace, runFolder, run: pack.run, packed },
      wasHere: false,
      [Symbol.asyncDispose]: dispose,
    });
  }
  const read = world.readSavedRun(runFolder);
  if (!read.ok) return err(notBelieved(read.error));
  return ok({ found: { workplace, runFolder, run: read.value }, wasHere: true, [Symbol.asyncDispose]: dispose });
}
