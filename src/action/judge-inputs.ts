import { DEFAULT_CONFIG_PATH } from "../domain/run-choices.ts";
import type { InputReader } from "./input-reader.ts";
import { INPUT_NAMES, INPUTS, type Inputs, type InputSpec } from "./input-specs.ts";

/** What is wrong with inputs that are right one by one. */
export function judgeInputs(reader: InputReader, inputs: Inputs): void {
  const { command } = inputs;
  for (const name of INPUT_NAMES) {
    const spec: InputSpec = INPUTS[name];
    const value = reader.given(name);
    if (spec.readBy.includes(command) || value === "" || value === spec.fallback) continue;
    reader.problems.push(
      `${name}: command ${command} does not read it; ${spec.readBy.join(" and ")} ${spec.readBy.length > 1 ? "do" : "does"}`,
    );
  }
  const needsPlan = command === "preflight" || command === "run";
  if (needsPlan && inputs.plan === "" && inputs.resumeFrom === undefined)
    reader.problems.push(
      "plan: expected the path of a committed plan, for example docs/exec-plans/active/add-login.md",
    );
  if (inputs.plan !== "" && !inputs.plan.endsWith(".md"))
    reader.refuse("plan", "a Markdown file", inputs.plan, "docs/exec-plans/active/add-login.md");
  if (command === "run" && inputs.gates === "github" && !inputs.dryRun && inputs.githubToken === "")
    reader.problems.push("github-token: expected a token to ask GitHub about the gates with; or set gates to inputs");
  if (inputs.gates === "github") {
    for (const name of ["policy-status", "ci-status", "review-status"] as const)
      if (reader.given(name) !== "")
        reader.problems.push(`${name}: it is read with gates: inputs alone; gates is github`);
  }
  if (inputs.resumeFrom === undefined && command !== "publish") {
    for (const name of ["resume-artifact", "artifact-digest"] as const)
      if (reader.given(name) !== "") reader.problems.push(`${name}: there is nothing to resume; give resume-from too`);
  }
  if (inputs.resumeFrom !== undefined && inputs.items.length > 0)
    reader.problems.push("items: a resumed run goes on with the items it was started with; leave items out");
  if (command === "gate") judgeGate(reader, inputs.resumeFrom !== undefined);
  if (!inputs.uploadArtifact && inputs.retentionDays !== undefined)
    reader.problems.push("retention-days: nothing is uploaded; leave it out or set upload-artifact to true");
  if (inputs.config !== DEFAULT_CONFIG_PATH)
    reader.refuse(
      "config",
      `${DEFAULT_CONFIG_PATH}, the one place where configuration is protected and trusted`,
      inputs.config,
    );
}

/** The gate of a pull request and the final report of a run read different inputs. */
function judgeGate(reader: InputReader, isOfRun: boolean): void {
  const [names, why] = isOfRun
    ? ([["mode", "pull-request"], "with resume-from it is the run's own; leave it out"] as const)
    : ([["upload-artifact", "retention-days"], "the gate of a pull request uploads nothing; leave it out"] as const);
  for (const name of names)
    if (reader.given(name) !== "" && reader.given(name) !== INPUTS[name].fallback)
      reader.problems.push(`${name}: ${why}`);
}
