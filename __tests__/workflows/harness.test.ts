import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolder, TestRepository } from "../support/conveyor.ts";
import { ArtifactStore } from "../support/workflow/artifacts.ts";
import { runWorkflow } from "../support/workflow/run-workflow.ts";
import type { Trigger, WorkflowRun, WorkflowWorld } from "../support/workflow/world.ts";

/** The harness is what the other tests believe: each of its promises is seen here, in workflows of a few lines. */
const repository = new TestRepository();
const SHA = repository.git("rev-parse", "HEAD");
const trigger: Trigger = {
  event: "workflow_dispatch",
  payload: { repository: { id: 500, default_branch: "main" }, sender: { id: 1, login: "ada", type: "User" } },
};

function makeWorld(more: Partial<WorkflowWorld> = {}): WorkflowWorld {
  return {
    repository: "acme/widgets",
    repositories: { "acme/widgets": repository.path },
    defaultBranch: "main",
    sha: SHA,
    source: { repository: "octo-org/plan-conveyor", sha: "a".repeat(40) },
    artifacts: new ArtifactStore(),
    runId: 77,
    apiUrl: "http://127.0.0.1:9",
    serverUrl: "http://127.0.0.1:9",
    issueToken: (permissions) => `token-${JSON.stringify(permissions)}`,
    ...more,
  };
}

async function run(text: string, more: Partial<WorkflowWorld> = {}, called?: string): Promise<WorkflowRun> {
  const folder = makeFolder();
  const path = join(folder, "workflow.yml");
  writeFileSync(path, text);
  if (called !== undefined) writeFileSync(join(folder, "called.yml"), called);
  return await runWorkflow(path, trigger, makeWorld(more), () => join(folder, "called.yml"));
}

const JOB = "runs-on: ubuntu-24.04\n    permissions: {contents: read}";

describe("a step", () => {
  it("gets its variables, hands outputs, variables and paths on, and no token it was not given", async () => {
    const { jobs } = await run(
      `on: workflow_dispatch
jobs:
  one:
    ${JOB}
    outputs: {word: "\${{ steps.say.outputs.word }}"}
    steps:
      - id: say
        env: {WORD: "\${{ vars.WORD }}"}
        run: |
          printf 'word=%s\\n' "$WORD" >>"$GITHUB_OUTPUT"
          printf 'rest<<X\\na\\nb\\nX\\n' >>"$GITHUB_OUTPUT"
          echo "LATER=yes" >>"$GITHUB_ENV"
          echo "$RUNNER_TEMP/bin" >>"$GITHUB_PATH"
      - id: hear
        run: echo "$LATER $PATH \${{ steps.say.outputs.rest }}"`,
      { vars: { WORD: "hello; $(touch x)" } },
    );
    const job = jobs["one"];
    expect(job?.outputs).toEqual({ word: "hello; $(touch x)" });
    expect(job?.steps[1]?.log).toContain(`yes ${job?.temp ?? ""}/bin:`);
    const env = JSON.stringify(job?.steps.map((step) => step.env));
    expect(env).not.toContain(job?.token ?? "?");
    expect(env).not.toMatch(/ACTIONS_|INPUT_|GITHUB_TOKEN/);
  });

  it("that fails stops what follows, but not what is always done", async () => {
    const { jobs } = await run(`on: workflow_dispatch
jobs:
  one:
    ${JOB}
    steps:
      - run: exit 3
      - run: echo never
      - if: always()
        run: echo cleaned
      - if: failure() && github.repository == 'acme/widgets'
        run: echo told
  two:
    needs: one
    ${JOB}
    steps: [{run: echo never}]
  three:
    needs: one
    if: "!cancelled() && needs.one.result == 'failure'"
    ${JOB}
    steps: [{run: echo so}]`);
    expect(jobs["one"]?.steps.map(({ outcome }) => outcome)).toEqual(["failure", "skipped", "success", "success"]);
    expect(Object.values(jobs).map(({ result }) => result)).toEqual(["failure", "skipped", "success"]);
  });

  it("of the default shell goes on after a failed pipe, one of bash does not", async () => {
    const text = (shell: string): string => `on: workflow_dispatch
jobs:
  one:
    ${JOB}
    steps:
      - run: false | true${shell}`;
    expect((await run(text(""))).jobs["one"]?.result).toBe("success");
    expect((await run(text("\n        shell: bash"))).jobs["one"]?.result).toBe("failure");
  });
});

