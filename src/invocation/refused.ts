import type { PackFault } from "../domain/packed-run.ts";
import { EXIT } from "../domain/run-stop.ts";
import { showText } from "../domain/visible-text.ts";
import type { Refusal } from "../kernel/load-inputs.ts";

/** Why an invocation did not get to do its work; nothing was changed, unless a warning says so. */
export interface Refused {
  readonly exitCode: number;
  readonly refusals: readonly Refusal[];
}

/** A refusal of one sentence. Exit 2 unless told: wrong usage, plan, policy or configuration. */
export function refusal(code: Refusal["code"], message: string, exitCode: number = EXIT.usage): Refused {
  return { exitCode, refusals: [{ code, message, problems: [] }] };
}

/** What is wrong with a packed run: exit 1 when it cannot be believed, 2 when it cannot be used here. */
export function refusedPack({ code, path, message }: PackFault): Refused {
  return refusal(code, showText(`${path}: ${message}`), code === "USAGE" ? EXIT.usage : EXIT.failed);
}
