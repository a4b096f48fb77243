import type { Follower } from "../invocation/door.ts";
import { renderLogEvent } from "../render/log-groups.ts";
import { renderStall } from "../render/progress-text.ts";
import type { AdmittedCall } from "./call.ts";

/** Follows a run in the log of a step: a group for each stage. Output of programs is in the logs of the artifact. */
export function followInLog({ step, redactor }: Pick<AdmittedCall, "step" | "redactor">): Follower {
  let isOpen = false;
  return {
    redactor,
    progress(line) {
      if (line.kind === "output") return;
      if (line.kind === "stall") return step.log(renderStall(line));
      const rendered = renderLogEvent(line.event, isOpen);
      ({ isOpen } = rendered);
      for (const text of rendered.lines) step.write(text);
    },
    warn: (text) => step.annotate("warning", text, { title: "Plan Conveyor" }),
  };
}
