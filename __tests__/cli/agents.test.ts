import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { forgeRun } from "../support/forgery.ts";
import { AGENT_CONFIG, AgentWorld, PRICE, type AgentEnded } from "../support/agent-world.ts";
import { once, onceFor, TestRepository } from "../support/conveyor.ts";

const NO_FIXES = "limits: {fix-rounds: 0, remediation-rounds: 0}";

/** The other way round: codex does the work. */
const CODEX_CONFIG = [
  "version: 1",
  `executor: {use: codex, model: gpt-stub, env: [OPENAI_API_KEY], ${PRICE}}`,
  ...AGENT_CONFIG.slice(2),
];

/** A run in which nothing is wrong, under a limit that is never reached. Made once: tests read it, and forge a copy. */
const goodRun = once(async () => {
  const world = new AgentWorld();
  await world.run("--max-cost-usd", "0.25");
  return world;
});

/** A run whose triage gets a finding that blocks nothing. */
const triagedRun = once(async () => {
  const triage = "triage: {use: codex, env: [OPENAI_API_KEY], " + PRICE + "}";
  const world = new AgentWorld([...AGENT_CONFIG, triage], { acts: { "audit:two": ["note"] } });
  return { world, ended: await world.run() };
});

describe("agents as executor and auditors", () => {
  it("do the work, judge it, mend what was found, and pass", async () => {
    const world = new AgentWorld(AGENT_CONFIG, { acts: { "audit:one": ["finding", "good"] } });
    const ended = await world.run();
    expect([ended.code, ended.outcome.terminal_state]).toEqual([0, "done"]);
    expect(
      world
        .starts()
        .map(({ name, role }) => `${name} ${role}`)
        .toSorted(),
    ).toEqual([
      "claude audit:two",
      "claude audit:two",
      "claude executor",
      "claude executor",
      "codex audit:one",
      "codex audit:one",
    ]);
    const [first, fix] = world.starts().filter(({ role }) => role === "executor");
    expect(first?.prompt).toContain("(execute, round 1)");
    expect(fix?.prompt).toContain("It is wrong");
    expect(ended.outcome).toMatchObject({ cost_usd: 0.2011, tokens_in: 6000, tokens_out: 120 });
    const { cost } = world.report();
    expect(cost.limit_usd).toBe(10);
    expect(cost.items).toMatchObject([{ item_id: "01", sessions: 6, known_usd: 0.2011, unknown_cost: 0 }]);
    expect(cost.lanes.toSorted((left, right) => (left.lane < right.lane ? -1 : 1))).toMatchObject([
      { lane: "audit:one", sessions: 2, known_usd: 0.0011, tokens_cached: 1600 },
      { lane: "audit:two", sessions: 2, known_usd: 0.1 },
      { lane: "executor", sessions: 2, known_usd: 0.1 },
    ]);
    expect(world.report().versions).toMatchObject({ codex: "0.169.0", claude: "2.1.328" });
    expect((await world.conveyor("verify")).code).toBe(0);
  });

  it("get the key of their own lane and no other, a home of their own, and nothing to be asked", async () => {
    const world = await goodRun();
    expect(world.starts()).toHaveLength(3);
    for (const { name, env, home, prompt } of world.starts()) {
      const keys = env.filter((variable) => variable.endsWith("_API_KEY"));
      expect(keys).toEqual([name === "codex" ? "OPENAI_API_KEY" : "ANTHROPIC_API_KEY"]);
      // The run's id is what tells the command line that a program of a run wants to decide about a gate.
      expect(env.filter((variable) => variable.startsWith("ORCH_"))).toEqual(
        ["ATTEMPT", "ITEM_ID", "PLAN_ID", "ROUND", "RUN_ID", "SESSION", "STAGE"].map((word) => `ORCH_${word}`),
      );
      expect(home.startsWith(world.repository.cache)).toBe(true);
      expect(prompt).not.toContain("exit 0.");
    }
    expect(new Set(world.starts().map(({ home }) => home)).size).toBe(world.starts().length);
  });

  it("may be put aside by a command on the command line, which is given no agent's answer form", async () => {
    const world = new AgentWorld();
    const script = 'mkdir -p out && grep -c "exit 0" "$ORCH_PROMPT_PATH" > out/01.txt';
    const ended = await world.run("--executor-bin", "bash", "--executor-arg", "-c", "--executor-arg", script);
    expect(ended.code).toBe(0);
    expect(
      world
        .starts()
        .map(({ role }) => role)
        .toSorted(),
    ).toEqual(["audit:one", "audit:two"]);
    expect((await world.conveyor("verify")).code).toBe(0);
  });

  it("sort findings as triage", async () => {
    const { world, ended } = await triagedRun();
    expect(ended.code).toBe(0);
    expect(world.report().cost.lanes.map(({ lane }) => lane)).toContain("triage");
    expect(world.report().audit.items[0]?.rounds[0]?.findings).toMatchObject([{ disposition: "out_of_scope" }]);
  });
});

