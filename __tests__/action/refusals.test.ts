import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, PLAN_PATH, TestRepository } from "../support/conveyor.ts";
import { buildPayload, JobRunner, REPOSITORY_ID, type StepOptions, type StepResult } from "../support/runner.ts";

/** The one message of a refused step. */
function messageOf(result: StepResult): string {
  const errors = result.annotations.filter(({ name }) => name === "error");
  expect(errors.length, result.stdout + result.stderr).toBe(1);
  return errors[0]?.message ?? "";
}

/** Red, said once in log and annotation, said in the summary, and nothing was begun: no state, no program, no output. */
function expectRefused(runner: JobRunner, result: StepResult, ...parts: readonly string[]): void {
  const message = messageOf(result);
  for (const part of parts) {
    expect(message).toContain(part);
    expect(result.summary.replaceAll("'", "`")).toContain(part.replaceAll("'", "`").split("\n")[0]);
  }
  expect({ code: result.code, stderr: result.stderr, outputs: result.outputs }).toEqual({
    code: 1,
    stderr: "",
    outputs: {},
  });
  expect(runner.leftInTemp()).toEqual([]);
}

const KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIBszCC\n-----END RSA PRIVATE KEY-----";
const DIGEST = "a".repeat(64);

/** What is given, and what the one message must say. */
const wrong = (name: string, inputs: Record<string, string>, ...said: string[]) => ({ name, inputs, said });
const WRONG_INPUTS = [
  wrong("no plan", {}, "plan: expected the path of a committed plan, for example docs/exec-plans/active/add-login.md"),
  wrong("no plan for preflight", { command: "preflight" }, "plan: expected the path of a committed plan"),
  wrong(
    "an unknown command",
    { command: "rum", plan: PLAN_PATH },
    'command: expected one of run, preflight, publish, gate, found "rum"',
  ),
  wrong("a command of a later version", { command: "queue" }, 'found "queue"'),
  wrong(
    "an input nobody knows",
    { plan: PLAN_PATH, "max-minute": "5" },
    '"max-minute" is no input; did you mean max-minutes?',
  ),
  wrong("an input in snake case", { plan: PLAN_PATH, dry_run: "true" }, '"dry_run" is no input; did you mean dry-run?'),
  wrong("a plan outside", { plan: "../plan.md" }, 'plan: expected a path inside the repository, found "../plan.md"'),
  wrong(
    "an absolute plan",
    { plan: "/etc/plan.md" },
    'plan: expected a path inside the repository, found "/etc/plan.md"',
  ),
  wrong("a plan that is no Markdown", { plan: "plan.txt" }, 'plan: expected a Markdown file, found "plan.txt"'),
  wrong("a plan with a line end", { plan: "a\nb.md" }, 'plan: expected a path inside the repository, found "a\\nb.md"'),
  wrong(
    "an expression that was not filled in",
    { plan: "$(touch x)`y`", mode: "';x" },
    "mode: expected one of guarded, full",
  ),
  wrong("an unknown mode", { plan: PLAN_PATH, mode: "Full" }, 'mode: expected one of guarded, full, found "Full"'),
  wrong(
    "a configuration outside",
    { plan: PLAN_PATH, config: "../c.yml" },
    "config: expected a path inside the repository",
    "config: expected .github/conveyor.yml",
  ),
  wrong("an item twice", { plan: PLAN_PATH, items: "01,02,01" }, 'items: "01" stands there twice'),
  wrong(
    "minutes that are a word",
    { plan: PLAN_PATH, "max-minutes": "an hour" },
    "max-minutes: expected minutes above 0, at most 10080",
  ),
  wrong("no minutes at all", { plan: PLAN_PATH, "max-minutes": "0" }, 'found "0", for example 50'),
  wrong(
    "negative minutes",
    { plan: PLAN_PATH, "max-minutes": "-5" },
    'max-minutes: expected minutes above 0, at most 10080, found "-5"',
  ),
  wrong("endless minutes", { plan: PLAN_PATH, "max-minutes": "1e99" }, "max-minutes: expected minutes above 0"),
  wrong(
    "money with a sign",
    { plan: PLAN_PATH, "max-cost-usd": "$5" },
    'max-cost-usd: expected US dollars above 0, at most 1000000, found "$5"',
  ),
  wrong("an unknown sandbox", { plan: PLAN_PATH, sandbox: "none" }, "sandbox: expected one of auto, required, off"),
  wrong("a yes that is no true", { plan: PLAN_PATH, "dry-run": "yes" }, 'dry-run: expected true or false, found "yes"'),
  wrong(
    "a kill switch that nobody understands",
    { plan: PLAN_PATH, paused: "on" },
    'paused: expected true or false, found "on"',
  ),
  wrong(
    "an upload that is a number",
    { plan: PLAN_PATH, "upload-artifact": "1" },
    "upload-artifact: expected true or false",
  ),
  wrong(
    "too many days",
    { plan: PLAN_PATH, "retention-days": "401" },
    "retention-days: expected a number of days, at most 400",
  ),
  wrong(
    "days of nothing",
    { plan: PLAN_PATH, "retention-days": "7", "upload-artifact": "false" },
    "retention-days: nothing is uploaded",
  ),
  wrong(
    "a state that is never red",
    { plan: PLAN_PATH, "fail-on": "done" },
    "fail-on: expected words out of blocked, failed, timeout",
  ),
  wrong(
    "a door that does not exist",
    { plan: PLAN_PATH, allow: "everything" },
    "allow: expected words out of fork, credentials-persisted, oidc, token-write, self-hosted, event:<name>",
  ),
  wrong("all doors at once", { plan: PLAN_PATH, allow: "*" }, 'found "*"'),
  wrong("an unknown source of signals", { plan: PLAN_PATH, gates: "jenkins" }, "gates: expected one of inputs, github"),
  wrong(
    "signals that nobody reads",
    { plan: PLAN_PATH, "ci-status": "success" },
    "ci-status: it is read with gates: inputs alone",
  ),
  wrong(
    "a signal nobody knows",
    { plan: PLAN_PATH, gates: "inputs", "policy-status": "yes" },
    "policy-status: expected one of allow, deny, unknown",
  ),
  wrong("an unknown delivery", { plan: PLAN_PATH, deliver: "merge" }, "deliver: expected one of none, branch"),
  wrong(
    "a workflow run by name",
    { plan: PLAN_PATH, "resume-from": "last" },
    "resume-from: expected the id of a workflow run",
  ),
  wrong(
    "an artifact of nothing",
    { plan: PLAN_PATH, "resume-artifact": "conveyor-x" },
    "resume-artifact: there is nothing to resume",
  ),
  wrong(
    "an artifact of somebody else",
    { "resume-from": "1", "resume-artifact": "logs" },
    "resume-artifact: expected the name of an artifact that begins with conveyor-",
  ),
  wrong(
    "a digest that was cut",
    { command: "publish", "artifact-digest": "abc" },
    "artifact-digest: expected 64 hexadecimal digits",
  ),
  wrong(
    "a digest of nothing",
    { plan: PLAN_PATH, "artifact-digest": DIGEST },
    "artifact-digest: there is nothing to resume",
  ),
  wrong(
    "items of a resumed run",
    { "resume-from": "1", items: "01" },
    "items: a resumed run goes on with the items it was started with",
  ),
  wrong(
    "what is a run's own beside the run",
    { command: "gate", "resume-from": "1", mode: "full", "pull-request": "3" },
    "mode: with resume-from it is the run's own; leave it out",
    "pull-request: with resume-from it is the run's own; leave it out",
  ),
  wrong(
    "days for what is not uploaded",
    { command: "gate", "pull-request": "3", "retention-days": "3", "upload-artifact": "false" },
    "upload-artifact: the gate of a pull request uploads nothing; leave it out",
    "retention-days: the gate of a pull request uploads nothing; leave it out",
  ),
  wrong(
    "items for a resumed run's preflight",
    { command: "preflight", "resume-from": "1", items: "01" },
    "items: a resumed run goes on with the items it was started with; leave items out",
  ),
  wrong(
    "an App without its key",
    { command: "publish", "app-client-id": "Iv1" },
    "app-client-id: app-private-key is missing",
  ),
  wrong(
    "a key without its App",
    { command: "publish", "app-private-key": KEY },
    "app-private-key: app-client-id is missing",
  ),
  wrong(
    "a key that is none",
    { command: "publish", "app-client-id": "Iv1", "app-private-key": "hunter2" },
    "app-private-key: expected a private key in PEM",
  ),
  wrong(
    "an App where nothing is published",
    { plan: PLAN_PATH, "app-client-id": "Iv1", "app-private-key": KEY },
    "app-client-id: command run does not read it",
  ),
  wrong("a plan for a publication", { command: "publish", plan: PLAN_PATH }, "plan: command publish does not read it"),
  wrong(
    "money for a publication",
    { command: "publish", "max-cost-usd": "3" },
    "max-cost-usd: command publish does not read it",
  ),
  wrong(
    "a colour for a publication",
    { command: "publish", "fail-on": "blocked" },
    "fail-on: command publish does not read it",
  ),
  wrong(
    "three things at once",
    { "max-minutes": "x", sandbox: "x", command: "x" },
    "command: expected",
    "max-minutes: expected",
    "sandbox: expected",
  ),
];

