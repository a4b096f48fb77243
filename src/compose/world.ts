import { makeCacheRoot } from "../effects/cache-root.ts";
import { systemClock } from "../effects/clock.ts";
import { findStateWriteFault } from "../effects/durable-files.ts";
import { probeEnvironment } from "../effects/environment-probe.ts";
import { shieldSearchPath } from "../effects/environment.ts";
import { probeAgents } from "../effects/executor/probe.ts";
import { findGitCredentials } from "../effects/git/credentials.ts";
import { GitError } from "../effects/git/git.ts";
import { readJournalLines } from "../effects/journal-lines.ts";
import {
  appendToFile,
  type FilePlace,
  inspectPlace,
  isFolder,
  listFolder,
  listPlanFiles,
  readEvidence,
  readLocalFile,
  replaceFile,
  writeNewFile,
} from "../effects/local-files.ts";
import { readHolder } from "../effects/lock.ts";
import { readOwnSource } from "../effects/own-source.ts";
import { createRedactor, type Redactor } from "../effects/redactor.ts";
import { findRunFolder, isLink, listRunFolders, toRepositoryPath, type RunPlaces } from "../effects/run-places.ts";
import { isPackedFolder, readCheckpoint, readSavedRun } from "../effects/saved-run-files.ts";

/** Small readings of the machine that many commands need beside the ports of a run: each of them loads all of it. */
export const world = {
  clock: systemClock,
  findStateWriteFault,
  isOutsideFault,
  isLink,
  readHolder,
  findRunFolder,
  listRunFolders,
  isPackedFolder,
  toRepositoryPath,
  readLocalFile,
  readEvidence,
  listFolder,
  isFolder,
  listPlanFiles,
  writeNewFile,
  replaceFile,
  appendToFile,
  inspectPlace,
  readOwnSource,
  readCheckpoint,
  readSavedRun,
  findGitCredentials,
  probeEnvironment,
  probeAgents,
  shieldSearchPath,
  createRedactor,
  makeCacheRoot: ({ cacheRoot, cacheIsShared }: RunPlaces) =>
    makeCacheRoot({ path: cacheRoot, isShared: cacheIsShared }),
  readJournal: readJournalLines,
};

/** True for what the machine or git refused: no fault of ours, so nobody needs our stack. */
function isOutsideFault(fault: unknown): fault is Error {
  return fault instanceof GitError || (fault instanceof Error && "syscall" in fault);
}

export type { FilePlace, Redactor };