/** What an executor does, by its agent; and the codes and exit code that follow. */
const FAILURES: readonly (readonly [act: string, codes: readonly string[], exit: number])[] = [
  ["recorded:claude-api-failed:1", ["AGENT_API_FAILED"], 1],
  ["recorded:claude-refused:1", ["AGENT_REFUSED"], 1],
  ["recorded:claude-no-answer:0", ["RESULT_MALFORMED"], 1],
  ["recorded:claude-invalid-answer:1", ["RESULT_MALFORMED"], 1],
  ["recorded:claude-denied:0", ["NO_CHANGE_PRODUCED"], 1],
  ["nothing", ["NO_CHANGE_PRODUCED"], 1],
  ["outside", ["FIX_BUDGET_EXHAUSTED", "SCOPE_VIOLATION"], 1],
  ["lie", ["FIX_BUDGET_EXHAUSTED", "VERIFICATION_FAILED"], 1],
  ["recorded:codex-api-failed:1", ["AGENT_API_FAILED"], 1],
  ["recorded:codex-refused:0", ["RESULT_MALFORMED"], 1],
  ["recorded:codex-text:0", ["RESULT_MALFORMED"], 1],
  ["recorded:codex-denied:0", ["NO_CHANGE_PRODUCED"], 1],
  ["recorded:codex-answered:7", ["EXIT_NONZERO"], 1],
];

