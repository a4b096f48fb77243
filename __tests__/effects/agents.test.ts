import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { configSchema } from "../../src/domain/config.ts";
import type { AgentSettings } from "../../src/domain/agent-config.ts";
import { agents } from "../../src/effects/executor/agents.ts";
import type { AgentCall } from "../../src/ports/programs.ts";

const RECORDED = join(import.meta.dirname, "..", "fixtures", "agents");
const PRICE = { input: 1.25, "cached-input": 0.125, output: 10 };
const SCHEMA = { type: "object" };

function call(settings: Partial<AgentSettings> & Pick<AgentSettings, "use">, rest: Partial<AgentCall> = {}): AgentCall {
  return {
    settings: { args: [], env: [], ...settings },
    rights: "write",
    cwd: "/work",
    scratch: "/scratch",
    schema: SCHEMA,
    budgetUsd: undefined,
    tier: 1,
    keyUrls: {},
    ...rest,
  };
}

describe("how claude is started", () => {
  it("as executor", () => {
    const settings: AgentSettings = {
      use: "claude",
      model: "opus",
      effort: "high",
      "base-url": "https://models.example.com",
      "max-turns": 40,
      args: ["--add-dir", "/shared"],
      env: ["ANTHROPIC_API_KEY"],
    };
    expect(agents.buildInvocation(call(settings, { budgetUsd: 1.5 }))).toEqual({
      command: [
        "claude",
        "-p",
        "--bare",
        "--output-format",
        "stream-json",
        "--verbose",
        "--no-session-persistence",
        "--setting-sources",
        "",
        "--strict-mcp-config",
        "--disable-slash-commands",
        "--permission-mode",
        "acceptEdits",
        "--tools",
        "Bash,Edit,Read",
        "--allowedTools",
        "Bash",
        "--add-dir",
        "/scratch",
        "--model",
        "opus",
        "--effort",
        "high",
        "--max-turns",
        "40",
        "--max-budget-usd",
        "1.5",
        "--add-dir",
        "/shared",
        "--json-schema",
        '{"type":"object"}',
      ],
      env: {
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        DISABLE_AUTOUPDATER: "1",
        ANTHROPIC_BASE_URL: "https://models.example.com",
      },
      files: [],
    });
  });

  it("as auditor: nothing that writes is allowed, and the tools for it are not there", () => {
    const { command, env } = agents.buildInvocation(call({ use: "claude" }, { rights: "read" }));
    expect(command.slice(command.indexOf("--permission-mode"))).toEqual([
      "--permission-mode",
      "dontAsk",
      "--tools",
      "Bash,Read",
      "--add-dir",
      "/scratch",
      "--json-schema",
      '{"type":"object"}',
    ]);
    expect(env).not.toHaveProperty("ANTHROPIC_BASE_URL");
  });
});

test("claude is led to where its key is held, in place of a service of its own", () => {
  const settings = { use: "claude", "base-url": "https://a.example.com" } as const;
  const held = (name: string) =>
    agents.buildInvocation(call(settings, { tier: 3, keyUrls: { [name]: "http://127.0.0.1:1/K" } })).env;
  expect(held("ANTHROPIC_API_KEY")["ANTHROPIC_BASE_URL"]).toBe("http://127.0.0.1:1/K");
  expect(held("OTHER")["ANTHROPIC_BASE_URL"]).toBe("https://a.example.com");
});

