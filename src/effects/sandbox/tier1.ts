import { buildPrlimitArgs } from "../../domain/sandbox-mounts.ts";
import { bindToParent, type ParentDeath, readStartFailure } from "../parent-death.ts";
import type { Launch } from "./launch.ts";
import { boundLimits } from "./limits.ts";

/** What tier 1 has: a life bound to ours, and limits for files. */
export interface Tier1 {
  readonly parentDeath: ParentDeath;
  readonly prlimit: string | undefined;
  readonly fileBytesMax: number;
}

/**
 * Starts a program in tier 1. The number of processes is not limited by the kernel: what the user's other programs have
 * would count, too.
 */
export function openTier1(
  { parentDeath, prlimit, fileBytesMax }: Tier1,
  program: string,
  args: readonly string[],
): Launch {
  const limited =
    prlimit === undefined
      ? [program, ...args]
      : [prlimit, ...buildPrlimitArgs({ ...boundLimits(fileBytesMax), processes: undefined }), program, ...args];
  const [file, argv] = bindToParent(parentDeath, limited[0] ?? program, limited.slice(1));
  return {
    file,
    args: argv,
    env: {},
    isHolder: false,
    readFailure: (exitCode, stderr) => (file === program ? undefined : readStartFailure(program, exitCode, stderr)),
    network: () => [],
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