describe("an executor that fails as agents do", () => {
  // Every failure of an agent is an attempt of one run, and all of them are verified at once. One that is no failure
  // leaves nothing to attempt again: the next begins a run of its own.
  const attemptsOf = onceFor(async (agent) => {
    const config = agent === "codex" ? CODEX_CONFIG : AGENT_CONFIG;
    const ended = new Map<string, AgentEnded>();
    const worlds: AgentWorld[] = [];
    let world: AgentWorld | undefined;
    for (const [act] of FAILURES.filter((row) => agentOf(row[0]) === agent)) {
      const behaviour = { acts: { executor: [act] } };
      world?.behave(behaviour);
      const next = world ?? new AgentWorld([...config, NO_FIXES], behaviour);
      const attempt = await (world === undefined ? next.run() : next.resume("--new-attempt", "01"));
      ended.set(act, attempt);
      if (world === undefined) worlds.push(next);
      world = attempt.outcome.terminal_state === "failed" ? next : undefined;
    }
    return { ended, verified: await Promise.all(worlds.map((each) => each.conveyor("verify"))) };
  });
  const agentOf = (act: string): string => (act.startsWith("recorded:codex") ? "codex" : "claude");

  it.each(FAILURES)(
    "%s: %s",
    async (act, codes, exit) => {
      const { ended, verified } = await attemptsOf(agentOf(act));
      const { code, outcome } = ended.get(act) ?? expect.fail("it was not attempted");
      expect(outcome.items).toMatchObject([{ terminal_state: "escalated", reason_codes: codes }]);
      expect(code).toBe(exit);
      expect(verified.filter((each) => each.code !== 0)).toEqual([]);
    },
    180_000,
  );

  it("is asked again when its service is not to be had for now, and every try is on record", async () => {
    const world = new AgentWorld(AGENT_CONFIG, { acts: { executor: ["recorded:claude-api-failed:1", "good"] } });
    const ended = await world.run();
    expect(ended.code, ended.stderr).toBe(0);
    const tried = world.report().stage_executions.filter(({ purpose }) => purpose === "executor");
    expect(tried.map(({ error }) => error?.includes("unavailable: API Error: 500") ?? false)).toEqual([true, false]);
    expect(ended.stderr).toContain("its model was not to be had");
    expect((await world.conveyor("verify")).code).toBe(0);
  });

  it("is over its time when it hangs, and is gone on with by a resume", async () => {
    const world = new AgentWorld(CODEX_CONFIG, { acts: { executor: ["hang", "good"] } });
    const ended = await world.run("--timeout-ms", "2500");
    expect(ended.code).toBe(124);
    expect(world.report().cost.total).toMatchObject({ sessions: 1, unknown_cost: 1, unknown_tokens: 1, known_usd: 0 });
    expect(ended.outcome).toMatchObject({ cost_usd: null, tokens_in: null });
    expect((await world.resume()).code).toBe(0);
  });

  it("goes on in a new session when its turns or its budget are used up", async () => {
    const world = new AgentWorld(AGENT_CONFIG, {
      acts: { executor: ["recorded:claude-max-turns:1", "good"] },
    });
    const ended = await world.run();
    expect(ended.code).toBe(0);
    const sessions = world.report().items[0]?.attempts[0]?.sessions ?? [];
    expect(sessions.map(({ outcome }) => outcome)).toEqual(["handoff", "finished"]);
    const failed = world.report().stage_executions.find(({ agent }) => agent?.failure === "exhausted");
    expect(failed?.error).toContain("Reached maximum number of turns (2)");
  });

  it("is not started where there is none", async () => {
    const world = new AgentWorld(AGENT_CONFIG, {}, ["codex"]);
    const ended = await world.run();
    expect(ended.outcome.items).toMatchObject([{ reason_codes: ["SPAWN_FAILED"] }]);
    expect(world.report().cost.total.sessions).toBe(0);
    expect((await world.conveyor("verify")).code).toBe(0);
  });
});

/** What an auditor does; `one` is codex, `two` is claude. */
const FAILED_AUDITS = [
  ["audit:two", "recorded:claude-api-failed:1"],
  ["audit:two", "recorded:claude-refused:1"],
  ["audit:two", "recorded:claude-answered:0"],
  ["audit:two", "recorded:claude-budget:1"],
  ["audit:one", "recorded:codex-refused:0"],
  ["audit:one", "recorded:codex-text:0"],
] as const;

describe("an auditor that fails as agents do", () => {
  // Each row is a lane of its own, and all of them look at one item, side by side with two lanes that pass it.
  const audited = once(async () => {
    const use = {
      "audit:one": `use: codex, env: [OPENAI_API_KEY], ${PRICE}`,
      "audit:two": "use: claude, env: [ANTHROPIC_API_KEY]",
    };
    const lanes = FAILED_AUDITS.map(([role], index) => `{name: ${laneOf(index)}, ${use[role]}}, `);
    const config = AGENT_CONFIG.map((line) => line.replace("lanes: [", `lanes: [${lanes.join("")}`));
    const acts = FAILED_AUDITS.map(([, act], index) => [`audit:${laneOf(index)}`, [act]] as const);
    const world = new AgentWorld(config, { acts: Object.fromEntries(acts) });
    const ended = await world.run();
    return { ended, lanes: world.report().audit.items[0]?.rounds[0]?.lanes ?? [] };
  });
  const laneOf = (index: number): string => `failing-${index + 1}`;

  it.each(FAILED_AUDITS)("%s %s proves nothing", async (_role, act) => {
    const { ended, lanes } = await audited();
    const name = laneOf(FAILED_AUDITS.findIndex((row) => row[1] === act));
    expect(lanes.find(({ lane }) => lane === name)).toMatchObject({ outcome: "engine_failed", findings: 0 });
    expect(lanes.filter(({ outcome }) => outcome === "pass").map(({ lane }) => lane)).toEqual(["one", "two"]);
    expect(ended.outcome.items).toMatchObject([{ reason_codes: ["AUDIT_ENGINE_FAILED"] }]);
    expect(ended.code).toBe(1);
  });
});

