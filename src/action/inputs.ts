import { ALLOWANCE_WORDS, isAllowance, type Allowance } from "../domain/doors.ts";
import { RUN_ID } from "../domain/ids.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { COST_USD_MAX, MINUTES_PER_RUN_MAX, MODES, SANDBOX_LEVELS } from "../domain/run-choices.ts";
import { CI_SIGNALS, GATE_SOURCES, NO_SIGNALS, POLICY_SIGNALS, REVIEW_SIGNALS } from "../domain/signals.ts";
import { InputReader } from "./input-reader.ts";
import { COMMANDS, DELIVERIES, RED_STATES, type Inputs } from "./input-specs.ts";
import { judgeInputs } from "./judge-inputs.ts";

const RETENTION_DAYS_MAX = 400;
const SHA256 = /^[0-9a-f]{64}$/;
const SHA256_SAID = "64 hexadecimal digits in lower case";

/**
 * Parses all inputs of a step at once. `env` is the environment that the runner made: an input `max-minutes` is
 * `INPUT_MAX-MINUTES`. The error lists everything that is wrong, one sentence each: expected, found, example.
 */
export function parseInputs(env: Readonly<Record<string, string | undefined>>): Result<Inputs, readonly string[]> {
  const reader = new InputReader(env);
  const command = reader.choice("command", COMMANDS, "run") ?? "run";
  const inputs: Inputs = {
    command,
    plan: reader.path("plan"),
    items: reader.list("items"),
    mode: reader.choice("mode", MODES),
    config: reader.path("config"),
    resumeFrom: reader.wholeNumber("resume-from", Number.MAX_SAFE_INTEGER, "the id of a workflow run", "16923456789"),
    resumeArtifact: reader.matching(
      "resume-artifact",
      /^conveyor-[A-Za-z0-9_.-]{1,200}$/,
      "the name of an artifact that begins with conveyor-",
      "conveyor-RUN_20260325T120000Z_deadbeef-leg1",
    ),
    artifactDigest: reader.matching("artifact-digest", SHA256, SHA256_SAID),
    packSha256: reader.matching("pack-sha256", SHA256, SHA256_SAID),
    anchors: {
      runId: reader.matching("run-id", RUN_ID, "the id of a run", "RUN_20260325T120000Z_deadbeef"),
      planId: reader.given("plan-id") || undefined,
      headSha: reader.matching("head-sha", /^[0-9a-f]{40}$/, "the 40 hexadecimal digits of a commit"),
    },
    rerunReport: reader.given("rerun-report") || undefined,
    gates: reader.choice("gates", GATE_SOURCES) ?? "github",
    signals: {
      policy: reader.choice("policy-status", POLICY_SIGNALS) ?? NO_SIGNALS.policy,
      ci: reader.choice("ci-status", CI_SIGNALS) ?? NO_SIGNALS.ci,
      review: reader.choice("review-status", REVIEW_SIGNALS) ?? NO_SIGNALS.review,
    },
    pullRequest: reader.wholeNumber("pull-request", Number.MAX_SAFE_INTEGER, "the number of a pull request", "17"),
    deliver: reader.choice("deliver", DELIVERIES) ?? "none",
    maxMinutes: reader.amount("max-minutes", MINUTES_PER_RUN_MAX, "minutes", "50"),
    maxCostUsd: reader.amount("max-cost-usd", COST_USD_MAX, "US dollars", "2.50"),
    sandbox: reader.choice("sandbox", SANDBOX_LEVELS),
    uploadArtifact: reader.flag("upload-artifact"),
    retentionDays: reader.wholeNumber("retention-days", RETENTION_DAYS_MAX, "a number of days", "14"),
    failOn: readRedStates(reader),
    allow: readAllowances(reader),
    githubToken: reader.given("github-token"),
    app: readApp(reader),
    dryRun: reader.flag("dry-run"),
    workingDirectory: reader.path("working-directory"),
    paused: reader.flag("paused"),
  };
  judgeInputs(reader, inputs);
  return reader.problems.length === 0 ? ok(inputs) : err(reader.problems);
}

function readAllowances(reader: InputReader): Allowance[] {
  const found = reader.list("allow");
  for (const word of found)
    if (!isAllowance(word)) reader.refuse("allow", `words out of ${ALLOWANCE_WORDS.join(", ")}`, word);
  return found.filter(isAllowance);
}

function readRedStates(reader: InputReader): Inputs["failOn"] {
  return reader.given("fail-on") === "none" ? [] : reader.words("fail-on", RED_STATES);
}

function readApp(reader: InputReader): Inputs["app"] {
  const [clientId, privateKey] = [reader.given("app-client-id"), reader.given("app-private-key")];
  if (clientId === "" && privateKey === "") return undefined;
  if (clientId === "") reader.problems.push("app-private-key: app-client-id is missing; give both or none");
  else if (privateKey === "") reader.problems.push("app-client-id: app-private-key is missing; give both or none");
  else if (!/^-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+-----END [A-Z ]*PRIVATE KEY-----$/.test(privateKey))
    // The value is a secret: what was found is never repeated.
    reader.problems.push(
      "app-private-key: expected a private key in PEM, beginning with -----BEGIN RSA PRIVATE KEY-----",
    );
  return { clientId, privateKey };
}
