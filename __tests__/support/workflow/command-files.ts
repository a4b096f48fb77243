import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NAMES = {
  GITHUB_OUTPUT: "set_output",
  GITHUB_ENV: "set_env",
  GITHUB_PATH: "add_path",
  GITHUB_STATE: "save_state",
  GITHUB_STEP_SUMMARY: "step_summary",
} as const;

/** What a step said through its command files. */
export interface Said {
  readonly outputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly path: readonly string[];
  readonly summary: string;
}

/** Makes the five files of one step, whose names later steps cannot guess. */
export function makeCommandFiles(temp: string): { readonly env: Record<string, string>; read(): Said } {
  const folder = join(temp, "_runner_file_commands");
  mkdirSync(folder, { recursive: true });
  const id = randomUUID();
  const env = Object.fromEntries(Object.entries(NAMES).map(([name, file]) => [name, join(folder, `${file}_${id}`)]));
  for (const path of Object.values(env)) writeFileSync(path, "");
  const read = (name: keyof typeof NAMES): string => readFileSync(env[name] ?? "", "utf8");
  return {
    env,
    read: () => ({
      outputs: parsePairs(read("GITHUB_OUTPUT")),
      env: parsePairs(read("GITHUB_ENV")),
      path: read("GITHUB_PATH").split("\n").filter(Boolean),
      summary: read("GITHUB_STEP_SUMMARY"),
    }),
  };
}

/** Reads `name=value` and `name<<DELIMITER` as the runner does; anything else makes the step fail there too. */
function parsePairs(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const heredoc = /^([^=]+?)<<(.+)$/.exec(line);
    if (heredoc?.[1] !== undefined && heredoc[2] !== undefined) {
      const end = lines.indexOf(heredoc[2], index + 1);
      if (end === -1) throw new Error(`Matching delimiter not found '${heredoc[2]}'`);
      values[heredoc[1]] = lines.slice(index + 1, end).join("\n");
      index = end;
    } else if (line.includes("=")) {
      values[line.slice(0, line.indexOf("="))] = line.slice(line.indexOf("=") + 1);
    } else if (line !== "") {
      throw new Error(`Invalid format '${line}'`);
    }
  }
  return values;
}