describe("the end of the prompts for agents, word for word", () => {
  it("asks for a last message and for no file", async () => {
    const { world } = await triagedRun();
    const ends = ["executor", "audit:one", "triage"].map((role) => {
      const prompt = world.starts().find((start) => start.role === role)?.prompt ?? "";
      return prompt.slice(prompt.indexOf("## Answer")).replaceAll(/[0-9a-f]{32,64}/g, "HEX");
    });
    const golden = join(import.meta.dirname, "..", "fixtures", "prompts", "agent-answers.md");
    const said = ends.join("\n---\n\n");
    if (process.env["CONVEYOR_UPDATE_PROMPTS"] === "1") writeFileSync(golden, said);
    expect(said).toBe(readFileSync(golden, "utf8"));
  });
});

describe("cost", () => {
  it("is unknown where nobody knows it, and never nothing", async () => {
    const world = new AgentWorld(AGENT_CONFIG.map((line) => line.replace(`, ${PRICE}`, "")));
    const ended = await world.run();
    expect(ended.code).toBe(0);
    expect(ended.outcome).toMatchObject({ cost_usd: null, known_cost_usd: 0.1, tokens_in: 3000 });
    const markdown = readFileSync(join(ended.outcome.run_dir, "report.md"), "utf8");
    expect(markdown).toContain("Limit $10: at least $0.1000; the cost of 1 of 3 sessions is unknown.");
    expect(markdown).toMatch(/\| audit:one +\| 1 +\| unknown +\| none +\| 1000 in \(800 cached\), 20 out +\|/);
  });

  it("stops the run before the session that would begin beyond its limit, and repeats nothing when it may go on", async () => {
    const world = new AgentWorld(AGENT_CONFIG, { acts: { "audit:two": ["finding", "good"] } });
    const stopped = await world.run("--max-cost-usd", "0.1");
    expect([stopped.code, stopped.outcome.blocked_reason_codes]).toEqual([3, ["COST_LIMIT"]]);
    expect(stopped.outcome.next_actions[0]?.command).toMatch(/^conveyor resume \S+ --max-cost-usd 0\.2$/);
    expect(
      world
        .starts()
        .map(({ role }) => role)
        .toSorted(),
    ).toEqual(["audit:one", "audit:two", "executor"]);
    expect((await world.conveyor("verify")).code).toBe(0);

    world.forget();
    const again = await world.resume();
    expect([again.code, again.outcome.blocked_reason_codes]).toEqual([3, ["COST_LIMIT"]]);
    expect(world.starts()).toEqual([]);

    world.behave({});
    const done = await world.resume("--max-cost-usd", "1");
    expect(done.code).toBe(0);
    expect(
      world
        .starts()
        .map(({ role }) => role)
        .toSorted(),
    ).toEqual(["audit:one", "audit:two", "executor"]);
    expect(world.starts()[0]?.prompt).toContain("(fix, round 2)");
    expect(world.report().options["max-cost-usd"]).toEqual({ value: 1, source: "command_line" });
    expect((await world.conveyor("verify")).code).toBe(0);
  });

  it("counts before triage too", async () => {
    const triage = "triage: {use: claude, env: [ANTHROPIC_API_KEY]}";
    const world = new AgentWorld([...AGENT_CONFIG, triage], { acts: { "audit:two": ["note"] } });
    const stopped = await world.run("--max-cost-usd", "0.1");
    expect([stopped.code, stopped.outcome.blocked_reason_codes]).toEqual([3, ["COST_LIMIT"]]);
    expect(world.starts().map(({ role }) => role)).not.toContain("triage");
    world.forget();
    expect((await world.resume("--max-cost-usd", "1")).code).toBe(0);
    expect(world.starts().map(({ role }) => role)).toEqual(["triage"]);
    expect(world.report().audit.items[0]?.rounds[0]?.findings).toMatchObject([{ disposition: "out_of_scope" }]);
  });

  it("counts before audits too, and what the configuration allows", async () => {
    const limit = "limits: {cost-usd-per-run: 0.05}";
    const world = new AgentWorld([...AGENT_CONFIG, limit]);
    const stopped = await world.run();
    expect([stopped.code, stopped.outcome.blocked_reason_codes]).toEqual([3, ["COST_LIMIT"]]);
    expect(world.starts().map(({ role }) => role)).toEqual(["executor"]);
    expect((await world.resume("--max-cost-usd", "0.06")).code).toBe(0);
    expect(
      world
        .starts()
        .map(({ role }) => role)
        .toSorted(),
    ).toEqual(["audit:one", "audit:two", "executor"]);
  });

  it("gives an agent that can hold itself to it what is left, shared among those that begin together", async () => {
    const world = await goodRun();
    const budgets = world
      .starts()
      .filter(({ name }) => name === "claude")
      .map(({ args }) => args[args.indexOf("--max-budget-usd") + 1]);
    expect(budgets).toEqual(["0.25", "0.1"]);
  });

  it("is not promised to stay under a limit that nothing can hold", async () => {
    const world = new AgentWorld(AGENT_CONFIG.map((line) => line.replace(`, ${PRICE}`, "")));
    const ended = await world.run("--max-cost-usd", "1");
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("nothing says what audit lane one costs; expected a price there");
    expect(world.starts()).toEqual([]);
  });

  it("cannot be made smaller in the journal than the agent said", async () => {
    const world = await goodRun();
    const repository = new TestRepository({ copyOf: world.repository });
    forgeRun(
      repository.runFolder(),
      (events) =>
        events.map((event) => {
          const execution = event.details["execution"] as { agent?: Record<string, unknown> | null } | undefined;
          if (execution?.agent === undefined || execution.agent === null) return event;
          const agent = { ...execution.agent, cost_usd: 0.01 };
          return { ...event, details: { ...event.details, execution: { ...execution, agent } } };
        }),
      {},
      { closing: "anew" },
    );
    const verified = await repository.conveyor(["verify"], { env: world.env() });
    expect(verified.code).toBe(1);
    expect(verified.stdout).toContain("does not say what the journal says of the agent");
  });
});

