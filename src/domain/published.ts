import { z } from "zod";

/** How a publication ended; `merged`: its pull request had been merged before. */
export const PUBLICATION_STATES = ["published", "merged", "refused", "unavailable"] as const;

export const pullRequestSchema = z
  .strictObject({ number: z.int().positive(), url: z.string(), draft: z.boolean() })
  .meta({ id: "pull_request" });
/** The pull request of a run. */
export type PullRequest = z.infer<typeof pullRequestSchema>;

/** What is known of a run on GitHub. */
export interface PublishedState {
  readonly head: string;
  readonly status: "intended" | (typeof PUBLICATION_STATES)[number];
  readonly publishedHead: string | null;
  readonly pullRequest: PullRequest | null;
  readonly message: string;
}

/** Whose token delivers: with that of a workflow no other workflow starts by itself. */
export type TokenKind = "github_token" | "app" | "other" | "unknown";
