import type { StarterFile } from "../domain/starter-files.ts";
import { CALLER_PERMISSIONS } from "../domain/starter-workflow.ts";

/** What is to happen to one file. */
export type StarterChange =
  | { readonly file: StarterFile; readonly act: "write" | "overwrite" | "keep" }
  /** `added` is what is written at its end. */
  | { readonly file: StarterFile; readonly act: "append"; readonly added: string };

const VERBS = { write: "new", overwrite: "OVERWRITTEN", append: "appended to", keep: "already so" } as const;

/** Renders every file of a starter as it would be written, and what each permission of the workflow is for. */
export function renderStarter(changes: readonly StarterChange[]): string {
  const files = changes.map(({ file, act }) => {
    const title = `--- ${file.path} (${VERBS[act]}): ${file.purpose}`;
    return act === "keep" ? `${title}\n` : `${title}\n\n${file.text}`;
  });
  const permissions = CALLER_PERMISSIONS.map(([permission, reason]) => `  ${permission.padEnd(22)}${reason}`);
  return [
    ...files,
    "--- what the workflow's token may do at most; each job takes less, and the job with the agents reads contents alone",
    "",
    ...permissions,
    "",
  ].join("\n");
}
