import { existsSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { isForbiddenEnvName } from "../domain/env-names.ts";
import { realPathOf } from "./real-path.ts";

/** What `buildProgramEnv` decides from. */
export interface ProgramEnvRequest {
  /** The orchestrator's own environment, as it was at the start. */
  readonly orchestratorEnv: Readonly<Record<string, string | undefined>>;
  /** Names that configuration lists to be handed on (`sandbox.env`). */
  readonly passNames: readonly string[];
  /** Absolute paths of the attempt's own folders; the caller makes them. */
  readonly home: string;
  readonly tmpdir: string;
  /** Checkout, run folder and worktrees: no `PATH` entry may lie in one of them. */
  readonly forbiddenPathRoots: readonly string[];
  /** What the orchestrator says to this program (`ORCH_*`). */
  readonly extra: Readonly<Record<string, string>>;
}

/** A whole environment, and the listed names that it must not carry. */
export interface ProgramEnv {
  readonly env: Readonly<Record<string, string>>;
  readonly refused: readonly string[];
}

/** What is left when no entry of `PATH` may stay: an empty `PATH` would mean the current folder. */
const PATH_FLOOR = "/usr/bin:/bin";

/** Handed on as they are, when the orchestrator has them. */
const inheritedNames = ["LANG", "LC_ALL", "RUNNER_TRACKING_ID"] as const;

/**
 * Builds the environment of an executor, auditor or verification command by allow-list: nothing is in it that is not
 * named here or in the request. Touches the world only to resolve real paths; makes no folder.
 */
export async function buildProgramEnv(request: ProgramEnvRequest): Promise<ProgramEnv> {
  const { orchestratorEnv, home } = request;
  const names = [...new Set(request.passNames)];
  const refused = names.filter(isForbiddenEnvName);
  const passed = names.filter((name) => !isForbiddenEnvName(name));
  return {
    env: {
      ...pick(orchestratorEnv, [...passed, ...inheritedNames]),
      PATH: cleanPath(orchestratorEnv["PATH"] ?? "", request.forbiddenPathRoots),
      TERM: "dumb",
      CI: "true",
      HOME: home,
      TMPDIR: request.tmpdir,
      XDG_CONFIG_HOME: join(home, ".config"),
      XDG_CACHE_HOME: join(home, ".cache"),
      XDG_DATA_HOME: join(home, ".local", "share"),
      XDG_STATE_HOME: join(home, ".local", "state"),
      ...request.extra,
    },
    refused,
  };
}

/**
 * The orchestrator's own environment without entries of `PATH` that lead into the checkout around `cwd`: the `git` that
 * it starts there, with its own environment, would be one that a session or a dependency can write (`npx` puts the
 * checkout's own programs first). Everything else stays as it is.
 */
export function shieldSearchPath(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Readonly<Record<string, string | undefined>> {
  const path = env["PATH"];
  if (path === undefined || path === "") return env;
  const root = findCheckoutAbove(realPathOf(cwd));
  return { ...env, PATH: cleanPath(path, root === undefined ? [] : [root]) };
}

/** The nearest folder that holds a `.git`. Git is not asked: which git that would be is the question. */
function findCheckoutAbove(folder: string): string | undefined {
  if (existsSync(join(folder, ".git"))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : findCheckoutAbove(parent);
}

function pick(env: Readonly<Record<string, string | undefined>>, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

/** `PATH` without relative or empty entries and without entries in a folder that an agent can write to. */
function cleanPath(path: string, forbiddenRoots: readonly string[]): string {
  const roots = forbiddenRoots.map((root) => [resolve(root), realPathOf(root)]);
  const kept: string[] = [];
  for (const entry of path.split(delimiter).filter(isAbsolute)) {
    const places = [resolve(entry), realPathOf(entry)];
    const forbidden = roots.flat().some((root) => places.some((place) => isInside(place, root)));
    if (!forbidden) kept.push(entry);
  }
  return kept.length > 0 ? kept.join(delimiter) : PATH_FLOOR;
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}
