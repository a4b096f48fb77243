import type { Config } from "./config.ts";
import { canonicalJson } from "./digest.ts";
import type { JournalEvent, StageExecution } from "./journal.ts";
import type { Plan } from "./plan.ts";
import type { ProcessEnding } from "./process-report.ts";
import { statusOf } from "./stage-execution.ts";
import { listValidationCommands } from "./validation-commands.ts";
import type { SurfaceFacts } from "./verification-surface.ts";

/**
 * Judges whether an event records the programs that the plan and the configuration ask for, all of them and no others,
 * and says the same of each wherever it speaks of it. Gives what does not agree, or nothing. A verdict is derived from
 * what was recorded, so a command that was left out would be a command that never failed.
 */
export function judgeRecordedCommands(event: JournalEvent, plan: Plan, config: Config): string | undefined {
  switch (event.type) {
    case "session_finished":
      return judgeEndings([event.details.ending], [event.details.execution]);
    case "manager_finished": {
      const { ending, executions } = event.details;
      const started = executions.filter((execution) => execution.purpose !== "prepare");
      const isManager = started.every(({ purpose }) => purpose === "manager");
      return isManager
        ? judgeEndings(ending === null ? [] : [ending], started)
        : "a program was started in planning that is not the manager";
    }
    case "verification_finished": {
      const item = plan.items.find((candidate) => candidate.item_id === event.item_id);
      const asked = [
        ...(item?.required_commands ?? []).map((command) => ({ command, required: true })),
        ...(item?.suggested_commands ?? []).map((command) => ({ command, required: false })),
      ];
      const { details } = event;
      const isPrepared = details.prepare_ending === null && details.prepare_tracked_changes.length === 0;
      const recorded = details.commands.map(({ command, required }) => ({ command, required }));
      const artifacts = details.artifacts.map((artifact) => artifact.path);
      const promised = isPrepared ? (item?.required_artifacts ?? []) : [];
      if (canonicalJson(artifacts) !== canonicalJson(promised))
        return "the artifacts checked are not those that the item promises";
      const isAdvisory = ({ purpose }: StageExecution): boolean => purpose === "surface_command";
      const executions = details.executions.filter((execution) => !isAdvisory(execution));
      return (
        judgeCommands({ ...details, recorded, asked, isPrepared, executions }) ??
        judgeSurface(details.surface, item?.required_commands ?? [], details.executions.filter(isAdvisory))
      );
    }
    case "validation_finished": {
      const { details } = event;
      const asked = listValidationCommands(plan, config).map((words) => words.join(" "));
      const recorded = details.commands.map(({ command }) => command);
      return judgeCommands({ ...details, recorded, asked, isPrepared: details.prepare_ending === null });
    }
    default:
      return undefined;
  }
}

/** The second run asks for the required commands, when it had anything to put back. */
function judgeSurface(
  surface: SurfaceFacts | null,
  required: readonly string[],
  executions: readonly StageExecution[],
): string | undefined {
  const { paths = [], prepare_ending: ending = null, commands = [] } = surface ?? {};
  const recorded = commands.map(({ command }) => command);
  return judgeCommands({
    recorded,
    asked: paths.length === 0 ? [] : required,
    isPrepared: ending === null,
    commands,
    executions,
  });
}

function judgeCommands(facts: {
  readonly recorded: readonly (string | { readonly command: string; readonly required: boolean })[];
  readonly asked: readonly (string | { readonly command: string; readonly required: boolean })[];
  readonly isPrepared: boolean;
  readonly commands: readonly { readonly ending: ProcessEnding }[];
  readonly executions: readonly StageExecution[];
}): string | undefined {
  // What a person interrupts ends with the command that was cancelled; where nothing was prepared nothing ran.
  const isCut = facts.commands.at(-1)?.ending.kind === "cancelled";
  const due = facts.isPrepared ? (isCut ? facts.asked.slice(0, facts.recorded.length) : facts.asked) : [];
  if (canonicalJson([...facts.recorded]) !== canonicalJson([...due]))
    return "the commands run are not those that were asked for";
  const executions = facts.executions.filter((execution) => execution.purpose !== "prepare");
  return judgeEndings(
    facts.commands.map(({ ending }) => ending),
    executions,
  );
}

function judgeEndings(endings: readonly ProcessEnding[], executions: readonly StageExecution[]): string | undefined {
  const agrees = endings.every((ending, index) => {
    const execution = executions[index];
    const exitCode = ending.kind === "exited" ? ending.exit_code : null;
    const isShort = execution?.status === "artifact_missing" && statusOf(ending) === "success";
    return execution?.exit_code === exitCode && (isShort || execution.status === statusOf(ending));
  });
  return agrees && endings.length === executions.length
    ? undefined
    : "a program ended otherwise than its execution says";
}
