import { sign } from "node:crypto";
import { z } from "zod";
import { parseInstant } from "../../domain/instants.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import type { Clock } from "../../ports.ts";
import { createOctokit } from "./client.ts";
import { createRequests, type RequestsOptions } from "./requests.ts";

/** A token of an App for one repository, and the account that acts with it. */
export interface AppToken {
  readonly token: string;
  readonly login: string;
}

/** GitHub's own clock may be behind ours, and takes no longer life than ten minutes. */
const BACKDATED_SECONDS = 60;
const LIFE_SECONDS = 540;

/** What publishing needs and nothing else. */
const PERMISSIONS = { contents: "write", pull_requests: "write" } as const;

/**
 * Makes a token of a GitHub App that holds for this repository alone and for nothing but publishing. The error is for
 * people and never repeats the key.
 */
export async function createAppToken(
  app: { readonly clientId: string; readonly privateKey: string },
  place: Pick<RequestsOptions, "owner" | "repo" | "randomness" | "interrupt"> & {
    readonly apiUrl: string;
    readonly graphqlUrl: string;
    readonly clock: Clock;
  },
): Promise<Result<AppToken, string>> {
  let jwt: string;
  try {
    jwt = signJwt(app, Math.floor(parseInstant(place.clock.now()) / 1000));
  } catch {
    return err("app-private-key: the key cannot be used to sign");
  }
  const octokit = await createOctokit({ ...place, token: jwt });
  const requests = createRequests({ ...place, octokit });
  const own = await requests.read("GET /app", {}, z.object({ slug: z.string() }));
  if (!own.ok) return err(`the App: ${own.error.message}`);
  const installed = await requests.read("GET /repos/{owner}/{repo}/installation", {}, z.object({ id: z.int() }));
  if (!installed.ok) return err(`the App is not installed on this repository: ${installed.error.message}`);
  const made = await requests.write(
    "POST /app/installations/{installation_id}/access_tokens",
    { installation_id: installed.value.id, repositories: [place.repo], permissions: PERMISSIONS },
    z.object({ token: z.string().min(1) }),
    // One token more does no harm: each ends within the hour.
    { idempotent: true },
  );
  return made.ok
    ? ok({ token: made.value.token, login: `${own.value.slug}[bot]` })
    : err(`the App's token for this repository: ${made.error.message}`);
}

function signJwt({ clientId, privateKey }: { clientId: string; privateKey: string }, nowSeconds: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iat: nowSeconds - BACKDATED_SECONDS, exp: nowSeconds + LIFE_SECONDS, iss: clientId };
  const text = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
}
