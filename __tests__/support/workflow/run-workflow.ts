import { runJob } from "./run-job.ts";
import {
  fillTexts,
  holds,
  readWorkflow,
  toText,
  type Contexts,
  type FindCalled,
  type JobTemplate,
  type Template,
  type TemplateMap,
  type WorkflowTemplate,
} from "./template.ts";
import type { JobRun, Permissions, Trigger, WorkflowRun, WorkflowWorld } from "./world.ts";

/**
 * Runs a workflow file job by job, in the order of `needs`, one after the other: conditions and expressions are GitHub's
 * own, shell steps and actions of a checkout really run, GitHub's actions are emulated.
 */
export async function runWorkflow(
  path: string,
  trigger: Trigger,
  world: WorkflowWorld,
  findCalled: FindCalled = refuseCalled,
): Promise<WorkflowRun> {
  const workflow = await readWorkflow(path, findCalled);
  const contexts = {
    github: buildGithub(trigger, world),
    inputs: withDefaults(eventOf(workflow, trigger.event), trigger.inputs ?? {}),
    secrets: world.secrets ?? {},
    vars: world.vars ?? {},
  };
  return await runJobs({ workflow, contexts, trigger, world, findCalled, prefix: "", most: undefined });
}

interface JobsInput {
  readonly workflow: WorkflowTemplate;
  readonly contexts: Contexts;
  readonly trigger: Trigger;
  readonly world: WorkflowWorld;
  readonly findCalled: FindCalled;
  readonly prefix: string;
  /** What the caller's job may do: no job of a called workflow may do more. */
  readonly most: Permissions | undefined;
}

async function runJobs(input: JobsInput): Promise<WorkflowRun> {
  const { workflow, prefix } = input;
  const done = new Map<string, { readonly result: JobRun["result"]; readonly outputs: JobRun["outputs"] }>();
  const jobs: Record<string, JobRun> = {};
  const permitted = new Map(workflow.jobs.map((job) => [job.id, permissionsOf(job, input)]));
  for (const job of inOrder(workflow.jobs)) {
    const before = ancestorsOf(job, workflow.jobs).map((id) => done.get(id)?.result);
    const status = { failed: before.some((result) => result !== "success"), cancelled: false };
    const needs = Object.fromEntries(job.needs.map((id) => [id, done.get(id)]));
    const contexts = { ...input.contexts, needs };
    const permissions = permitted.get(job.id) ?? {};
    if (!holds(job.condition, contexts, status)) {
      done.set(job.id, { result: "skipped", outputs: {} });
      jobs[prefix + job.id] = NEVER_RAN;
    } else if (job.body["uses"] === undefined) {
      const shell = shellOf(job.body) ?? shellOf(workflow.body);
      const run = await runJob(job, { ...input, name: job.id, contexts, permissions, shell });
      jobs[prefix + job.id] = run;
      done.set(job.id, run);
    } else {
      const called = await callWorkflow(job, { ...input, contexts, most: permissions });
      Object.assign(jobs, called.jobs);
      const failed = Object.values(called.jobs).some(({ result }) => result === "failure");
      done.set(job.id, { result: failed ? "failure" : "success", outputs: called.outputs });
    }
  }
  const results = Object.fromEntries(done);
  const call = eventOf(workflow, "workflow_call")["outputs"] as TemplateMap | undefined;
  const values = Object.entries(call ?? {}).map(([name, output]) => [name, (output as TemplateMap)["value"] ?? ""]);
  const contexts = { ...input.contexts, jobs: results };
  const outputs = fillTexts(Object.fromEntries(values) as TemplateMap, contexts, { failed: false, cancelled: false });
  return { jobs, outputs };
}

const NEVER_RAN: JobRun = {
  result: "skipped",
  outputs: {},
  steps: [],
  permissions: {},
  token: "",
  workspace: "",
  temp: "",
};