describe("how codex is started", () => {
  const settings: AgentSettings = {
    use: "codex",
    model: "gpt-5.4",
    effort: "high",
    args: ["--enable", "some_feature"],
    env: ["MODEL_KEY", "OTHER"],
    price: PRICE,
  };
  const expected = (sandbox: string) => [
    "codex",
    "exec",
    "--json",
    "--ephemeral",
    "--ignore-user-config",
    "--ignore-rules",
    "--skip-git-repo-check",
    "--color",
    "never",
    "-C",
    "/work",
    "-s",
    sandbox,
    "-c",
    "approval_policy=never",
    "-c",
    "web_search=disabled",
    "-c",
    "project_doc_max_bytes=0",
    "-c",
    "allow_login_shell=false",
    "-c",
    "sandbox_workspace_write.exclude_slash_tmp=true",
    "-c",
    'shell_environment_policy.exclude=["MODEL_KEY","OTHER"]',
    "-c",
    "features.unbounded_connection_retries=false",
    "-c",
    "features.multi_agent=false",
    "-c",
    'model_providers.conveyor={name="conveyor",base_url="https://api.openai.com/v1",env_key="MODEL_KEY",wire_api="responses"}',
    "-c",
    "model_provider=conveyor",
    "-m",
    "gpt-5.4",
    "-c",
    "model_reasoning_effort=high",
    "--enable",
    "some_feature",
    "--output-schema",
    "/scratch/answer.schema.json",
    "-",
  ];

  it("as executor", () => {
    expect(agents.buildInvocation(call(settings))).toEqual({
      command: expected("workspace-write"),
      env: {},
      files: [{ name: "answer.schema.json", text: '{"type":"object"}\n' }],
    });
  });

  it("as auditor: in a sandbox that writes nowhere", () => {
    expect(agents.buildInvocation(call(settings, { rights: "read" })).command).toEqual(expected("read-only"));
  });

  it.each(["write", "read"] as const)("in tier 3, with the right to %s: without a sandbox of its own", (rights) => {
    expect(agents.buildInvocation(call(settings, { rights, tier: 3 })).command).toEqual(expected("danger-full-access"));
  });

  it("with the way to its service that holds its key, and with no other's", () => {
    const keyUrls = { MODEL_KEY: "http://127.0.0.1:1/MODEL_KEY", OTHER: "http://127.0.0.1:1/OTHER" };
    const own = { ...settings, "base-url": "https://a.example.com" };
    const { command } = agents.buildInvocation(call(own, { tier: 3, keyUrls }));
    expect(command.find((word) => word.startsWith("model_providers"))).toContain(
      'base_url="http://127.0.0.1:1/MODEL_KEY"',
    );
  });

  it("with a service and a key of its own when nothing is said", () => {
    const { command } = agents.buildInvocation(call({ use: "codex", "base-url": 'https://a.example.com/"v1' }));
    expect(command).toContain(
      String.raw`model_providers.conveyor={name="conveyor",base_url="https://a.example.com/\"v1",env_key="OPENAI_API_KEY",wire_api="responses"}`,
    );
    expect(command).toContain("shell_environment_policy.exclude=[]");
  });
});

/** What each recorded output comes to, with the exit code that it was recorded with. */
const CLAUDE: readonly (readonly [name: string, exit: number, expected: object])[] = [
  [
    "answered",
    0,
    {
      answer: '{"status":"completed","summary":"did","reason":""}\n',
      failure: null,
      detail: "",
      denied: 0,
      cost_usd: 0.00512,
      tokens: { in: 2400, cached: 1600, out: 80 },
    },
  ],
  ["no-answer", 0, { answer: null, failure: "no_answer", cost_usd: 0.00512 }],
  ["refused", 1, { answer: null, failure: "refused", cost_usd: 0.00512 }],
  ["api-failed", 1, { answer: null, failure: "unavailable", tokens: null }],
  ["invalid-answer", 1, { answer: null, failure: "no_answer", tokens: { in: 6000, cached: 4000, out: 200 } }],
  ["max-turns", 1, { answer: null, failure: "exhausted", detail: "Reached maximum number of turns (2)" }],
  ["budget", 1, { answer: null, failure: "exhausted", detail: "Reached maximum budget ($0.004)" }],
  ["denied", 0, { failure: null, denied: 1 }],
];

