import { join } from "node:path";
import { connectApp, openForPublishing } from "../../compose/deliver.ts";
import { connectClient } from "../../compose/github.ts";
import type { Workplace } from "../../compose/workplace.ts";
import { world } from "../../compose/world.ts";
import { DEFAULT_CONFIG_PATH } from "../../domain/run-choices.ts";
import { findGithubPlace, type GithubPlace } from "../../domain/github-repository.ts";
import { parseAdmissionEnvironment } from "../../domain/policy.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { openPackedFolder } from "../../invocation/open-packed-folder.ts";
import type { FoundRun } from "../../invocation/open-saved-run.ts";
import { findHolder, type TokenHolder } from "../../kernel/publish/find-holder.ts";
import type { DeliveryOutcome } from "../../kernel/publish/deliver-run.ts";
import { publishRun, type PublishInput, type PublishOutcome } from "../../kernel/publish/publish-run.ts";
import type { AdmittedCall } from "../call.ts";
import { fetchArtifact } from "../fetch-artifact.ts";
import { buildRunOutputs } from "../outputs.ts";
import { RED, reportRefusals } from "../refusals.ts";
import { openStepWorkplace, stateFolder } from "../workplace.ts";

/** `command: publish`: derives a run again from its artifact, pushes its branch, opens or updates its pull request. */
export async function publish(call: AdmittedCall): Promise<number> {
  const { step } = call;
  const workplace = await openStepWorkplace(call);
  if (!workplace.ok) return await reportRefusals(step, workplace.error);
  const fetched = await fetchArtifact(call, join(stateFolder(call), "artifacts", "published"));
  if (!fetched.ok) return await reportRefusals(step, fetched.error);
  const { folder } = fetched.value;
  const request = { folder, packSha256: call.inputs.packSha256, use: { kind: "read" } } as const;
  const opened = await openPackedFolder(workplace.value, request);
  if (!opened.ok) return await reportRefusals(step, opened.error.refusals);
  await using pack = opened.value;
  const { found } = pack;
  const published = await deliver(call, workplace.value, found);
  if (!published.ok) return await reportRefusals(step, [{ code: "USAGE", message: published.error }]);
  // Of a run that is not believed nothing is said that a later job might go by.
  if (published.value.kind !== "refused") sayRun(step, found);
  return await report(call, published.value);
}

function sayRun(step: AdmittedCall["step"], { run, runFolder }: FoundRun): void {
  for (const [name, value] of Object.entries(buildRunOutputs(run.state, runFolder)))
    // Where a report lay on the runner that made it is of no use on this one.
    if (!name.endsWith("-path")) step.output(name, value);
}

/** What pushes: a token of the App's, so that CI of the pull request starts by itself, else the one that was given. */
async function chooseToken(
  { inputs, step, interrupt }: AdmittedCall,
  place: GithubPlace,
): Promise<Result<{ token: string; holder: TokenHolder | undefined }, string>> {
  if (inputs.app === undefined) {
    return inputs.githubToken === ""
      ? err("github-token: expected a token that may push, found none")
      : ok({ token: inputs.githubToken, holder: undefined });
  }
  const made = await connectApp(inputs.app, place, interrupt);
  if (!made.ok) return made;
  step.mask(made.value.token);
  return ok({ token: made.value.token, holder: { self: made.value.login, token: "app" } });
}

async function deliver(
  call: AdmittedCall,
  workplace: Workplace,
  { run, runFolder }: FoundRun,
): Promise<Result<PublishOutcome, string>> {
  const { env, inputs, interrupt, step } = call;
  const place = findGithubPlace(env, undefined);
  if (!place.ok) return place;
  const chosen = await chooseToken(call, place.value);
  if (!chosen.ok) return chosen;
  const { token } = chosen.value;
  // Git is given the token in this form, and might say it when it fails.
  step.mask(Buffer.from(`x-access-token:${token}`).toString("base64"));
  const { owner, repo } = place.value;
  const ports = openForPublishing(
    workplace,
    { runFolder, runId: run.state.runId, configPath: run.state.created.config.path ?? DEFAULT_CONFIG_PATH },
    {
      octokit: await connectClient({ ...place.value, token }),
      accessToken: token,
      owner,
      repo,
      serverUrl: env["GITHUB_SERVER_URL"] ?? "https://github.com",
      interrupt,
    },
  );
  const environment = parseAdmissionEnvironment(env);
  const { rerunReport } = inputs;
  const holder = chosen.value.holder ?? (await findHolder(ports.writes));
  if (holder.self === undefined) step.annotate("notice", UNKNOWN_HOLDER, { title: "Plan Conveyor" });
  const input: PublishInput = {
    anchors: inputs.anchors,
    // A publish job that is told of no approval of its own goes by those that the run was given.
    admission: environment.approvals.length === 0 ? undefined : environment,
    trustBranch: undefined,
    ...holder,
    rerun: rerunReport === undefined ? "not_demanded" : { report: new TextEncoder().encode(rerunReport) },
    // Agents whose run still lies on this machine ran where the token that writes is.
    profile: world.isFolder(join(stateFolder(call), run.state.runId)) ? "one_job" : "separate_jobs",
  };
  return ok(await publishRun(run, input, ports));
}

const UNKNOWN_HOLDER =
  "GitHub did not say whose token publishes: the pull request with the run's mark is taken for the run's own, whoever opened it";

async function report({ step }: AdmittedCall, outcome: PublishOutcome): Promise<number> {
  switch (outcome.kind) {
    case "nothing":
      step.annotate("notice", `Nothing was published: ${outcome.why}`, { title: "Plan Conveyor" });
      await step.summarize(`## Nothing was published\n\nThe run has nothing that may leave it yet.\n`);
      return 0;
    case "merged":
      step.output("pull-request-number", String(outcome.number));
      await step.summarize(`## The pull request #${outcome.number} was merged before\n`);
      return 0;
    case "published":
      return await reportPublished(step, outcome);
    case "refused":
      return await reportRefusals(step, outcome.faults);
    case "unavailable":
      step.annotate("error", `DELIVERY_UNAVAILABLE ${outcome.message}; publish again, nothing is done twice`, {
        title: "Plan Conveyor",
      });
      await step.summarize("## GitHub could not be reached: publish again, nothing is done twice\n");
      return RED;
  }
}

async function reportPublished(
  step: AdmittedCall["step"],
  { pull, branch, headSha, waitingItem }: Extract<DeliveryOutcome, { kind: "published" }>,
): Promise<number> {
  step.output("pull-request-number", String(pull.number));
  step.output("branch", branch);
  step.output("head-sha", headSha);
  const what = waitingItem === undefined ? "Pull request" : "Draft pull request, an item waits for a person:";
  step.log(`${what} #${pull.number} at ${headSha}`);
  await step.summarize(`## ${what} #${pull.number}\n\n\`${branch}\` at \`${headSha}\`.\n`);
  return 0;
}
