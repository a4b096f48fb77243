import type { HandoffNote } from "../domain/handoff-note.ts";
import { dropHiddenLine } from "../domain/hidden-text.ts";
import { showText } from "../domain/visible-text.ts";

/** Renders a handoff note for eyes; what the executor said of itself is marked as such. */
export function renderHandoffMarkdown(note: HandoffNote): string {
  const left = note.changed_paths_left_out;
  return [
    `# Handoff: item ${showText(note.item_id)}, attempt ${note.attempt}, session ${note.session}, round ${note.round}`,
    `Run ${note.run_id}. Next: ${showText(note.next_action)}.`,
    "## What the session said (a claim)",
    list([`Summary: ${note.summary === "" ? "none" : note.summary}`, `Reason: ${note.reason}`]),
    "## What is proven so far",
    list(note.proven),
    `## What the worktree holds (tree ${note.tree})`,
    note.changed_paths.length === 0
      ? "No change yet."
      : list([...note.changed_paths, ...(left === 0 ? [] : [`and ${left} more`])]),
    "## Logs in the run folder",
    list(note.log_paths),
  ]
    .join("\n\n")
    .concat("\n");
}

/** One line for each entry, and nothing that its Markdown would hide: text of an executor begins no heading of its own. */
function list(entries: readonly string[]): string {
  return entries.map((entry) => `- ${dropHiddenLine(entry)}`).join("\n");
}