describe("a job", () => {
  it("has a runner of its own: nothing of another one's folders is there", async () => {
    const { jobs } = await run(`on: workflow_dispatch
jobs:
  one:
    ${JOB}
    steps: [{run: touch "$HOME/mine" "$RUNNER_TEMP/mine" mine}]
  two:
    needs: one
    ${JOB}
    steps: [{run: '[[ -z $(ls "$HOME") && ! -e $RUNNER_TEMP/mine && ! -e mine ]]'}]`);
    expect(jobs["two"]?.result).toBe("success");
    expect(existsSync(join(jobs["one"]?.workspace ?? "", "mine"))).toBe(true);
  });

  it("of a called workflow may do no more than its caller", async () => {
    const called = `on: {workflow_call: {inputs: {word: {type: string, default: none}}, outputs: {said: {value: "\${{ jobs.a.outputs.said }}"}}}}
jobs:
  a:
    runs-on: ubuntu-24.04
    permissions: {contents: write}
    outputs: {said: "\${{ inputs.word }}"}
    steps: [{run: 'true'}]`;
    const caller = (level: string): string => `on: workflow_dispatch
jobs:
  call:
    permissions: {contents: ${level}}
    uses: ./called.yml
    with: {word: "\${{ github.actor }}"}`;
    const { jobs } = await run(caller("write"), {}, called);
    expect(jobs["call / a"]).toMatchObject({ result: "success", outputs: { said: "ada" } });
    expect(jobs["call / a"]?.token).toBe('token-{"contents":"write"}');
    await expect(run(caller("read"), {}, called)).rejects.toThrow("is requesting 'contents: write'");
  });
});

describe("the actions of GitHub", () => {
  const checkout = (more: string): string => `on: workflow_dispatch
jobs:
  one:
    ${JOB}
    steps:
      - uses: actions/checkout@${"b".repeat(40)}
        with: {path: here${more}}
      - working-directory: here
        run: git config --get-regexp extraheader; git log --format=%H; git status --short --branch`;

  it("checkout leaves the token in the clone unless it is told not to", async () => {
    const left = (await run(checkout(""))).jobs["one"];
    const encoded = Buffer.from(`x-access-token:${left?.token ?? ""}`).toString("base64");
    expect(left?.steps[1]?.log).toContain(encoded);
    const clean = (await run(checkout(", persist-credentials: false"))).jobs["one"];
    expect(clean?.steps[1]?.outcome).toBe("failure");
    expect(clean?.steps[1]?.log).not.toContain("extraheader");
  });

  it("checkout takes the event's commit on the default branch, alone or with its history", async () => {
    repository.commit("more");
    const tip = repository.git("rev-parse", "HEAD");
    const whole = (await run(checkout(", fetch-depth: 0"), { sha: tip })).jobs["one"]?.steps[1]?.log ?? "";
    expect(whole).toContain(`${tip}\n${SHA}\n## main`);
    const shallow = (await run(checkout(""), { sha: tip })).jobs["one"]?.steps[1]?.log ?? "";
    expect(shallow).toContain(`${tip}\n## main`);
  });

  it("artifacts travel by name and by number, a name is taken once, and the digest is that of the zip", async () => {
    const artifacts = new ArtifactStore();
    const upload = `{uses: actions/upload-artifact@${"c".repeat(40)}, with: {name: it, path: "\${{ runner.temp }}/out"}}`;
    const { jobs } = await run(
      `on: workflow_dispatch
jobs:
  one:
    ${JOB}
    outputs: {id: "\${{ steps.up.outputs.artifact-id }}", digest: "\${{ steps.up.outputs.artifact-digest }}"}
    steps:
      - run: mkdir -p "$RUNNER_TEMP/out/deep" && echo hello >"$RUNNER_TEMP/out/deep/file"
      - {id: up, ${upload.slice(1)}
      - ${upload}
  two:
    needs: one
    if: always()
    ${JOB}
    steps:
      - uses: actions/download-artifact@${"d".repeat(40)}
        with: {artifact-ids: "\${{ needs.one.outputs.id }}", path: "\${{ runner.temp }}/in"}
      - run: cat "$RUNNER_TEMP/in/deep/file"`,
      { artifacts },
    );
    expect(jobs["one"]?.steps.map(({ outcome }) => outcome)).toEqual(["success", "success", "failure"]);
    expect(jobs["two"]?.steps[1]?.log).toBe("hello\n");
    expect(jobs["one"]?.outputs["digest"]).toBe(artifacts.all[0]?.digest);
  });

  it("are known by their inputs: one that the harness would pass over is a fault", async () => {
    const { jobs } = await run(checkout(", submodules: true"));
    expect(jobs["one"]?.steps[0]?.log).toContain("Unexpected input(s) 'submodules'");
  });
});
