import { isAllowedActor, sayActor, whyMayNotStart, type Actor } from "./actors.ts";
import type { EventFacts } from "./event-payload.ts";
import type { ReasonCode } from "./reason-codes.ts";

/** What a person can allow at the door by its name, besides events: `event:<name>`. */
const NAMED_ALLOWANCES = ["fork", "credentials-persisted", "oidc", "token-write", "self-hosted"] as const;
export type Allowance = (typeof NAMED_ALLOWANCES)[number] | `event:${string}` | `actor:${string}`;

/** The words that `allow` takes, for people. */
export const ALLOWANCE_WORDS = [...NAMED_ALLOWANCES, "event:<name>", "actor:<number>"] as const;

/** True for a word that `allow` takes. */
export function isAllowance(word: string): word is Allowance {
  return NAMED_ALLOWANCES.some((name) => name === word) || /^(?:event:[a-z_]{1,40}|actor:[1-9]\d{0,14})$/.test(word);
}

/** What stands open behind the door: `execute` starts programs of a plan; the others start none. */
export type DoorPurpose = "execute" | "preflight" | "publish" | "gate";

/**
 * Events that start something by themselves. Who can cause them can write to the repository, or is its own schedule;
 * everything else is refused, also what does not exist yet.
 */
const EVENTS: Record<DoorPurpose, readonly string[]> = {
  execute: ["workflow_dispatch", "schedule", "push", "repository_dispatch", "pull_request"],
  preflight: ["workflow_dispatch", "schedule", "push", "repository_dispatch", "pull_request"],
  publish: ["workflow_dispatch", "schedule", "push", "repository_dispatch", "pull_request", "workflow_run"],
  // The gate reads GitHub and starts nothing of a pull request, so whatever changes a pull request may wake it.
  gate: [
    "workflow_dispatch",
    "schedule",
    "push",
    "repository_dispatch",
    "pull_request",
    "pull_request_target",
    "pull_request_review",
    "merge_group",
    "check_run",
    "check_suite",
    "status",
    "workflow_run",
    "issue_comment",
  ],
};

/** Everything that the door looks at, gathered before it is asked. */
export interface DoorFacts {
  readonly purpose: DoorPurpose;
  readonly event: EventFacts;
  /** Where credentials of git were found that a program of the run could read; values are never among them. */
  readonly credentials: readonly string[];
  /** Names of variables with which a program could ask for an OIDC token. */
  readonly oidcNames: readonly string[];
  /** What the API said of the token; `undefined` when there is no token. */
  readonly tokenRights: "read" | "write" | { readonly unknown: string } | undefined;
  /** Who started the workflow run and who ran it again; `undefined` when nobody could be asked about them. */
  readonly actors: readonly Actor[] | undefined;
  /** `RUNNER_ENVIRONMENT`. */
  readonly runnerEnvironment: string | undefined;
}

/** Why nothing is started: what was expected and found, and how to mend it. */
export interface DoorRefusal {
  readonly code: Extract<
    ReasonCode,
    | "EVENT_NOT_ALLOWED"
    | "FORK_NOT_ALLOWED"
    | "CREDENTIALS_PERSISTED"
    | "OIDC_PRESENT"
    | "TOKEN_TOO_BROAD"
    | "SELF_HOSTED_NOT_ALLOWED"
  >;
  readonly message: string;
}

/**
 * Decides whether a job may go in, every rule each time. What is not known refuses like what is wrong; each rule yields
 * to its own word of `allow` and to no other. Reason codes: EVENT_NOT_ALLOWED, also for who started it, FORK_NOT_ALLOWED,
 * and where programs of a plan are started CREDENTIALS_PERSISTED, OIDC_PRESENT, TOKEN_TOO_BROAD, SELF_HOSTED_NOT_ALLOWED.
 */