const CODEX: typeof CLAUDE = [
  [
    "answered",
    0,
    {
      answer: '{"status":"completed","summary":"did","reason":""}',
      failure: null,
      detail: "",
      denied: 0,
      cost_usd: 0.002,
      tokens: { in: 2400, cached: 1600, out: 80 },
    },
  ],
  ["text", 0, { answer: "I am done.", failure: null }],
  ["refused", 0, { answer: null, failure: "no_answer", cost_usd: 0.001 }],
  ["api-failed", 1, { answer: null, failure: "api_failed", tokens: null, cost_usd: null }],
  ["denied", 0, { failure: null, denied: 1 }],
];

function read(agent: AgentSettings["use"], stdout: string, exit: number, price?: typeof PRICE) {
  const ending = { kind: "exited", exit_code: exit } as const;
  const { answer, ...facts } = agents.readAnswer(agent, ending, new TextEncoder().encode(stdout), price);
  return { answer: answer === undefined ? null : new TextDecoder().decode(answer), ...facts };
}

function recorded(name: string): string {
  return readFileSync(join(RECORDED, `${name}.jsonl`), "utf8");
}

describe("what the recorded output of an agent says", () => {
  it.each(CLAUDE)("claude %s, exit %i", (name, exit, expected) => {
    expect(read("claude", recorded(`claude-${name}`), exit)).toMatchObject({ model: "claude-opus-5-5", ...expected });
  });

  it.each(CODEX)("codex %s, exit %i", (name, exit, expected) => {
    expect(read("codex", recorded(`codex-${name}`), exit, PRICE)).toMatchObject(expected);
  });

  it("keeps the cost of codex unknown without a price", () => {
    expect(read("codex", recorded("codex-answered"), 0)).toMatchObject({ cost_usd: null, tokens: { in: 2400 } });
  });

  it.each([
    ["unavailable", 'API Error: 529 {"type":"overloaded_error"}'],
    ["unavailable", "API Error: 429 rate_limit_error"],
    ["unavailable", "API Error: Connection error."],
    ["unavailable", "exceeded retry limit, last status: 429 Too Many Requests"],
    ["unavailable", "unexpected status 503 Service Unavailable"],
    ["unavailable", "stream disconnected before completion: error sending request for url"],
    ["unavailable", "We're currently experiencing high demand"],
    ["api_failed", "unexpected status 401 Unauthorized"],
    ["api_failed", "API Error: 400 invalid model"],
    [
      "api_failed",
      "exceeded retry limit, last status: 429; You exceeded your current quota, check your billing details",
    ],
    ["api_failed", "Credit balance is too low"],
  ])("%s is what it comes to when a service says: %s", (failure, said) => {
    const codex = `${JSON.stringify({ type: "turn.failed", error: { message: said } })}\n`;
    const claude = `${JSON.stringify({ type: "result", subtype: "success", is_error: true, result: said })}\n`;
    expect([read("codex", codex, 1).failure, read("claude", claude, 1).failure]).toEqual([failure, failure]);
  });

  it.each([
    ["claude", "claude-answered", 2400],
    ["codex", "codex-answered", 2400],
  ] as const)("lets %s tell how much its model has read so far, each request once", (agent, name, expected) => {
    const read = new Map<string, number>();
    for (const line of [...recorded(name).split("\n"), ...recorded(name).split("\n")]) {
      const counted = agents.countTokens(agent, line);
      if (counted !== undefined) read.set(counted.request, counted.read);
    }
    expect([...read.values()].reduce((sum, each) => sum + each, 0)).toBe(expected);
  });

  it("tells of a service that failed in its own words", () => {
    expect(read("claude", recorded("claude-api-failed"), 1).detail).toMatch(/^API Error: 500 the script says so\./);
    expect(read("codex", recorded("codex-api-failed"), 1).detail).toMatch(/^unexpected status 401 Unauthorized/);
  });

  it("knows a context that is full, which is gone on with in a new session", () => {
    const result = { type: "result", subtype: "success", is_error: true, result: "Prompt is too long" };
    expect(read("claude", JSON.stringify(result), 1).failure).toBe("exhausted");
    const failed = { type: "turn.failed", error: { message: "Your input exceeds the context window of this model." } };
    expect(read("codex", JSON.stringify(failed), 1).failure).toBe("exhausted");
  });
});

