import { resolve } from "node:path";
import { openWorkplace } from "../../compose/workplace.ts";
import { demoWorld } from "../../compose/demo.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { quoteShellWord } from "../../domain/shell-word.ts";
import { buildDemoFiles, DEMO_PLAN } from "../demo-files.ts";
import { REPORT_HTML } from "../../domain/artifact-names.ts";
import type { Io } from "../io.ts";
import { refuse, requireRun } from "../answer.ts";
import { gate } from "./gate.ts";
import { resume } from "./resume.ts";
import { run } from "./run.ts";
import { verify } from "./verify.ts";

/**
 * `conveyor demo`: a real plan in a temporary repository, with scripted programs: one item passes after a fix round,
 * one at once; the gates are given; then the journal is verified. Nothing leaves the machine.
 */
export async function demo(io: Io, options: { keep?: string; quiet?: boolean }): Promise<number> {
  const keep = options.keep === undefined ? undefined : resolve(io.cwd, options.keep);
  const made = await demoWorld.makeDemoRepository(buildDemoFiles(process.execPath), {
    keep,
    searchPath: io.env["PATH"] ?? "",
  });
  if (!made.ok) return refuse(io, "USAGE", `--keep: ${made.error}`);
  const repository = made.value;
  const inside: Io = { ...io, cwd: repository.path };
  try {
    if (options.quiet !== true) explain(io, repository.path);
    const opened = await openWorkplace(repository.path, io.env);
    if (!opened.ok) return refuse(io, "USAGE", opened.error.message);
    const ended = await run(inside, DEMO_PLAN, {
      policyStatus: "allow",
      ciStatus: "success",
      reviewStatus: "approved",
      quiet: options.quiet ?? false,
      format: "text",
    });
    if (ended !== EXIT.blocked) return ended === EXIT.done ? EXIT.failed : ended;
    const decided = await decideForDemo(inside, options.quiet ?? false);
    if (decided !== EXIT.done) return decided;
    const verified = await verify(inside, undefined, { format: "text" });
    if (verified === EXIT.done && options.quiet !== true) await conclude(inside, keep);
    return verified;
  } finally {
    if (keep === undefined) await repository.remove();
  }
}

/** Plays the person: approves the gate that the second item waits at, and goes on. */
async function decideForDemo(io: Io, quiet: boolean): Promise<number> {
  const found = await requireRun(io, undefined);
  if (typeof found === "number") return found;
  const { runId } = found.run.state;
  if (!quiet) io.note(io.style("bold", "\nItem 02 asks for a sign-off. The demo plays the person and approves it."));
  // The person is at the keyboard even where the demo runs in a job.
  const person: Io = { ...io, env: { ...io.env, GITHUB_ACTIONS: undefined } };
  const approved = await gate("approved")(person, runId, "02", { by: "demo", note: "read the document" });
  if (approved !== EXIT.done) return approved;
  return resume(io, runId, {
    policyStatus: "allow",
    ciStatus: "success",
    reviewStatus: "approved",
    quiet,
    format: "text",
  });
}

function explain(io: Io, path: string): void {
  io.note(io.style("bold", `A repository with a plan of two items, in ${path}`));
  io.note(
    [
      "A scripted executor stands in for a coding agent, two scripted auditors for reviewers. The first try at item 01",
      "passes its commands, but one auditor finds something missing, and a fix round mends it. Item 02 waits for a",
      "person's sign-off. The three gates are given on the command line.",
      "",
    ].join("\n"),
  );
}

async function conclude(io: Io, keep: string | undefined): Promise<void> {
  if (keep === undefined)
    return io.note("\nThe repository is removed again; see all of it with: conveyor demo --keep DIR");
  const found = await requireRun(io, undefined);
  const page = typeof found === "number" ? REPORT_HTML : `${found.runFolder}/${REPORT_HTML}`;
  return io.note(
    [
      "\nOpen the report in a browser:",
      `  ${quoteShellWord(page)}`,
      "Look around:",
      `  cd ${quoteShellWord(keep)}`,
      "  git log --stat --all",
      "  conveyor status",
    ].join("\n"),
  );
}
