import { accessSync, constants, existsSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { parseGitVersion } from "../domain/git-version.ts";
import { buildPrivateContext, runGit } from "./git/git.ts";
import { SETPRIV_PATHS } from "./parent-death.ts";

/** What the machine has, as far as a run needs it. */
export interface ProbedEnvironment {
  readonly node: string;
  /** Version of git, or nothing when there is none. */
  readonly git: string | undefined;
  readonly bash: string | undefined;
  readonly platform: NodeJS.Platform;
  /** True when a program can be made to die with the orchestrator. */
  readonly parentDeath: boolean;
  /** Files with settings of coding agents that would change what they do. */
  readonly ambientAgentConfig: readonly string[];
}

/** Settings of agents, relative to the home folder and to a checkout. */
const AMBIENT_IN_HOME = [".codex/config.toml", ".claude/settings.json"];
const AMBIENT_IN_CHECKOUT = [".codex/config.toml", ".claude/settings.json", ".claude/settings.local.json", ".mcp.json"];

/** Looks at the machine; `checkout` also at the settings of agents in it. */
export async function probeEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  checkout?: string,
): Promise<ProbedEnvironment> {
  const home = env["HOME"] ?? homeFolder();
  return {
    node: process.versions.node,
    git: await readGitVersion(env["PATH"] ?? ""),
    bash: findOnPath("bash", env["PATH"] ?? ""),
    platform: process.platform,
    parentDeath: process.platform === "linux" && SETPRIV_PATHS.some((path) => existsSync(path)),
    ambientAgentConfig: [
      ...AMBIENT_IN_HOME.map((path) => join(home, path)),
      ...(checkout === undefined ? [] : AMBIENT_IN_CHECKOUT.map((path) => join(checkout, path))),
    ].filter((path) => existsSync(path)),
  };
}

/** A user without HOME and without an entry among the users has no settings either. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "/nonexistent";
  }
}

async function readGitVersion(searchPath: string): Promise<string | undefined> {
  try {
    const { stdout } = await runGit(buildPrivateContext({ gitDir: tmpdir(), searchPath }), "version", []);
    return parseGitVersion(stdout.toString("utf8"));
  } catch {
    return undefined;
  }
}

function findOnPath(name: string, searchPath: string): string | undefined {
  return searchPath
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
