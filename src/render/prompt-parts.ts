import type { Guardrails, PromptTask } from "../domain/prompt.ts";

/** A fence longer than any in the text, so that the text cannot close it. */
export function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
  const marks = "`".repeat(longest + 1);
  return `${marks}text\n${text}\n${marks}`;
}

/** A heading over fenced lines; nothing when there are none. */
export function list(title: string, entries: readonly string[]): string {
  return entries.length === 0 ? "" : `${title}\n\n${fence(entries.join("\n"))}`;
}

/** Puts the parts of a prompt together; empty ones leave no trace. */
export function joinParts(parts: readonly string[]): string {
  return parts
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}

/** The task in the plan's words, fenced. */
export function renderTask(task: PromptTask): string {
  const lines = [
    `Action: ${task.action}`,
    ...(task.whyNow === "" ? [] : [`Why now: ${task.whyNow}`]),
    `Done when: ${task.exitCriteria}`,
    ...(task.notes === "" ? [] : [`Notes: ${task.notes}`]),
  ];
  return fence(lines.join("\n"));
}

/** The limits that hold whatever the task says, each as it is enforced; `who` is whose change they limit. */
export function renderGuardrails(guardrails: Guardrails, who: "you" | "it"): string[] {
  const { diffLines, diffFiles, diffBytes, redGreenTests } = guardrails;
  const subject = who === "you" ? "You" : "It";
  return [
    list(`## ${subject} may change these paths and what lies beneath them, and no others`, guardrails.writeRoots),
    list(
      `## ${subject} may change none of these, also where they lie beneath a path above (globs, without regard to case)`,
      [...guardrails.protectedFloor, ...guardrails.protectedByConfig],
    ),
    list("## Limits of the whole change", [
      `at most ${diffLines} added and deleted lines`,
      `at most ${diffFiles} changed files`,
      `at most ${diffBytes} bytes in changed files`,
      "no symlink that leaves the repository, no submodule, no name with control or invisible characters",
    ]),
    list(
      `## ${who === "you" ? "You will be" : "It is"} held to these commands, in a clean checkout; all must exit 0`,
      guardrails.requiredCommands,
    ),
    list(`## These must be there then, with content`, guardrails.requiredArtifacts),
    redGreenTests === undefined
      ? ""
      : list(
          "## The change must bring tests that fail without it and pass with it; these are test files",
          redGreenTests,
        ),
  ];
}
