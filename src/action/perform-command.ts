import { join } from "node:path";
import { connectGithub } from "../compose/github.ts";
import { world } from "../compose/world.ts";
import { listStarters, type Starter } from "../domain/actors.ts";
import { judgeDoors, type DoorFacts, type DoorPurpose } from "../domain/doors.ts";
import { parseEventPayload, type EventFacts } from "../domain/event-payload.ts";
import { findGithubPlace } from "../domain/github-repository.ts";
import { sayFailure } from "../domain/github-failure.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { readActor } from "../kernel/github/read-actor.ts";
import type { Github } from "../ports/github.ts";
import type { ActionCall, AdmittedCall } from "./call.ts";
import { redactStep } from "./redact-step.ts";
import type { ActionCommand } from "./input-specs.ts";
import { reportRefusals, type StepRefusal } from "./refusals.ts";

const PURPOSES: Record<ActionCommand, DoorPurpose> = {
  run: "execute",
  preflight: "preflight",
  publish: "publish",
  gate: "gate",
};

/** Performs one step whose inputs are right: the doors first, then the command. Gives the exit code of the step. */
export async function performCommand(asked: Omit<ActionCall, "redactor">): Promise<number> {
  const redactor = world.createRedactor(asked.env);
  const call = { ...asked, redactor, step: redactStep(asked.step, redactor) };
  hideSecrets(call);
  const admitted = await admit(call);
  if (!admitted.ok) return await reportRefusals(call.step, admitted.error);
  switch (call.inputs.command) {
    case "run":
      return await (await import("./commands/run.ts")).run(admitted.value);
    case "preflight":
      return await (await import("./commands/preflight.ts")).preflight(admitted.value);
    case "publish":
      return await (await import("./commands/publish.ts")).publish(admitted.value);
    case "gate":
      return await (await import("./commands/gate.ts")).gate(admitted.value);
  }
}

/** What a runner masks is what it was told; of what was handed over by hand it may know nothing. */
function hideSecrets({ step, inputs }: ActionCall): void {
  const { githubToken, app } = inputs;
  if (githubToken !== "") step.mask(githubToken);
  // A log is masked line by line.
  for (const line of app?.privateKey.split("\n") ?? [])
    if (line.trim() !== "" && !line.startsWith("-----")) step.mask(line);
}

/** Asks the doors; what can be known without the network refuses before anything is asked there. */
async function admit(call: ActionCall): Promise<Result<AdmittedCall, readonly StepRefusal[]>> {
  const { inputs, env } = call;
  if (inputs.paused) {
    return err([{ code: "PAUSED", message: "the kill switch is on: the input paused is true; nothing was started" }]);
  }
  const folder = join(call.cwd, inputs.workingDirectory);
  if (!world.isFolder(folder))
    return err([
      { code: "USAGE", message: `working-directory: expected a folder of the workspace, found none at ${folder}` },
    ]);
  const event = readEvent(env);
  if (!event.ok) return err([{ code: "EVENT_NOT_ALLOWED", message: event.error }]);
  const facts: DoorFacts = {
    purpose: PURPOSES[inputs.command],
    event: event.value,
    credentials: await world.findGitCredentials(folder, env),
    oidcNames: ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"].filter(
      (name) => (env[name] ?? "") !== "",
    ),
    tokenRights: undefined,
    actors: undefined,
    runnerEnvironment: env["RUNNER_ENVIRONMENT"],
  };
  const here = judgeDoors(facts, inputs.allow);
  if (here.length > 0) return err(here);
  const connected = await connect(call);
  if (!connected.ok) return err([{ code: "USAGE", message: connected.error }]);
  const github = connected.value;
  if (github === undefined) return ok({ ...call, event: event.value, starters: [], github });
  const { starters, ...asked } = await askAtDoor(call, facts, github);
  const there = judgeDoors({ ...facts, ...asked }, inputs.allow);
  return there.length > 0 ? err(there) : ok({ ...call, event: event.value, starters, github });
}

/** What only GitHub can say to the doors, and what is not asked because nothing would come of it. */
async function askAtDoor(
  { inputs, env }: ActionCall,
  { purpose, event }: DoorFacts,
  github: Github,
): Promise<Pick<DoorFacts, "tokenRights" | "actors"> & Pick<AdmittedCall, "starters">> {
  const asksRights = purpose === "execute" && !inputs.allow.includes("token-write");
  // The gate of a pull request is nobody's wish; the final report of a run asks behind the door who wished for that.
  const needsStarters = purpose !== "gate" || inputs.resumeFrom !== undefined;
  const [tokenRights, starters] = await Promise.all([
    asksRights ? readTokenRights(github) : undefined,
    needsStarters ? readStarters(github, env, event.name) : [],
  ]);
  const ask = async () => await Promise.all(starters.map((starter) => readActor(github, starter)));
  return { tokenRights, starters, actors: purpose === "gate" ? undefined : await ask() };
}

/** GitHub as the step's token sees it; nothing without a token. */
async function connect({ inputs, env, interrupt }: ActionCall): Promise<Result<Github | undefined, string>> {
  if (inputs.githubToken === "") return ok(undefined);
  const place = findGithubPlace(env, undefined);
  return place.ok ? ok(await connectGithub(place.value, inputs.githubToken, interrupt)) : place;
}

function readEvent(env: ActionCall["env"]): Result<EventFacts, string> {
  const path = env["GITHUB_EVENT_PATH"] ?? "";
  const bytes = path === "" ? undefined : world.readLocalFile(path);
  if (bytes === undefined) return err("expected the payload of an event at GITHUB_EVENT_PATH, found none");
  const parsed = parseEventPayload(env["GITHUB_EVENT_NAME"] ?? "", new TextDecoder().decode(bytes));
  return parsed.ok ? parsed : err(`the payload of the event cannot be read: ${parsed.error}`);
}

async function readTokenRights(github: Github): Promise<DoorFacts["tokenRights"]> {
  const repository = await github.readRepository();
  if (!repository.ok) return { unknown: sayFailure(repository.error) };
  const { permissions } = repository.value;
  if (permissions === undefined) return { unknown: "GitHub did not say" };
  return permissions.push ? "write" : "read";
}

/** Who started this workflow run and who ran it again, each by number. */
async function readStarters(github: Github, env: ActionCall["env"], event: string): Promise<Starter[]> {
  const id = Number(env["GITHUB_RUN_ID"]);
  const run = Number.isSafeInteger(id) && id > 0 ? await github.readWorkflowRun(id) : undefined;
  const by = {
    event,
    actor: env["GITHUB_ACTOR"] ?? "",
    actorId: env["GITHUB_ACTOR_ID"] ?? "",
    triggeringActor: env["GITHUB_TRIGGERING_ACTOR"] ?? "",
    attempt: env["GITHUB_RUN_ATTEMPT"] ?? "",
  };
  if (run === undefined) return listStarters(by, { unknown: "the runner names no workflow run" });
  return listStarters(by, run.ok ? run.value : { unknown: sayFailure(run.error) });
}
