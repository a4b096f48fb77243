import { linkSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { err, ok, type Result } from "../domain/result.ts";
import type { Clock, Randomness } from "../ports.ts";
import { guardWrite, StateWriteError, syncFolder } from "./durable-files.ts";
import { isProvablyDead, readOwnIdentity } from "./process-identity.ts";
import { readIfFile } from "./run-files.ts";

const lockSchema = z.object({
  run_id: z.string(),
  pid: z.int().positive(),
  start_time: z.string().nullable(),
  boot_id: z.string().nullable(),
  host: z.string(),
  pid_namespace: z.string().nullable(),
  nonce: z.string(),
  taken_at: z.string(),
});

/** A lock that this process holds. */
export interface HeldLock {
  /** Fencing number: every journal line written under the lock carries it. */
  readonly fence: number;
  /** Throws when another process has taken the run over, which it may only when it could prove that we are dead. */
  assertHeld(): void;
  /** Gives the run free for another part of this very process; for every other process its end does. */
  release(): void;
}

/** Nonces of locks that this process has given free: it lives on, and holds them no more. */
const released = new Set<string>();

/** Says who holds a run, for a person to read. */
export interface LockRefusal {
  readonly holder: string;
}

/**
 * Takes the lock of a run. The holder is the highest `lock.<n>`; a provably dead one is taken
 * over by making `lock.<n+1>`, at which exactly one process succeeds. No lock file is ever removed. The file appears
 * whole, by `link`, which refuses an existing name as O_EXCL does: a process killed between making and writing it
 * would otherwise leave an empty lock that nobody could prove dead. `after` is the fence of the journal's last line: a
 * run that came from another machine brings its journal and none of its locks. Reason code: LOCKED.
 */
export function takeLock(
  folder: string,
  runId: string,
  ports: { clock: Clock; randomness: Randomness },
  after = 0,
): Result<HeldLock, LockRefusal> {
  const highest = findHighest(folder);
  if (highest > 0) {
    const refusal = describeLiveHolder(join(folder, `lock.${highest}`));
    if (refusal !== undefined) return err(refusal);
  }
  const fence = Math.max(highest, after) + 1;
  const path = join(folder, `lock.${fence}`);
  const temporary = `${path}.${ports.randomness.hex(8)}.writing`;
  const identity = {
    run_id: runId,
    ...readOwnIdentity(),
    nonce: ports.randomness.hex(16),
    taken_at: ports.clock.now(),
  };
  guardWrite(temporary, () =>
    writeFileSync(temporary, `${JSON.stringify(identity)}\n`, { flag: "wx", mode: 0o600, flush: true }),
  );
  try {
    linkSync(temporary, path);
    guardWrite(path, () => syncFolder(folder));
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== "EEXIST") throw new StateWriteError(path, fault);
    return err(describeLiveHolder(path) ?? { holder: "another process that was quicker" });
  } finally {
    rmSync(temporary, { force: true });
  }
  return ok({
    fence,
    release: () => void released.add(identity.nonce),
    assertHeld() {
      const now = findHighest(folder);
      if (now !== fence) throw new StateWriteError(path, new Error(`another process holds the run now (lock.${now})`));
    },
  });
}

/** Says who holds a run now, or nothing when nobody provably alive does. */
export function readHolder(folder: string): LockRefusal | undefined {
  const highest = findHighest(folder);
  return highest === 0 ? undefined : describeLiveHolder(join(folder, `lock.${highest}`));
}

function findHighest(folder: string): number {
  return readdirSync(folder).reduce((highest, name) => {
    const number = /^lock\.(\d{1,9})$/.exec(name)?.[1];
    return Math.max(highest, Number(number ?? 0));
  }, 0);
}

function describeLiveHolder(path: string): LockRefusal | undefined {
  const parsed = lockSchema.safeParse(readJson(path));
  if (!parsed.success) return { holder: `whoever wrote ${path}, which cannot be read` };
  const { pid, host, taken_at: since, nonce } = parsed.data;
  if (released.has(nonce)) return undefined;
  if (isProvablyDead(parsed.data)) return undefined;
  return { holder: `process ${pid} on ${host}, since ${since}` };
}

function readJson(path: string): unknown {
  try {
    // A pipe in its place would hold us for ever, and a link could lead to something without an end.
    return JSON.parse(Buffer.from(readIfFile(path) ?? []).toString("utf8"));
  } catch {
    return undefined;
  }
}
