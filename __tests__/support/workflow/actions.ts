import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ROOT } from "../conveyor.ts";
import { git } from "../git-run.ts";
import { copyInto } from "./artifacts.ts";
import type { WorkflowWorld } from "./world.ts";

/** What the actions of GitHub may touch on a runner. */
export interface Runner {
  readonly workspace: string;
  readonly temp: string;
  readonly token: string;
  /** Folders that later steps find programs in, newest first. */
  readonly path: string[];
}

type Inputs = Readonly<Record<string, string>>;

/** Does what one of GitHub's own actions does, as far as our workflows use it; what it throws makes the step fail. */
export function performAction(name: string, inputs: Inputs, runner: Runner, world: WorkflowWorld): Inputs {
  const perform = ACTIONS[name];
  if (perform === undefined) throw new Error(`the harness knows no action ${name}`);
  return perform(inputs, runner, world);
}

const ACTIONS: Readonly<Record<string, (inputs: Inputs, runner: Runner, world: WorkflowWorld) => Inputs>> = {
  "actions/checkout": checkOut,
  "actions/setup-node": setUpNode,
  "actions/upload-artifact": upload,
  "actions/download-artifact": download,
};

/** Files that the checkout of our own source has to have: what is built is the working tree's, not the last commit's. */
const SOURCE_FILES = ["action.yml", "package.json", "dist", ".github/run-plan"];

function checkOut(inputs: Inputs, { workspace, token }: Runner, world: WorkflowWorld): Inputs {
  refuseUnknown(inputs, ["repository", "ref", "path", "fetch-depth", "persist-credentials"]);
  const repository = inputs["repository"] || world.repository;
  const folder = resolve(workspace, inputs["path"] || ".");
  if (repository === world.source.repository && repository !== world.repository) {
    if (inputs["ref"] !== world.source.sha) throw new Error(`there is no commit ${inputs["ref"] ?? ""}`);
    mkdirSync(folder, { recursive: true });
    for (const path of SOURCE_FILES) copyInto(join(ROOT, path), join(folder, path));
    return { commit: world.source.sha };
  }
  const from = world.repositories[repository];
  if (from === undefined) throw new Error(`Repository not found: ${repository}`);
  const commit = inputs["ref"] || world.sha;
  mkdirSync(folder, { recursive: true });
  git(folder, "init", "--quiet", "--initial-branch", world.defaultBranch);
  git(folder, "remote", "add", "origin", `${world.serverUrl}/${repository}`);
  const depth = inputs["fetch-depth"] === "0" ? [] : ["--depth=1"];
  const all = `+refs/heads/*:refs/remotes/origin/*`;
  git(folder, "fetch", "--quiet", ...depth, "--no-tags", `file://${from}`, ...(depth.length > 0 ? [commit] : [all]));
  git(folder, "checkout", "--quiet", "-B", world.defaultBranch, commit);
  // The default of the action leaves the job's token where every later step can read it.
  if (inputs["persist-credentials"] !== "false") {
    const header = Buffer.from(`x-access-token:${token}`).toString("base64");
    git(folder, "config", `http.${world.serverUrl}/.extraheader`, `AUTHORIZATION: basic ${header}`);
  }
  return { commit, ref: "" };
}

/** Puts the Node that runs the tests first on the path of later steps, alone in a folder. */
function setUpNode(inputs: Inputs, runner: Runner): Inputs {
  refuseUnknown(inputs, ["node-version", "package-manager-cache"]);
  const [major] = process.versions.node.split(".");
  if (inputs["node-version"] !== major) throw new Error(`the harness has Node ${String(major)} alone`);
  const bin = join(runner.temp, "..", "toolcache", "node", "bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(process.execPath, join(bin, "node"));
  runner.path.unshift(bin);
  return { "node-version": `v${process.versions.node}` };
}

function upload(inputs: Inputs, _: Runner, world: WorkflowWorld): Inputs {
  refuseUnknown(inputs, ["name", "path", "if-no-files-found", "retention-days", "overwrite", "compression-level"]);
  const { id, digest } = world.artifacts.upload(
    inputs["name"] ?? "artifact",
    inputs["path"] ?? "",
    inputs["overwrite"] === "true",
  );
  const url = `${world.serverUrl}/${world.repository}/actions/runs/${world.runId}/artifacts/${id}`;
  return { "artifact-id": String(id), "artifact-url": url, "artifact-digest": digest };
}

function download(inputs: Inputs, _: Runner, world: WorkflowWorld): Inputs {
  refuseUnknown(inputs, ["name", "artifact-ids", "path"]);
  const ids = inputs["artifact-ids"] ?? "";
  const folder = inputs["path"] ?? "";
  world.artifacts.download(ids === "" ? { name: inputs["name"] ?? "" } : { id: Number(ids) }, folder);
  return { "download-path": folder };
}

/** An input that the harness would pass over would be a difference from GitHub that no test sees. */
function refuseUnknown(inputs: Inputs, known: readonly string[]): void {
  const unknown = Object.keys(inputs).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`Unexpected input(s) '${unknown.join("', '")}'`);
}

/** The event of a workflow run as every step finds it. */
export function writeEvent(temp: string, payload: Readonly<Record<string, unknown>>): string {
  const path = join(temp, "_github_workflow", "event.json");
  mkdirSync(join(temp, "_github_workflow"), { recursive: true });
  writeFileSync(path, JSON.stringify(payload));
  return path;
}
