import { buildClosing } from "../domain/closing-commit.ts";
import { canonicalJson, sha256 } from "../domain/digest.ts";
import { PLAN_FILE, type SavedRun } from "../domain/saved-run.ts";
import type { RunRepository } from "../ports/git.ts";
import { listClosingChanges, readClosingFacts } from "./closing.ts";
import { at, eventsOf, type Mismatch } from "./mismatch.ts";
import { isCommitOf } from "./verify-candidates.ts";

const FILE_MODES = ["000000", "100644"];

/** Builds the files of the closing commit again and compares them, byte for byte, with what the commit holds. */
export async function judgeClosing(
  { state, journal, plan, config }: SavedRun,
  ports: { readonly repository: RunRepository; read(path: string): Promise<Uint8Array | undefined> },
): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const event of eventsOf(journal.events, "closing_prepared")) {
    const { commit, tree, parent, date, changes } = event.details;
    const where = `repo.git commit ${commit}`;
    const planBytes = await ports.read(PLAN_FILE);
    const facts = readClosingFacts({ state, plan, config, planBytes, date, journalHead: event.prev });
    const { files } = buildClosing(facts);
    if (canonicalJson(listClosingChanges(files)) !== canonicalJson(changes)) {
      mismatches.push(at(`run-events.jsonl:${event.seq}`, "the closing is not what plan, packets and journal give"));
    }
    // The commit is made between the event before and its own: at midnight, or when the clock is set, of either day.
    const days = [journal.events[event.seq - 2]?.at ?? event.at, event.at].map((time) => time.slice(0, 10)).sort();
    if (date < (days[0] ?? "") || date > (days[1] ?? "")) {
      mismatches.push(at(`run-events.jsonl:${event.seq}`, `the closing is dated ${date}, its event ${event.at}`));
    }
    if (!(await isCommitOf(ports.repository, commit, tree, parent))) {
      mismatches.push(at(where, `is not a commit of the closing's tree ${tree} on ${parent}`));
      continue;
    }
    const differing = await ports.repository.listChanges(parent, commit);
    const expected = files.map(({ path }) => path);
    const foreign = differing.filter(
      ({ path, new_mode: mode }) => !expected.includes(path) || !FILE_MODES.includes(mode),
    );
    mismatches.push(...foreign.map(({ path }) => at(where, `changes ${path}, which no closing changes so`)));
    for (const { path, text } of files) {
      const bytes = await ports.repository.readFileAt(commit, path);
      const same = text === null ? bytes === undefined : bytes !== undefined && sha256(bytes) === sha256(text);
      if (!same) mismatches.push(at(where, `${path} is not what plan, packets and journal give`));
    }
  }
  return mismatches;
}
