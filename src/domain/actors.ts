import { isMachine } from "./machine-users.ts";
import type { ApprovalPolicy } from "./approval-policy.ts";
import type { GithubUser, GithubWorkflowRun } from "./github-answers.ts";

/** Somebody who started a workflow run, as GitHub names them, and what GitHub says they may do here. */
export interface Actor extends Starter {
  /** `GET …/collaborators/{login}/permission`; `unknown` says why there is none. */
  readonly permission:
    | {
        readonly level: string;
        /** The account that the answer is about; null when it names none. */
        readonly ofId: number | null;
        /** What kind of account that is: `User` for a person. */
        readonly ofType: string;
      }
    | { readonly unknown: string };
}

/** Somebody who started a workflow run, before anybody was asked about them. */
export interface Starter {
  readonly did: "started" | "ran again";
  readonly login: string;
  /** Null when nobody says it: a login alone is nobody's name, it can be taken over. */
  readonly id: number | null;
  readonly isBot: boolean;
  /** Why there is no number, in words, where that is known. */
  readonly why?: string;
}

/** What the runner's environment says of who started the workflow run. */
export interface StartedBy {
  readonly event: string;
  /** `GITHUB_ACTOR`, `GITHUB_ACTOR_ID`, `GITHUB_TRIGGERING_ACTOR`, `GITHUB_RUN_ATTEMPT`. */
  readonly actor: string;
  readonly actorId: string;
  readonly triggeringActor: string;
  readonly attempt: string;
}

/** Levels that may write: who has less cannot have meant to start a run. */
const MAY_WRITE: readonly string[] = ["write", "admin"];

/**
 * Finds who started a workflow run and who ran it again. GitHub's own answer about the run counts; where the token may
 * not read it, the runner's environment, which tells the number of the first alone. A schedule is started by nobody: who
 * wrote its workflow file last is no more than that, and the configuration's consent decides (docs/approvals.md).
 */
export function listStarters(by: StartedBy, run: GithubWorkflowRun | { readonly unknown: string }): Starter[] {
  const isUnknown = "unknown" in run;
  const first = isUnknown ? fromEnvironment(by, run.unknown) : fromAnswer("started", run.actor);
  const again = isUnknown ? againFromEnvironment(by, run.unknown) : fromAnswer("ran again", run.triggering_actor);
  if (by.event === "schedule") return by.attempt === "1" ? [] : [again];
  return again.id === first.id && again.login === first.login ? [first] : [first, again];
}

function fromAnswer(did: Starter["did"], user: GithubUser): Starter {
  if (user === null) return { did, login: "ghost", id: null, isBot: false };
  return { did, login: user.login, id: user.id, isBot: user.type !== "User" };
}

function fromEnvironment({ actor, actorId }: StartedBy, why: string): Starter {
  const id = /^[1-9]\d{0,14}$/.test(actorId) ? Number(actorId) : null;
  return { did: "started", login: actor, id, isBot: isBotLogin(actor), ...(id === null ? { why } : {}) };
}

function againFromEnvironment(by: StartedBy, why: string): Starter {
  const { triggeringActor: login, attempt } = by;
  // Of the first attempt nobody else has run anything again; of a later one it has to be said who did.
  if (login === by.actor || (login === "" && attempt === "1")) return { ...fromEnvironment(by, why), did: "ran again" };
  return { did: "ran again", login, id: null, isBot: isBotLogin(login), why };
}

/** No person can have a login of this form. */
function isBotLogin(login: string): boolean {
  return login.endsWith("[bot]");
}

/** True when a person allowed this very account at the door. */
export function isAllowedActor({ id }: Starter, allowed: readonly string[]): boolean {
  return id !== null && allowed.includes(`actor:${id}`);
}

/** Why somebody may not start a run here, in words; nothing when they may. What is not known refuses like what is wrong. */
export function whyMayNotStart({ login, id, isBot, why, permission }: Actor): string | undefined {
  if (id === null)
    return `whose account that is, is not known${why === undefined ? "" : ` (${why})`}: give the token actions: read, or start the workflow anew`;
  if (isBot) return "expected a person with write access, found a bot";
  if ("unknown" in permission) return `what they may do is not known: ${permission.unknown}`;
  if (permission.ofId === null) return `what GitHub says of ${login}'s access names no account`;
  if (permission.ofType !== "User")
    return `expected a person with write access, found an account of type ${permission.ofType}`;
  if (permission.ofId !== id) return `the login ${login} belongs to another account now`;
  return MAY_WRITE.includes(permission.level)
    ? undefined
    : `expected a person with write access, found the permission ${permission.level}`;
}

/**
 * Why somebody who started a workflow run did not thereby ask for the plan as a person, in words; nothing when they did.
 * That is more than the door asks for: a machine of `policy.machine-users` may be let in, and has no say.
 */
export function whyNotAsked(actor: Actor, policy: Pick<ApprovalPolicy, "machine-users">): string | undefined {
  const { login, id } = actor;
  const why = whyMayNotStart(actor);
  if (why !== undefined) return why;
  return id !== null && isMachine(policy, { login, id }) ? "is one of policy.machine-users" : undefined;
}

/** Who did what, in words. */
export function sayActor({ did, login, id }: Starter): string {
  const what = did === "started" ? "started the workflow run" : "ran the workflow run again";
  return `${login === "" ? "somebody unknown" : login} (account ${id ?? "unknown"}) ${what}`;
}
