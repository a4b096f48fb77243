import { z } from "zod";
import { err, ok, type Result } from "./result.ts";

const id = z.int().positive();
const repository = z.object({ id });

/** What is read of a payload; everything else in it is somebody's text. */
const payloadSchema = z.object({
  repository: z.object({ id, default_branch: z.string().min(1).optional() }).optional(),
  sender: z.object({ id, login: z.string().min(1), type: z.string() }).optional(),
  pull_request: z
    .object({
      number: z.int().positive(),
      head: z.object({ repo: repository.nullish() }),
      base: z.object({ repo: repository }),
    })
    .optional(),
  issue: z.object({ number: z.int().positive(), pull_request: z.object({}).optional() }).optional(),
  workflow_run: z
    .object({
      head_repository: repository.nullish(),
      pull_requests: z.array(z.object({ number: z.int().positive() })).default([]),
    })
    .optional(),
});

/** The event of a workflow run, as the doors and the gate read it. */
export interface EventFacts {
  readonly name: string;
  /** Whose code the event is about: this repository's own, a fork's, or nobody knows. */
  readonly head: "own" | "fork" | "unknown";
  readonly defaultBranch: string | undefined;
  readonly repositoryId: number | undefined;
  /** Who caused it, by the id that no renaming changes. */
  readonly sender: { readonly id: number; readonly login: string; readonly type: string } | undefined;
  /** The pull request that it is about. */
  readonly pullRequest: number | undefined;
}

/**
 * Reads the payload of an event. A head counts as the repository's own only when the payload names the same repository
 * twice by its id. The error says why a payload cannot be read.
 */
export function parseEventPayload(name: string, text: string): Result<EventFacts, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err("it is no JSON");
  }
  const parsed = payloadSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return err(
      `${issue === undefined || issue.path.length === 0 ? "it" : issue.path.join(".")} is not as GitHub writes it`,
    );
  }
  const { repository: own, sender, pull_request: pull, issue, workflow_run: run } = parsed.data;
  return ok({
    name,
    head: judgeHead(name, parsed.data),
    defaultBranch: own?.default_branch,
    repositoryId: own?.id,
    sender,
    pullRequest: pull?.number ?? (issue?.pull_request === undefined ? run?.pull_requests[0]?.number : issue.number),
  });
}

/** True when a person asked for this very plan: by hand, and not through a bot. */
export function isAskedByPerson({ name, sender }: EventFacts): boolean {
  return name === "workflow_dispatch" && sender?.type === "User";
}

/** Events whose payload tells of a head that may be somebody else's. */
const WITH_HEAD: readonly string[] = [
  "pull_request",
  "pull_request_target",
  "pull_request_review",
  "pull_request_review_comment",
];

function judgeHead(
  name: string,
  { repository: own, pull_request: pull, workflow_run: run }: z.infer<typeof payloadSchema>,
): EventFacts["head"] {
  if (pull !== undefined) return compareIds(pull.head.repo?.id, pull.base.repo.id, own?.id ?? pull.base.repo.id);
  if (run !== undefined) return compareIds(run.head_repository?.id, own?.id, own?.id);
  return WITH_HEAD.includes(name) || name === "workflow_run" ? "unknown" : "own";
}

function compareIds(head: number | undefined, base: number | undefined, own: number | undefined): EventFacts["head"] {
  if (head === undefined || base === undefined) return "unknown";
  return head === base && head === own ? "own" : "fork";
}
