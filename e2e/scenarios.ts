import assert from "node:assert/strict";
import { startModelServer, type ModelCall, type ModelStep } from "./model-server.ts";
import { auditAnswer, executorAnswer, inOrder, judgeWord, readTask, writeWord } from "./script.ts";
import { MARK, MODELS, World, type Agent, type Ended, type Report } from "./world.ts";

/** One thing that must be seen. */
export interface Scenario {
  readonly name: string;
  readonly executor: Agent;
  readonly auditors?: readonly [Agent, Agent];
  readonly lines?: readonly string[];
  readonly args?: readonly string[];
  readonly decide: (call: ModelCall) => ModelStep;
  /** The server is gone before the run begins. */
  readonly isDown?: boolean;
  readonly isHeld?: boolean;
  readonly check: (seen: Seen) => void;
}

/** What a scenario came to. */
interface Seen {
  readonly ended: Ended;
  readonly report: Report;
  readonly world: World;
  readonly calls: readonly ModelCall[];
}

/** Runs a scenario; what is wrong is thrown. Gives a line for people. */
export async function play(bin: string, scenario: Scenario): Promise<string> {
  await using server = await startModelServer(scenario.decide);
  if (scenario.isDown === true) await server.stop();
  const { executor, auditors = ["codex", "claude"], lines = [], isHeld = false } = scenario;
  using world = new World(bin, { executor, auditors, modelUrl: server.url, lines, isHeld });
  const ended = await world.run(...(scenario.args ?? []));
  assert.notEqual(ended.outcome.run_dir, "", `it did not run: ${ended.stderr}`);
  const report = world.report(ended);
  try {
    scenario.check({ ended, report, world, calls: server.calls });
    judgeSurroundings(world, report, server.calls, server.others);
    const verified = await world.conveyor("verify");
    assert.equal(verified.code, 0, verified.stdout);
  } catch (fault) {
    const programs = report.stage_executions.map(({ purpose, error, agent }) => ({ purpose, error, agent }));
    throw new Error(
      `${JSON.stringify(ended.outcome, null, 1)}\n${JSON.stringify(programs, null, 1)}\n${ended.stderr}`,
      {
        cause: fault,
      },
    );
  }
  const codes = ended.outcome.items.flatMap((item) => item.reason_codes).join(", ");
  return `${ended.outcome.terminal_state ?? "none"} ${codes}, ${server.calls.length} requests`;
}

/** What holds in every scenario: nothing of machine or repository reached an agent, and no web tool was offered. */
function judgeSurroundings(world: World, report: Report, calls: readonly ModelCall[], others: readonly string[]): void {
  assert.equal(world.isMarked(), false, "a hook or a tool server of somebody's settings was started");
  assert.deepEqual(others, [], "requests for something else than a model's step");
  for (const call of calls) {
    const agent: Agent = call.protocol === "messages" ? "claude" : "codex";
    assert.equal(call.body["model"], MODELS[agent]);
    assert.equal(JSON.stringify(call.body).includes(MARK), false, "somebody's settings or instructions were sent");
    assert.deepEqual(
      call.tools.filter((tool) => /web|fetch|search/i.test(tool)),
      [],
    );
  }
  for (const { env_keys: names, agent } of report.stage_executions) {
    const others = agent?.use === "codex" ? ["ANTHROPIC_API_KEY"] : agent?.use === "claude" ? ["OPENAI_API_KEY"] : KEYS;
    assert.deepEqual(
      names.filter((name) => others.includes(name)),
      [],
      "a key where it is not needed",
    );
  }
}

const KEYS = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"];

/** The agents as they should be, but for what a scenario says of the executor. */
function withExecutor(act: (call: ModelCall, round: number) => ModelStep): Scenario["decide"] {
  return (call) => {
    const task = readTask(call);
    return task.role === "auditor" ? judgeWord(call) : act(call, task.round);
  };
}

const good = withExecutor(writeWord);

function codesOf({ outcome }: Ended): readonly string[] {
  return outcome.items.flatMap((item) => item.reason_codes);
}

function failsWith(...codes: readonly string[]): Scenario["check"] {
  return ({ ended }) => {
    assert.equal(ended.code, 1, ended.stderr);
    assert.deepEqual(codesOf(ended), codes);
  };
}

function endsDone({ ended, report, world }: Seen): void {
  assert.equal(ended.code, 0, ended.stderr);
  const agents = report.stage_executions.flatMap(({ agent }) => (agent === null ? [] : [agent]));
  assert.equal(agents.filter(({ lane }) => lane === "executor").length, 2, "a first round and a fix round");
  assert.equal(agents.filter(({ lane }) => lane.startsWith("audit:")).length, 4, "both auditors in both rounds");
  assert.ok(ended.outcome.cost_usd !== null && ended.outcome.cost_usd > 0);
  assert.ok((ended.outcome.tokens_in ?? 0) > 0);
  const branch = world.git("for-each-ref", "--format=%(refname)", "refs/heads/conveyor");
  assert.equal(world.git("show", `${branch}:out/word.txt`), "right");
}