describe("doctor", () => {
  it("says that the agents of the configuration are there, and how they come when they are not", async () => {
    const whole = new AgentWorld();
    const good = await whole.conveyor("doctor");
    expect(good.stdout).toContain("codex 0.169.0");
    expect(good.stdout).toContain("claude 2.1.328");
    expect(good.code).toBe(0);

    whole.behave({ versions: { codex: "codex-cli 0.168.9", claude: "nothing" } });
    const old = await whole.conveyor("doctor");
    expect(old.stdout).toContain(
      "codex 0.168.9 is older than 0.169.0, the oldest that is proven: npm install --global @openai/codex@0.169.0",
    );
    expect(old.stdout).toContain(
      "claude does not say its version: npm install --global @anthropic-ai/claude-code@2.1.328",
    );
    expect(old.code).toBe(1);

    const missing = await new AgentWorld(AGENT_CONFIG, {}, ["claude"]).conveyor("doctor");
    expect(missing.stdout).toContain("codex is missing: npm install --global @openai/codex@0.169.0");
    expect(missing.code).toBe(1);
  });

  it("warns of a key that is not there", async () => {
    const world = new AgentWorld();
    const env = { ...world.env(), OPENAI_API_KEY: "" };
    const { stdout, code } = await world.repository.conveyor(["doctor"], { env });
    expect(stdout).toContain("audit lane one: OPENAI_API_KEY is not set here");
    expect(code).toBe(0);
  });
});
