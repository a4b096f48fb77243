import type { ProgressLine } from "../ports.ts";
import { showText } from "../domain/visible-text.ts";
import { renderProgress, renderStall } from "../render/progress-text.ts";
import type { Io } from "./io.ts";

/**
 * Follows a run on stderr: a line for each thing worth knowing. Output of programs is shown, dimmed, only to somebody
 * who watches a terminal; in a pipe it would drown the lines that matter, and it is in the logs.
 */
export function createProgress(io: Io, quiet: boolean): (line: ProgressLine) => void {
  if (quiet) return () => undefined;
  return (line) => {
    if (line.kind === "output") {
      if (io.watched) io.note(io.style("dim", `    ${line.line}`));
      return;
    }
    if (line.kind === "stall") return io.note(io.style("yellow", renderStall(line)));
    const rendered = renderProgress(line.event);
    if (rendered === undefined) return;
    // Plans and programs have a say in it: a path or a failure may hold what would steer the terminal.
    const text = showText(rendered.text);
    io.note(rendered.tone === "plain" ? text : io.style(rendered.tone, text));
  };
}