/** The same for each agent as executor. */
function scenariosOf(executor: Agent): Scenario[] {
  const refusal: ModelStep = { kind: "refusal", text: "I cannot help with that." };
  const own: Omit<Scenario, "executor">[] = [
    { name: "implements, is audited by both, mends a finding, passes", decide: good, check: endsDone },
    { name: "the same in tier 3, with keys that the proxy holds", decide: good, isHeld: true, check: endsDone },
    { name: "server down", decide: good, isDown: true, check: failsWith("AGENT_API_FAILED") },
    {
      name: "server that never answers",
      decide: () => ({ kind: "silence" as const }),
      args: ["--timeout-ms", "5000"],
      check: ({ ended }: Seen) => assert.equal(ended.code, 124, ended.stderr),
    },
    {
      name: "429, then recovery",
      decide: (call: ModelCall) => (call.index === 0 ? ({ kind: "status", status: 429 } as const) : good(call)),
      check: endsDone,
    },
    {
      name: "refusal",
      decide: withExecutor(() => refusal),
      check: failsWith(executor === "claude" ? "AGENT_REFUSED" : "RESULT_MALFORMED"),
    },
    {
      name: "invalid structured output",
      decide: withExecutor(() => ({ kind: "answer", value: { status: "nonsense" } })),
      check: failsWith("RESULT_MALFORMED"),
    },
    {
      name: "edit outside of the write roots",
      lines: ["limits: {fix-rounds: 0, remediation-rounds: 0}"],
      decide: withExecutor((call) =>
        inOrder(call, { kind: "shell", script: "echo x > elsewhere.txt" }, executorAnswer("Wrote it elsewhere.")),
      ),
      check: failsWith("FIX_BUDGET_EXHAUSTED", "SCOPE_VIOLATION"),
    },
    {
      name: "lies about its tests",
      lines: ["limits: {fix-rounds: 0, remediation-rounds: 0}"],
      decide: withExecutor((call) =>
        inOrder(
          call,
          { kind: "shell", script: "mkdir -p out && touch out/word.txt out/other.txt && echo x > out/other.txt" },
          executorAnswer("All required commands exit 0."),
        ),
      ),
      check: failsWith("FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED"),
    },
  ];
  return own.map((scenario) => ({ ...scenario, executor, name: `${executor}: ${scenario.name}` }));
}

const AUDITS: readonly Scenario[] = [
  {
    name: "auditors that answer without their nonce prove nothing",
    executor: "codex",
    decide: (call) =>
      readTask(call).role === "executor"
        ? writeWord(call, 2)
        : { kind: "answer", value: { ...(auditAnswer(call) as { value: object }).value, nonce: "made up" } },
    check: failsWith("AUDIT_ENGINE_FAILED"),
  },
  {
    name: "auditors that try to write change nothing",
    executor: "claude",
    decide: (call) =>
      readTask(call).role === "executor"
        ? writeWord(call, 2)
        : inOrder(call, { kind: "shell", script: "echo right > out/word.txt" }, auditAnswer(call)),
    check: ({ ended, report }) => {
      assert.equal(ended.code, 0, ended.stderr);
      assert.ok(report.stage_executions.some(({ agent }) => agent?.lane === "audit:claude-2" && agent.denied === 1));
    },
  },
  {
    name: "claude: an edit outside of its folder is denied",
    executor: "claude",
    decide: withExecutor((call) => {
      const edit = { file_path: "/etc/conveyor-e2e", old_string: "", new_string: "x" };
      return call.results.length === 0 ? { kind: "tool", name: "Edit", input: edit } : workAfter(call);
    }),
    check: ({ ended, report }) => {
      assert.equal(ended.code, 0, ended.stderr);
      assert.ok(report.stage_executions.some(({ agent }) => agent?.lane === "executor" && agent.denied === 1));
    },
  },
  {
    name: "codex: its commands do not have its key",
    executor: "codex",
    decide: withExecutor((call) => (call.results.length === 0 ? { kind: "shell", script: "env" } : workAfter(call))),
    check: ({ ended, calls }) => {
      assert.equal(ended.code, 0, ended.stderr);
      const said = calls.flatMap(({ results }) => results).join("\n");
      assert.ok(said.includes("ORCH_RUN_ID="));
      assert.equal(said.includes("dummy-openai-key"), false);
    },
  },
  {
    name: "codex: a write outside of its folder is denied",
    executor: "codex",
    decide: withExecutor((call) =>
      call.results.length === 0 ? { kind: "shell", script: "echo x > ../outside.txt" } : workAfter(call),
    ),
    check: ({ ended, world }) => {
      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(world.find("outside.txt"), []);
    },
  },
];

/** The work, after one step of another kind. */
function workAfter(call: ModelCall): ModelStep {
  return inOrder(
    { ...call, results: call.results.slice(1) },
    { kind: "shell", script: "mkdir -p out && echo right > out/word.txt" },
    executorAnswer("Wrote right."),
  );
}

export const SCENARIOS: readonly Scenario[] = [...scenariosOf("codex"), ...scenariosOf("claude"), ...AUDITS];