test.concurrent.each(WRONG_INPUTS)("wrong inputs: $name", async ({ inputs, said }) => {
  const runner = new JobRunner(makeFolder());
  const result = await runner.step(inputs);
  expectRefused(runner, result, "Wrong inputs, nothing was started", ...said);
  // What was given as a secret is never repeated.
  expect(result.stdout).not.toContain("hunter2");
});

const pull = (headId: number | null | undefined) => ({
  pull_request: {
    number: 3,
    head: { repo: headId === null ? null : { id: headId } },
    base: { repo: { id: REPOSITORY_ID } },
  },
});

/** The event, and what the message must say. */
const at = (name: string, options: StepOptions, ...said: string[]) => ({ name, options, said });
const WRONG_EVENTS = [
  at(
    "pull_request_target",
    { event: "pull_request_target", payload: buildPayload(pull(REPOSITORY_ID)) },
    "EVENT_NOT_ALLOWED",
    "found pull_request_target",
    "allow: event:pull_request_target",
  ),
  at(
    "issue_comment",
    { event: "issue_comment", payload: buildPayload({ issue: { number: 3, pull_request: {} } }) },
    "EVENT_NOT_ALLOWED",
    "found issue_comment",
  ),
  at(
    "workflow_run",
    { event: "workflow_run", payload: buildPayload({ workflow_run: { head_repository: { id: REPOSITORY_ID } } }) },
    "EVENT_NOT_ALLOWED",
  ),
  at(
    "pull_request_review",
    { event: "pull_request_review", payload: buildPayload(pull(REPOSITORY_ID)) },
    "EVENT_NOT_ALLOWED",
  ),
  at("an event that nobody knows yet", { event: "teleport" }, "EVENT_NOT_ALLOWED", "found teleport"),
  at("no event at all", { event: "" }, "EVENT_NOT_ALLOWED", "no event (GITHUB_EVENT_NAME is empty)"),
  at("no payload", { env: { GITHUB_EVENT_PATH: undefined } }, "EVENT_NOT_ALLOWED", "found none"),
  at("a payload that is no JSON", { payload: "{" }, "EVENT_NOT_ALLOWED", "it is no JSON"),
  at("a payload that is a list", { payload: "[]" }, "EVENT_NOT_ALLOWED", "is not as GitHub writes it"),
  at(
    "a payload with a repository by name",
    { payload: { repository: { id: "hello" } } },
    "EVENT_NOT_ALLOWED",
    "repository.id is not as GitHub writes it",
  ),
  at(
    "a head in a fork",
    { event: "pull_request", payload: buildPayload(pull(99)) },
    "FORK_NOT_ALLOWED",
    "found one of a fork",
    "allow: fork",
  ),
  at(
    "a head whose fork was deleted",
    { event: "pull_request", payload: buildPayload(pull(null)) },
    "FORK_NOT_ALLOWED",
    "was deleted",
  ),
  at("a pull request that the payload does not tell of", { event: "pull_request" }, "FORK_NOT_ALLOWED", "not known"),
  at(
    "an OIDC address",
    { env: { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x.invalid" } },
    "OIDC_PRESENT",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "allow: oidc",
  ),
  at(
    "an OIDC token",
    { env: { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x" } },
    "OIDC_PRESENT",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
  ),
  at(
    "a runner of one's own",
    { env: { RUNNER_ENVIRONMENT: "self-hosted" } },
    "SELF_HOSTED_NOT_ALLOWED",
    "found self-hosted",
    "allow: self-hosted",
  ),
  at(
    "a runner that says nothing",
    { env: { RUNNER_ENVIRONMENT: undefined } },
    "SELF_HOSTED_NOT_ALLOWED",
    "found no RUNNER_ENVIRONMENT",
  ),
];

const base = { plan: PLAN_PATH, gates: "inputs", "dry-run": "true" };

describe("doors", () => {
  const repository = new TestRepository();

  test.concurrent.each(WRONG_EVENTS)("$name: one message, nothing started", async ({ options, said }) => {
    const runner = new JobRunner(repository.path);
    expectRefused(runner, await runner.step({ plan: PLAN_PATH, gates: "inputs" }, options), ...said);
  });

  test.each([
    [{ event: "pull_request_target", payload: buildPayload(pull(REPOSITORY_ID)) }, "event:pull_request_target"],
    [{ event: "pull_request", payload: buildPayload(pull(99)) }, "fork"],
    [{ env: { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x.invalid" } }, "oidc"],
    [{ env: { RUNNER_ENVIRONMENT: "self-hosted" } }, "self-hosted"],
  ] as const)("%j goes in by its own word and by no other", async (options, word) => {
    const runner = new JobRunner(repository.path);
    const others = ["fork", "credentials-persisted", "oidc", "token-write", "self-hosted", "event:x"];
    const wrong = await runner.step({ ...base, allow: others.filter((each) => each !== word).join(",") }, options);
    expect(wrong.code).toBe(1);
    const right = await runner.step({ ...base, allow: word }, options);
    expect(right.code, right.stdout).toBe(0);
    expect(runner.leftInTemp()).toEqual([]);
  });

  test.each(["workflow_dispatch", "schedule", "push", "repository_dispatch"])("%s goes in", async (event) => {
    const runner = new JobRunner(repository.path);
    const ended = await runner.step(base, { event });
    expect(ended.code, ended.stdout).toBe(0);
    expect(ended.summary).toContain("Dry run: nothing was started");
  });

  test("PAUSED: the kill switch is asked first, and nothing else is", async () => {
    const runner = new JobRunner(repository.path);
    const ended = await runner.step(
      { plan: PLAN_PATH, gates: "inputs", paused: "true" },
      { event: "issue_comment", payload: "{" },
    );
    expectRefused(runner, ended, "PAUSED", "the input paused is true");
  });

  test.each([
    ["working-directory: no-such-folder", { "working-directory": "no-such-folder" }, "USAGE working-directory"],
    ["a plan that is not there", { plan: "docs/exec-plans/active/no.md" }, "USAGE no such plan"],
    ["an item that is not there", { items: "99" }, "USAGE the plan has no item 99"],
  ] as const)("%s", async (_name, inputs, said) => {
    const runner = new JobRunner(repository.path);
    expectRefused(runner, await runner.step({ plan: PLAN_PATH, gates: "inputs", ...inputs }), said);
  });
});

describe("CREDENTIALS_PERSISTED: credentials that a program of the run could use", () => {
  let repository: TestRepository;
  let config: string;
  beforeAll(() => {
    repository = new TestRepository();
    config = repository.git("config", "--local", "--list");
  });
  afterEach(() => {
    // Each case is undone, so that none can stand in for another.
    for (const folder of ["tool", ".git/modules"])
      rmSync(join(repository.path, folder), { recursive: true, force: true });
    for (const line of repository.git("config", "--local", "--list", "--name-only").split("\n"))
      if (!config.includes(`${line}=`)) repository.git("config", "--local", "--unset-all", line);
  });

  const header = "AUTHORIZATION: basic c2VjcmV0LXZhbHVl";
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const CASES: readonly (readonly [string, (runner: JobRunner) => void, string])[] = [
    [
      "what checkout leaves",
      () => repository.git("config", "http.https://github.com/.extraheader", header),
      "http.https://github.com/.extraheader of file:.git/config",
    ],
    [
      "what checkout leaves since it uses a file of its own",
      (runner) => {
        write(
          join(runner.temp, "git-credentials-1.config"),
          `[http "https://github.com/"]\n\textraheader = ${header}\n`,
        );
        repository.git(
          "config",
          `includeIf.gitdir:${repository.path}/.git.path`,
          join(runner.temp, "git-credentials-1.config"),
        );
      },
      "http.https://github.com/.extraheader of file:",
    ],
    [
      "that file alone, which nothing includes",
      (runner) => write(join(runner.temp, "git-credentials-2.config"), "x"),
      "git-credentials-2.config",
    ],
    [
      "an included file",
      (runner) => {
        write(join(runner.home, "more"), `[http]\n\textraheader = ${header}\n`);
        repository.git("config", "include.path", join(runner.home, "more"));
      },
      "http.extraheader",
    ],
    [
      "a remote with a token",
      () => repository.git("config", "remote.origin.url", "https://x-access-token:secret-value@github.com/o/r"),
      "remote.origin.url",
    ],
    [
      "a token in place of a name",
      () => repository.git("config", "remote.origin.pushurl", "https://secret-value@github.com/o/r"),
      "remote.origin.pushurl",
    ],
    [
      "a URL that is put in place of another",
      () => repository.git("config", "url.https://u:secret-value@github.com/.insteadOf", "gh:"),
      "url.https://…@github.com/.insteadof",
    ],
    ["a helper", () => repository.git("config", "credential.helper", "store"), "credential.helper of file:.git/config"],
    ["a key for ssh", () => repository.git("config", "core.sshCommand", "ssh -i secret-value"), "core.sshcommand"],
    [
      "another checkout in the workspace",
      () => write(join(repository.path, "tool/.git/config"), `[http]\n\textraheader = ${header}\n`),
      "tool/.git/config",
    ],
    [
      "a submodule",
      () => {
        write(join(repository.path, ".git/modules/libs/a/HEAD"), "ref: refs/heads/main\n");
        write(join(repository.path, ".git/modules/libs/a/config"), `[http]\n\textraheader = ${header}\n`);
      },
      ".git/modules/libs/a/config",
    ],
    [
      "stored credentials",
      ({ home }) => write(join(home, ".git-credentials"), "https://u:secret-value@github.com"),
      ".git-credentials",
    ],
    [".netrc", ({ home }) => write(join(home, ".netrc"), "machine github.com password secret-value"), ".netrc"],
    [
      "the configuration of the user",
      ({ home }) => write(join(home, ".gitconfig"), `[http]\n\textraheader = ${header}\n`),
      "http.extraheader of file:",
    ],
    ["another tool's token", ({ home }) => write(join(home, ".config/gh/hosts.yml"), "secret-value"), "hosts.yml"],
  ];
  test.each(CASES)("%s", async (_name, plant, said) => {
    const runner = new JobRunner(repository.path);
    plant(runner);
    const kept = runner.leftInTemp();
    const refused = await runner.step({ plan: PLAN_PATH, gates: "inputs" });
    expect(messageOf(refused)).toContain("CREDENTIALS_PERSISTED");
    expect(messageOf(refused)).toContain(said);
    expect(messageOf(refused)).toContain("persist-credentials: false");
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.summary).not.toMatch(/secret-value|c2VjcmV0/);
    expect(runner.leftInTemp()).toEqual(kept);
  });

  test("a checkout without any goes in, and one with some by the word for it", async () => {
    const runner = new JobRunner(repository.path);
    const ended = await runner.step(base);
    expect(ended.code, ended.stdout).toBe(0);
    repository.git("config", "credential.helper", "store");
    const allowed = await runner.step({ ...base, allow: "credentials-persisted" });
    expect(allowed.code, allowed.stdout).toBe(0);
  });
});
