import { resolve } from "node:path";
import { connectGithub } from "../compose/github.ts";
import type { Workplace } from "../compose/workplace.ts";
import { world } from "../compose/world.ts";
import { findGithubPlace } from "../domain/github-repository.ts";
import { parsePreflight } from "../domain/preflight.ts";
import { optionOfWorkflowRun } from "../domain/workflow-runs.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { TrustSource } from "../kernel/run-context.ts";
import type { Io } from "./io.ts";
import type { GithubAccess } from "../invocation/access.ts";
import { given, type InvocationOptions } from "../invocation/settings.ts";

/**
 * Finds out how the trusted branch and the gates are read: in the checkout unless `--gates github` or `--preflight` say
 * otherwise. What is missing for it is said in one line.
 */
export async function openGithub(
  io: Io,
  workplace: Workplace,
  options: Pick<InvocationOptions, "gates" | "preflight" | "preflightSha256">,
): Promise<Result<GithubAccess, string>> {
  const handed = readPreflight(io, options);
  if (!handed.ok) return handed;
  const preflight = given(options.preflightSha256 ?? null, options.preflight === undefined);
  const option = { preflight, ...optionOfWorkflowRun(io.env) };
  const resumed = handed.value?.document.resume ?? null;
  const workflowRuns = resumed === null ? [] : [resumed.workflow_run];
  if (options.gates !== "github") {
    return ok({ github: undefined, trust: handed.value ?? { kind: "checkout" }, option, workflowRuns });
  }
  const place = findGithubPlace(io.env, await workplace.user.readOrigin());
  if (!place.ok) return err(`--gates github: ${place.error}`);
  const token = io.env["GITHUB_TOKEN"];
  if (token === undefined || token === "")
    return err("--gates github: expected a token that may read the repository in GITHUB_TOKEN, found none");
  const github = await connectGithub(place.value, token, io.interrupt);
  return ok({
    github,
    trust: handed.value ?? {
      kind: "api",
      repositoryId: place.value.repositoryId,
      byPerson: true,
      askedBy: "the command line",
      askers: [],
    },
    option,
    workflowRuns,
  });
}

/** What another job read on GitHub; it must be the very file that job told of. */
function readPreflight(
  io: Io,
  { preflight: path, preflightSha256: digest }: Pick<InvocationOptions, "preflight" | "preflightSha256">,
): Result<Extract<TrustSource, { kind: "preflight" }> | undefined, string> {
  if (path === undefined && digest === undefined) return ok(undefined);
  if (path === undefined || digest === undefined)
    return err("--preflight and --preflight-sha256: expected both or neither");
  if (!/^[0-9a-f]{64}$/.test(digest)) return err("--preflight-sha256: expected 64 hexadecimal digits");
  const bytes = world.readLocalFile(resolve(io.cwd, path));
  if (bytes === undefined) return err(`--preflight: cannot read ${path}`);
  const document = parsePreflight(bytes, digest);
  return document.ok ? ok({ kind: "preflight", document: document.value }) : err(`--preflight: ${document.error}`);
}