async function callWorkflow(job: JobTemplate, input: JobsInput): Promise<WorkflowRun> {
  const status = { failed: false, cancelled: false };
  const workflow = await readWorkflow(input.findCalled(job.body["uses"] as string));
  const given = fillTexts(job.body["with"], input.contexts, status);
  const secrets = job.body["secrets"];
  const contexts = {
    github: input.contexts["github"],
    inputs: withDefaults(eventOf(workflow, "workflow_call"), given),
    secrets: secrets === "inherit" ? input.contexts["secrets"] : fillTexts(secrets, input.contexts, status),
    vars: input.contexts["vars"],
  };
  return await runJobs({ ...input, workflow, contexts, prefix: `${input.prefix}${job.id} / ` });
}

/** Permissions of a job; GitHub refuses a called workflow as a whole when one of its jobs asks for more than it may. */
function permissionsOf({ id, body }: JobTemplate, { workflow, most }: JobsInput): Permissions {
  const own = body["permissions"] ?? workflow.body["permissions"];
  if (own === undefined && most !== undefined) return most;
  if (typeof own !== "object" || own === null) throw new Error(`${id}: expected permissions by name`);
  const asked = own as Permissions;
  for (const [scope, level] of Object.entries(asked)) {
    const allowed = most?.[scope];
    if (most !== undefined && allowed !== level && allowed !== "write")
      throw new Error(
        `The nested job '${id}' is requesting '${scope}: ${level}', but is only allowed '${scope}: ${allowed ?? "none"}'`,
      );
  }
  return asked;
}

function buildGithub({ event, payload }: Trigger, world: WorkflowWorld): Record<string, unknown> {
  const sender = payload["sender"] as { login?: string; id?: number } | undefined;
  const repository = payload["repository"] as { id?: number } | undefined;
  return {
    event_name: event,
    event: payload,
    repository: world.repository,
    repository_id: repository?.id,
    ref: `refs/heads/${world.defaultBranch}`,
    sha: world.sha,
    run_id: world.runId,
    actor: sender?.login,
    actor_id: sender?.id,
    workflow_ref: `${world.repository}/.github/workflows/conveyor.yml@refs/heads/${world.defaultBranch}`,
  };
}

/** The event's own section of `on`, whatever way that is written. */
function eventOf({ body }: WorkflowTemplate, event: string): TemplateMap {
  const on = body["on"];
  const section = typeof on === "object" && on !== null ? (on as TemplateMap)[event] : undefined;
  return typeof section === "object" && section !== null ? (section as TemplateMap) : {};
}

function withDefaults(section: TemplateMap, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const known = (section["inputs"] ?? {}) as Record<string, TemplateMap>;
  const unknown = Object.keys(given).filter((name) => !(name in known));
  if (unknown.length > 0) throw new Error(`Invalid input: ${unknown.join(", ")}`);
  return Object.fromEntries(
    Object.entries(known).map(([name, { type, default: fallback }]) => {
      const value: unknown = given[name] ?? fallback ?? "";
      return [name, type === "number" ? Number(value) : type === "boolean" ? String(value) === "true" : toText(value)];
    }),
  );
}

function shellOf(body: TemplateMap): string | undefined {
  const run = ((body["defaults"] ?? {}) as TemplateMap)["run"] as { shell?: Template } | undefined;
  return run?.shell === undefined ? undefined : toText(run.shell);
}

function inOrder(jobs: readonly JobTemplate[]): JobTemplate[] {
  const order: JobTemplate[] = [];
  const rest = [...jobs];
  while (rest.length > 0) {
    const next = rest.findIndex(({ needs }) => needs.every((id) => order.some((job) => job.id === id)));
    if (next === -1) throw new Error("jobs need each other in a circle");
    order.push(...rest.splice(next, 1));
  }
  return order;
}

function ancestorsOf(job: JobTemplate, jobs: readonly JobTemplate[]): string[] {
  const direct = jobs.filter(({ id }) => job.needs.includes(id));
  return [...new Set([...job.needs, ...direct.flatMap((each) => ancestorsOf(each, jobs))])];
}

function refuseCalled(uses: string): never {
  throw new Error(`the harness was not told where ${uses} is`);
}
