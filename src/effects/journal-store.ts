import { closeSync, existsSync, fsyncSync, openSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256 } from "../domain/digest.ts";
import { buildEventLine, JOURNAL_START, parseEventLine } from "../domain/journal-text.ts";
import type { Clock, JournalWriter } from "../ports.ts";
import {
  guardWrite,
  makeFolderDurably,
  type PendingFolders,
  replaceFile,
  StateWriteError,
  syncFolder,
  writeFully,
} from "./durable-files.ts";
import { CHECKPOINT_FILE, JOURNAL_FILE, TEMPORARY_SUFFIX } from "./run-files.ts";
import type { HeldLock } from "./lock.ts";
import type { Redactor } from "./redactor.ts";

/** Where a journal goes on: after its last event, under a lock that is held. */
export interface JournalPosition {
  readonly runFolder: string;
  readonly runId: string;
  readonly planId: string;
  readonly seq: number;
  /** Digest of the last line; nothing before the first. */
  readonly head: string | undefined;
  readonly lock: HeldLock;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Folders of files that the next event may name. */
  readonly pending: PendingFolders;
  /** A second place for the checkpoint (`--checkpoint-path`). */
  readonly checkpointCopy: string | undefined;
}

/** Opens the journal for appending: one line an event, fsynced before `append` returns. */
export function openJournal(position: JournalPosition): JournalWriter & { close(): void } {
  const path = join(position.runFolder, JOURNAL_FILE);
  // Before the first event: a copy that cannot be written must not stop a run that has begun.
  if (position.checkpointCopy !== undefined) makeFolderDurably(dirname(position.checkpointCopy));
  const isNew = !existsSync(path);
  const file = guardWrite(path, () => openSync(path, "a", 0o600));
  if (isNew) guardWrite(path, () => syncFolder(position.runFolder));
  let { seq } = position;
  let head = position.head ?? JOURNAL_START;
  let broken = false;
  return {
    get head() {
      return head;
    },
    append(draft) {
      if (broken) throw new StateWriteError(path, new Error("an earlier write failed"));
      position.lock.assertHeld();
      const line = buildEventLine({
        ...position.redactor.value(draft),
        schema_version: "conveyor.event.v1",
        seq: seq + 1,
        at: position.clock.now(),
        run_id: position.runId,
        plan_id: position.planId,
        prev: head,
        fence: position.lock.fence,
      });
      // Read back before it is written: what the fold sees now is what it will see after a restart, and an event that
      // a later process would refuse is never written.
      const event = parseEventLine(line);
      if (!event.ok) throw new Error(`an event nobody could read: ${event.error}: ${line.slice(0, 500)}`);
      broken = true;
      position.pending.sync();
      guardWrite(path, () => {
        writeFully(file, Buffer.from(`${line}\n`));
        fsyncSync(file);
      });
      broken = false;
      seq += 1;
      head = sha256(line);
      return event.value;
    },
    writeCheckpoint(bytes, durable) {
      const targets = [join(position.runFolder, CHECKPOINT_FILE), position.checkpointCopy];
      for (const target of targets) {
        if (target === undefined) continue;
        replaceFile(target, bytes, { durable, temporary: `${target}${TEMPORARY_SUFFIX}` });
      }
    },
    close() {
      closeSync(file);
    },
  };
}

/** Cuts a torn last line off the journal; its bytes have been set aside before. */
export function cutTornTail(runFolder: string, validBytes: number): void {
  const path = join(runFolder, JOURNAL_FILE);
  guardWrite(path, () => {
    truncateSync(path, validBytes);
    const file = openSync(path, "r");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    syncFolder(dirname(path));
  });
}