export function judgeDoors(facts: DoorFacts, allowed: readonly Allowance[]): readonly DoorRefusal[] {
  const rules = facts.purpose === "execute" ? [...EVERYWHERE, ...WHERE_PROGRAMS_RUN] : EVERYWHERE;
  const refusals = rules.flatMap((rule) => {
    const refused = rule(facts);
    return refused === undefined || allowed.includes(refused.word)
      ? []
      : [{ code: refused.code, message: `${refused.message}; or allow it by name: allow: ${refused.word}` }];
  });
  return [...refusals, ...judgeActors(facts, allowed)];
}

type Rule = (facts: DoorFacts) => (DoorRefusal & { readonly word: Allowance }) | undefined;

const judgeEvent: Rule = ({ purpose, event }) => {
  const known = EVENTS[purpose];
  if (known.includes(event.name)) return undefined;
  const found = event.name === "" ? "no event (GITHUB_EVENT_NAME is empty)" : event.name;
  return {
    code: "EVENT_NOT_ALLOWED",
    word: `event:${event.name}`,
    message: `expected one of ${known.join(", ")}, found ${found}; start the workflow by one of these`,
  };
};

/** Whoever starts something that runs, decides or writes has to have a say here now, whatever they are called (S-34). */
function judgeActors({ purpose, actors = [] }: DoorFacts, allowed: readonly Allowance[]): DoorRefusal[] {
  if (purpose === "gate") return [];
  return actors.flatMap((actor) => {
    const why = isAllowedActor(actor, allowed) ? undefined : whyMayNotStart(actor);
    if (why === undefined) return [];
    const allow = actor.id === null ? "" : `; or allow this account by its number: allow: actor:${actor.id}`;
    return [{ code: "EVENT_NOT_ALLOWED" as const, message: `${sayActor(actor)}: ${why}${allow}` }];
  });
}

const judgeFork: Rule = ({ purpose, event }) => {
  if (purpose === "gate" || event.head === "own") return undefined;
  return {
    code: "FORK_NOT_ALLOWED",
    word: "fork",
    message: `expected a head of this repository, found ${event.head === "fork" ? "one of a fork" : "one whose repository is not known or was deleted"}; push the branch to this repository`,
  };
};

const judgeCredentials: Rule = ({ credentials }) => {
  if (credentials.length === 0) return undefined;
  return {
    code: "CREDENTIALS_PERSISTED",
    word: "credentials-persisted",
    message: `a program of the run could use the credentials in ${credentials.join(", ")}; check out with persist-credentials: false, and remove what else stores some`,
  };
};

const judgeOidc: Rule = ({ oidcNames }) => {
  if (oidcNames.length === 0) return undefined;
  return {
    code: "OIDC_PRESENT",
    word: "oidc",
    message: `${oidcNames.join(" and ")} let any program of this job ask for an OIDC token; take id-token: write from the permissions of this job`,
  };
};

const judgeToken: Rule = ({ tokenRights }) => {
  if (tokenRights === undefined || tokenRights === "read") return undefined;
  const found =
    tokenRights === "write" ? "it can write contents" : `what it can do is not known: ${tokenRights.unknown}`;
  return {
    code: "TOKEN_TOO_BROAD",
    word: "token-write",
    message: `github-token: expected a token that reads alone, found that ${found}; give this job permissions: contents: read, and publish in a job of its own`,
  };
};

const judgeRunner: Rule = ({ runnerEnvironment }) => {
  if (runnerEnvironment === "github-hosted") return undefined;
  return {
    code: "SELF_HOSTED_NOT_ALLOWED",
    word: "self-hosted",
    message: `expected a runner that GitHub hosts, found ${runnerEnvironment === undefined || runnerEnvironment === "" ? "no RUNNER_ENVIRONMENT" : runnerEnvironment}; what a program leaves behind there meets the next job, so use runs-on: ubuntu-24.04`,
  };
};

const EVERYWHERE: readonly Rule[] = [judgeEvent, judgeFork];
const WHERE_PROGRAMS_RUN: readonly Rule[] = [judgeCredentials, judgeOidc, judgeToken, judgeRunner];
