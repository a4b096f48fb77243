import { buildClosing, buildClosingMessage, type ClosingFacts } from "../domain/closing-commit.ts";
import type { Config } from "../domain/config.ts";
import { sha256 } from "../domain/digest.ts";
import type { Plan } from "../domain/plan.ts";
import type { RunStop } from "../domain/run-stop.ts";
import type { RunState } from "../domain/run.ts";
import { PLAN_FILE } from "../domain/saved-run.ts";
import { failStage } from "./fail-stage.ts";
import { readNamed } from "./named-files.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Closes the plan with one commit on the validated one: intent, branch, receipt. A commit that a killed process had
 * prepared is the one that is taken; it is never made twice, because it names the journal's head before it. Reason
 * codes: GIT_TAMPERED, when the run branch is somewhere else; PATH_UNSAFE, when something is in the way.
 */
export async function commitClosing(context: RunContext): Promise<RunStop | undefined> {
  const { recorder, ports } = context;
  if (recorder.state.closing === undefined) {
    const refused = await prepareClosing(context);
    if (refused !== undefined) return refused;
  }
  const { closing, created } = recorder.state;
  if (closing === undefined || closing.committed) return undefined;
  const ref = `refs/heads/${created.run_branch}`;
  const moved = (await ports.repository.swapRef(ref, closing.parent, closing.commit)) === "moved";
  if (!moved && (await ports.repository.readRef(ref)) !== closing.commit) {
    return failStage(context, "closure", "GIT_TAMPERED", `${ref} is neither the validated nor the closing commit`);
  }
  recorder.record("closing_committed", { commit: closing.commit });
  return undefined;
}

async function prepareClosing(context: RunContext): Promise<RunStop | undefined> {
  const { recorder, ports, plan, config } = context;
  const { tip: parent } = recorder.state;
  const at = ports.clock.now();
  const facts = readClosingFacts({
    state: recorder.state,
    plan,
    config,
    planBytes: await readNamed(context, PLAN_FILE),
    date: at.slice(0, 10),
    journalHead: ports.journal.head,
  });
  const { files } = buildClosing(facts);
  const tree = await ports.repository.buildTree(parent, files);
  const commit = await ports.repository.commitTree({ tree, parent, message: buildClosingMessage(facts), at });
  // A file in the place of a folder would go without a word.
  const changed = await ports.repository.listChanges(parent, commit);
  const foreign = changed.find(({ path }) => !files.some((file) => file.path === path));
  if (foreign !== undefined) {
    const why = `${foreign.path} is in the way of ${files.map(({ path }) => path).join(", ")}`;
    return failStage(context, "closure", "PATH_UNSAFE", `the plan cannot be closed: ${why}`);
  }
  recorder.record("closing_prepared", { commit, tree, parent, date: facts.date, changes: listClosingChanges(files) });
  return undefined;
}

/** What an event says of the files of a closing commit. */
export function listClosingChanges(files: ReturnType<typeof buildClosing>["files"]) {
  return files.map(({ path, text }) => ({ path, sha256: text === null ? null : sha256(text) }));
}

/** What the closing commit is built from: the run's own state, its plan, and the journal's head before it. */
export function readClosingFacts(input: {
  state: RunState;
  plan: Plan;
  config: Pick<Config, "paths">;
  planBytes: Uint8Array | undefined;
  date: string;
  journalHead: string;
}): ClosingFacts {
  const { state, plan, config, date, journalHead } = input;
  const passed = state.items.flatMap((item) => {
    const packet = item.attempts.at(-1)?.candidates.at(-1)?.packet;
    const commit = item.settled?.commit;
    return packet === undefined || typeof commit !== "string"
      ? []
      : [{ itemId: item.itemId, commit, attempts: item.attempts.length, sha256: packet.sha256 }];
  });
  return {
    plan,
    planText: new TextDecoder("utf-8", { ignoreBOM: true }).decode(input.planBytes),
    paths: config.paths,
    runId: state.runId,
    date,
    packets: passed.map(({ itemId, sha256: digest }) => ({ itemId, sha256: digest })),
    journalHead,
    items: passed.map(({ itemId, commit, attempts }) => ({ itemId, commit, attempts })),
  };
}