describe("what the output of an agent says that was cut short, or is none", () => {
  const SILENT = { answer: null, tokens: null, cost_usd: null };

  it.each(["claude", "codex"] as const)("%s", (agent) => {
    const whole = recorded(`${agent}-answered`).split("\n").slice(0, 2).join("\n");
    for (const stdout of ["", "\n{", "not json\n[]\n", whole]) {
      expect(read(agent, stdout, 0, PRICE)).toMatchObject({ ...SILENT, failure: "no_answer" });
      // What it died of is for the exit code to say.
      expect(read(agent, stdout, 1, PRICE)).toMatchObject({ ...SILENT, failure: null });
    }
  });

  it("leaves a failed exit after an answer to the exit code", () => {
    expect(read("codex", recorded("codex-answered"), 1).failure).toBeNull();
  });

  it("believes no numbers that are none", () => {
    const result = {
      type: "result",
      is_error: false,
      structured_output: {},
      total_cost_usd: -1,
      modelUsage: { a: { inputTokens: -5, outputTokens: "7" } },
    };
    expect(read("claude", JSON.stringify(result), 0)).toMatchObject({ cost_usd: null, tokens: null });
  });

  it.each([[undefined], [{ input_tokens: "7", output_tokens: 1 }], [{ input_tokens: 7, output_tokens: -1 }]])(
    "does not take tokens that were not said for none, which would cost nothing: %j",
    (usage) => {
      const message = { type: "item.completed", item: { type: "agent_message", text: "{}" } };
      const said = [message, { type: "turn.completed", usage }].map((event) => JSON.stringify(event)).join("\n");
      expect(read("codex", said, 0, PRICE)).toMatchObject({ answer: "{}", tokens: null, cost_usd: null });
    },
  );

  it("takes words that are none for no failure that we know, and is not brought down by them", () => {
    const odd = '{"toString": 1}';
    const result = (rest: string): string => `{"type": "result", "is_error": false, ${rest}}`;
    const answered = '"structured_output": {}';
    expect(read("claude", result(`"subtype": "constructor", ${answered}`), 0).failure).toBeNull();
    expect(read("claude", result(`"subtype": ${odd}, ${answered}`), 0).failure).toBeNull();
    const failed = result(`"subtype": "error_max_turns", "errors": [${odd}, "no turns left"]`);
    expect(read("claude", failed, 1)).toMatchObject({ failure: "exhausted", detail: "no turns left" });
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    expect(read("claude", result(`"structured_output": ${deep}`), 0)).toMatchObject({
      answer: null,
      failure: "no_answer",
    });
    const command = `{"type": "item.completed", "item": {"status": "failed", "aggregated_output": ${odd}}}`;
    expect(read("codex", command, 0)).toMatchObject({ failure: "no_answer", denied: 0 });
  });

  it("takes numbers beyond belief for the most there can be, so that a limit is reached and a journal can hold them", () => {
    const models = Array.from({ length: 9 }, (_, index) => `"m${index}": {"inputTokens": 1e15, "outputTokens": 1e400}`);
    const line = (cost: string): string =>
      `{"type": "result", "is_error": false, "structured_output": {}, "total_cost_usd": ${cost}, "modelUsage": {${models.join()}}}`;
    for (const cost of ["1e400", "1e305", "1e7"])
      expect(read("claude", line(cost), 0)).toMatchObject({ cost_usd: 1e6, tokens: { in: 1e12, out: 1e12 } });
    const usage = '{"type": "turn.completed", "usage": {"input_tokens": 1e400, "output_tokens": 9007199254740993}}';
    const priced = read("codex", usage, 0, PRICE);
    expect(priced.tokens).toEqual({ in: 1e12, cached: 0, out: 1e12 });
    expect(priced.cost_usd).toBe(11_250_000);
  });

  it("tells a failure on one short line without what cannot be seen", () => {
    const result = { type: "result", is_error: true, result: `a\u001b[31m\nb\u200b${"c".repeat(400)}` };
    const { detail } = read("claude", JSON.stringify(result), 1);
    expect(detail).toMatch(/^a \[31m b c+…$/);
    expect(detail.length).toBeLessThanOrEqual(301);
  });
});

describe("what a person sees who follows an agent", () => {
  const follow = (agent: AgentSettings["use"], name: string) =>
    recorded(name)
      .split("\n")
      .flatMap((line) => agents.describeLine(agent, line) ?? []);

  it("is what claude does and says", () => {
    expect(follow("claude", "claude-denied")).toEqual([
      "Edit /repository/outside.txt",
      "denied: Claude requested permissions to write to /repository/outside.txt, but you haven't granted it yet.",
      "StructuredOutput",
    ]);
    expect(follow("claude", "claude-api-failed")[0]).toBe("the service failed, trying again: server_error");
  });

  it("leaves out what was cut, and shows what is no event", () => {
    expect(agents.describeLine("codex", '{"type": "item.comp')).toBeUndefined();
    expect(agents.describeLine("claude", "a warning")).toBe("a warning");
  });

  it("is what codex does and says", () => {
    expect(follow("codex", "codex-denied")).toEqual([
      "/bin/bash -lc 'echo x > ../outside.txt; echo x > .git/config'",
      '{"status":"completed","summary":"did","reason":""}',
    ]);
    expect(follow("codex", "codex-api-failed")[0]).toMatch(/^Reconnecting\.\.\. 1\/5/);
  });
});

describe("arguments that would take back what is fixed", () => {
  const refused: readonly (readonly [AgentSettings["use"], string])[] = [
    ...[
      "--dangerously-skip-permissions",
      "--permission-mode",
      "--settings={}",
      "--tools=default",
      "--allowedTools",
      "-c",
      "-p",
      "--output-format",
      "--setting-sources=user",
      "--model=x",
      "--agents={}",
      "--plugin-dir",
      "--",
    ].map((word) => ["claude", word] as const),
    ...[
      "--dangerously-bypass-approvals-and-sandbox",
      "-s",
      "-sworkspace-write",
      "--sandbox=danger-full-access",
      "approval_policy=always",
      "-csandbox_mode=x",
      "--config=web_search=live",
      "model_provider=openai",
      "sandbox_mode =danger-full-access",
      "-c sandbox_mode=danger-full-access",
      'sandbox_workspace_write={writable_roots=["/"]}',
      "sandbox_workspace_write.network_access=true",
      "tools={web_search=true}",
      "shell_environment_policy.inherit=all",
      "--enable=multi_agent",
      "--search",
      "--",
      "--trust",
      "-o",
      "--json",
    ].map((word) => ["codex", word] as const),
  ];

  it.each(refused)("%s %s", (use, word) => {
    const parsed = configSchema.safeParse({ version: 1, executor: { use, args: [word] } });
    expect(parsed.error?.issues.map(({ message }) => message)).toEqual([
      `${word} is set by conveyor; expected arguments that change neither rights nor answer`,
    ]);
  });

  it("are features of codex, too, and a model that would be an option", () => {
    const faults = (executor: object) =>
      configSchema.safeParse({ version: 1, executor }).error?.issues.map(({ message }) => message);
    expect(faults({ use: "codex", args: ["--enable", "multi_agent"] })?.[0]).toMatch(/^multi_agent is set by conveyor/);
    expect(faults({ use: "codex", args: ["--enable", "some_feature"] })).toBeUndefined();
    expect(faults({ use: "codex", model: "--yolo" })).toEqual(["expected the name of a model, found an option"]);
  });

  it.each([
    ["claude", ["--add-dir", "/shared", "--mcp-config", "servers.json", "--append-system-prompt", "x"]],
    [
      "codex",
      ["-c", "model_verbosity=low", "-c", 'sandbox_workspace_write.writable_roots=["/cache"]', "--add-dir", "/cache"],
    ],
  ] as const)("others of %s are taken", (use, args) => {
    expect(configSchema.safeParse({ version: 1, executor: { use, args } }).success).toBe(true);
  });
});
