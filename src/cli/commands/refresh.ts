import { judgeRefresh } from "../../domain/refresh.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { readRefreshFacts, refreshRun } from "../../kernel/refresh-run.ts";
import { refuse, requireRun } from "../answer.ts";
import type { Io } from "../io.ts";
import { openRunLocked } from "../open-run.ts";

/** `conveyor refresh RUN --onto REF`: moves the base of a stopped run forward. */
export async function refresh(io: Io, name: string, { onto }: { onto: string }): Promise<number> {
  const found = await requireRun(io, name, { use: { kind: "go_on", outputDir: undefined } });
  if (typeof found === "number") return found;
  const opened = await openRunLocked(io, found, { quiet: true, checkpointCopy: undefined, interrupt: io.interrupt });
  if (typeof opened === "number") return opened;
  const { open, run } = opened;
  const judged = judgeRefresh(run.state, await readRefreshFacts(open.ports, run, onto));
  if (judged.ok) await refreshRun(open.ports, run, { onto, to: judged.value.to });
  await open.close(false);
  if (!judged.ok) return refuse(io, judged.error.code, judged.error.message);
  io.out(`${run.state.runId} now builds on ${judged.value.to}`);
  io.note(`go on with: conveyor resume ${run.state.runId}`);
  return EXIT.done;
}
