import type { LocatedProblem } from "../domain/plan.ts";
import { showText } from "../domain/visible-text.ts";
import type { Step } from "./step.ts";

/** Exit code of a step that is red. */
export const RED = 1;

/** One message with every wrong input: in the log, as an annotation, in the summary. Nothing was started. */
export async function reportWrongInputs(step: Step, problems: readonly string[]): Promise<number> {
  const shown = problems.map(showText);
  step.annotate("error", `Wrong inputs, nothing was started:\n${shown.join("\n")}`, { title: "Plan Conveyor" });
  await step.summarize(["## Wrong inputs, nothing was started", "", ...shown.map(asListItem), ""].join("\n"));
  return RED;
}

/** Why nothing was started. */
export interface StepRefusal {
  readonly code: string;
  readonly message: string;
  readonly problems?: readonly LocatedProblem[];
}

/** The same for what a door, a plan or a configuration refuses; located problems stand on their files. */
export async function reportRefusals(step: Step, refusals: readonly StepRefusal[]): Promise<number> {
  for (const { code, message, problems = [] } of refusals) {
    step.annotate("error", showText(`${code} ${message}`), { title: "Plan Conveyor" });
    for (const problem of problems) {
      step.annotate(
        problem.severity === "error" ? "error" : "warning",
        showText(`${problem.code} ${problem.message}`),
        {
          file: problem.path,
          startLine: problem.line,
        },
      );
    }
  }
  const lines = refusals.map(({ code, message }) => asListItem(showText(`${code} ${message}`)));
  await step.summarize(["## Refused, nothing was started", "", ...lines, ""].join("\n"));
  return RED;
}

/** Our own fault, or one of the machine. */
export async function reportFault(step: Step, fault: unknown): Promise<number> {
  const message = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
  // It may have come in the middle of a stage, whose group would hide it.
  step.write("::endgroup::");
  step.annotate("error", `Plan Conveyor failed: ${showText(message)}`, { title: "Plan Conveyor" });
  await step.summarize("## Plan Conveyor failed\n\nThe log of the step says why.\n");
  return RED;
}

/** Words of users in a list of Markdown: in a code span nothing of them is active. */
function asListItem(text: string): string {
  return `- \`\` ${text.replaceAll("`", "'").replaceAll("\n", " ")} \`\``;
}
