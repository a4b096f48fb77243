import type { SavedRun } from "../domain/saved-run.ts";
import { agents } from "../effects/executor/agents.ts";
import { inspectRunRepository } from "../effects/git/run-repository.ts";
import { cutTornTail } from "../effects/journal-store.ts";
import { BLIND_REDACTOR } from "../effects/redactor.ts";
import { createRunFiles, digestSavedFile } from "../effects/run-files.ts";
import { findRunFolders } from "../effects/run-places.ts";
import { listSavedFiles, moveSavedFile, readCheckpoint, readTornTail } from "../effects/saved-run-files.ts";
import { repositoryOptions, type Workplace } from "./workplace.ts";

/** What a resume finds in a run folder besides journal and inputs. */
export function readResumeFacts(runFolder: string, run: SavedRun) {
  const saved = listSavedFiles(runFolder);
  // What an event names was written to its end, whatever a program called it.
  const isNamed = (path: string): boolean => run.state.files.has(path);
  return {
    checkpoint: readCheckpoint(runFolder),
    files: [...saved.files, ...saved.temporaryFiles.filter(isNamed)],
    temporaryFiles: saved.temporaryFiles.filter((path) => !isNamed(path)),
    tornTail: readTornTail(runFolder, run.journal.validBytes),
    cutTornTail: () => cutTornTail(runFolder, run.journal.validBytes),
    moveFile: (from: string, to: string) => moveSavedFile(runFolder, from, to),
  };
}

/** What `verify` reads of a run folder: it writes nothing. */
export function openForReading(workplace: Workplace, runFolder: string, runId: string) {
  const files = createRunFiles(runFolder, BLIND_REDACTOR);
  const saved = listSavedFiles(runFolder);
  return {
    agents,
    repository: inspectRunRepository(repositoryOptions(workplace, findRunFolders(workplace.places, runFolder, runId))),
    checkpoint: readCheckpoint(runFolder),
    // Nothing is being written in a sealed run, whatever a file is called.
    files: [...saved.files, ...saved.temporaryFiles],
    digest: async (path: string) => digestSavedFile(runFolder, path),
    read: (path: string) => files.read(path),
    readEnds: files.readEnds,
  };
}
