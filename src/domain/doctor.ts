import type { ReasonCode } from "./reason-codes.ts";

/** One thing that doctor looked at. */
export interface DoctorFinding {
  readonly area: "environment" | "repository" | "configuration" | "plan" | "run";
  readonly level: "ok" | "warning" | "error";
  readonly code: string | null;
  readonly message: string;
}

/** What doctor reads of the machine. */
export interface EnvironmentFacts {
  readonly node: string;
  readonly git: string | undefined;
  readonly bash: string | undefined;
  readonly platform: string;
  readonly parentDeath: boolean;
  readonly ambientAgentConfig: readonly string[];
}

/** Oldest versions that a run works with. */
const GIT_MIN = [2, 38] as const;

/** Judges the machine: Node, git, bash, the platform, and settings of agents that lie about (AMBIENT_AGENT_CONFIG). */
export function judgeEnvironment(facts: EnvironmentFacts): DoctorFinding[] {
  const say = (level: DoctorFinding["level"], message: string, code: ReasonCode | null = null): DoctorFinding => ({
    area: "environment",
    level,
    code,
    message,
  });
  return [
    say("ok", `Node ${facts.node}`),
    facts.git === undefined
      ? say("error", "git is missing: install git 2.38 or newer")
      : isOlder(facts.git, GIT_MIN)
        ? say("error", `git ${facts.git} is too old: install 2.38 or newer`)
        : say("ok", `git ${facts.git}`),
    facts.bash === undefined
      ? say("error", "bash is missing: required commands are run by it")
      : say("ok", `bash at ${facts.bash}`),
    facts.platform === "linux"
      ? say("ok", "Linux is supported whole")
      : say("warning", `${facts.platform}: what only Linux enforces is advisory here`),
    facts.parentDeath
      ? say("ok", "programs die with the orchestrator (setpriv)")
      : say("warning", "no setpriv: programs may outlive an orchestrator that is killed; a resume ends them"),
    ...facts.ambientAgentConfig.map((path) =>
      say("warning", `${path} could change what an agent does`, "AMBIENT_AGENT_CONFIG"),
    ),
  ];
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [foundMajor = 0, foundMinor = 0] = version.split(".").map(Number);
  // Asked this way round, a version that is no number is too old.
  return !(foundMajor > major || (foundMajor === major && foundMinor >= minor));
}
