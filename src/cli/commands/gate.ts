import { basename, resolve as resolvePath } from "node:path";
import { world } from "../../compose/world.ts";
import { whyNotCounted } from "../../domain/item-gate.ts";
import { rulesOf } from "../../domain/item-rules.ts";
import { judgeGateRequest, type GateDecision } from "../../domain/manual-gate.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { showText } from "../../domain/visible-text.ts";
import { recordManualGate } from "../../kernel/record-manual-gate.ts";
import { refuse, requireRun } from "../answer.ts";
import type { Io } from "../io.ts";
import { openRunLocked } from "../open-run.ts";

interface GateOptions {
  readonly by: string;
  readonly note: string;
  readonly evidence?: readonly string[];
}

/** `conveyor gate approve|reject|reopen RUN ITEM`: a human's decision, recorded as `local-unverified`. */
export function gate(decision: GateDecision) {
  return async (io: Io, name: string, itemId: string, options: GateOptions): Promise<number> => {
    // A program of a run, or a job that nobody watches, is not the person whose decision this is.
    const automated = ["ORCH_RUN_ID", "GITHUB_ACTIONS"].find((variable) => io.env[variable] !== undefined);
    if (automated !== undefined)
      return refuse(io, "USAGE", `a gate is decided by a person, not where ${automated} is set`);
    if (options.by.trim() === "") return refuse(io, "USAGE", "--by: expected a name");
    if (options.note.trim() === "") return refuse(io, "USAGE", "--note: expected a text, why it is decided so");
    const evidence: { name: string; bytes: Uint8Array }[] = [];
    for (const path of options.evidence ?? []) {
      const read = world.readEvidence(resolvePath(io.cwd, path));
      if (!read.ok) return refuse(io, "USAGE", `--evidence: ${showText(path)} ${read.error}`);
      evidence.push({ name: basename(path), bytes: read.value });
    }
    if (new Set(evidence.map((file) => file.name)).size < evidence.length) {
      return refuse(io, "USAGE", "--evidence: expected files of different names");
    }
    const found = await requireRun(io, name, { use: { kind: "go_on", outputDir: undefined } });
    if (typeof found === "number") return found;
    const judged = judgeGateRequest(found.run.state, itemId, decision);
    if (!judged.ok) return refuse(io, "USAGE", judged.error);
    const opened = await openRunLocked(io, found, {
      interrupt: io.interrupt,
      quiet: true,
      checkpointCopy: undefined,
    });
    if (typeof opened === "number") return opened;
    const again = judgeGateRequest(opened.run.state, itemId, decision);
    if (again.ok) {
      await recordManualGate(opened.open.ports, opened.run, {
        itemId,
        decision,
        by: options.by,
        note: options.note,
        authority: "local-unverified",
        evidence,
      });
    }
    await opened.open.close(false);
    if (!again.ok) return refuse(io, "USAGE", again.error);
    const refused = whyNotCounted(
      { by: options.by, decision, authority: "local-unverified" },
      rulesOf(found.run.config, found.run.plan),
    );
    const isCounted = refused === undefined;
    const weight = isCounted ? "local-unverified" : `local-unverified, does not count: ${refused}`;
    io.out(`${decision} by ${options.by} (${weight}): item ${itemId}, commit ${judged.value.commit}`);
    if (decision !== "rejected" && isCounted)
      io.note(`go on with: conveyor ${decision === "reopened" ? "gate approve" : "resume"} ${found.run.state.runId}`);
    return EXIT.done;
  };
}
