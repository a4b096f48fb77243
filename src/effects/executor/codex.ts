import { priceTokens, type AgentAnswer } from "../../domain/agent.ts";
import type { Price } from "../../domain/agent-config.ts";
import type { ProcessEnding } from "../../domain/process-report.ts";
import type { AgentCall, AgentInvocation } from "../../ports/programs.ts";
import { countOf, isCount, isTransient, objectOf, readObjects, tell } from "./output.ts";

/** The oldest version whose behaviour the adapter was proven with. */
export const CODEX_MIN = "0.169.0";

const DEFAULT_BASE_URL = "https://api.openai.com/v1";
const DEFAULT_KEY = "OPENAI_API_KEY";

/** Where the schema of the answer lies in the scratch folder. */
const SCHEMA_FILE = "answer.schema.json";

/**
 * How Codex is started. The provider is one of our own, because the built-in one also looks for a login and speaks over
 * web sockets; the key is the first variable that the lane hands on, and its commands do not get it. With a login shell
 * the machine's profile would replace `PATH`. Without the bound on reconnecting it would wait for a service for ever.
 * Tier 3 is its sandbox: one inside another cannot always be made, and every command of it would fail.
 */
export function buildCodex({ settings, rights, cwd, scratch, schema, tier, keyUrls }: AgentCall): AgentInvocation {
  const set = (key: string, value: string): string[] => ["-c", `${key}=${value}`];
  const schemaPath = `${scratch}/${SCHEMA_FILE}`;
  const key = settings.env[0] ?? DEFAULT_KEY;
  const provider = [
    `name="conveyor"`,
    `base_url=${quote(keyUrls[key] ?? settings["base-url"] ?? DEFAULT_BASE_URL)}`,
    `env_key=${quote(key)}`,
    `wire_api="responses"`,
  ];
  return {
    command: [
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
      cwd,
      "-s",
      tier === 3 ? "danger-full-access" : rights === "write" ? "workspace-write" : "read-only",
      ...set("approval_policy", "never"),
      ...set("web_search", "disabled"),
      ...set("project_doc_max_bytes", "0"),
      ...set("allow_login_shell", "false"),
      ...set("sandbox_workspace_write.exclude_slash_tmp", "true"),
      ...set("shell_environment_policy.exclude", `[${settings.env.map(quote).join(",")}]`),
      ...set("features.unbounded_connection_retries", "false"),
      ...set("features.multi_agent", "false"),
      ...set("model_providers.conveyor", `{${provider.join(",")}}`),
      ...set("model_provider", "conveyor"),
      ...(settings.model === undefined ? [] : ["-m", settings.model]),
      ...(settings.effort === undefined ? [] : set("model_reasoning_effort", settings.effort)),
      ...settings.args,
      "--output-schema",
      schemaPath,
      "-",
    ],
    env: {},
    files: [{ name: SCHEMA_FILE, text: `${JSON.stringify(schema)}\n` }],
  };
}

/** A TOML string. */
function quote(text: string): string {
  return JSON.stringify(text);
}

/** What its sandbox says when it keeps a command from writing. */
const DENIED = /Read-only file system|Operation not permitted/;

/**
 * Reads its events. It exits 0 also when nothing was answered or the model refused: its last message is the answer, and
 * without one there is none.
 */
export function readCodex(ending: ProcessEnding, stdout: Uint8Array, price: Price | undefined): AgentAnswer {
  const events = readObjects(stdout);
  const items = events.filter((event) => event["type"] === "item.completed").map((event) => objectOf(event["item"]));
  const message = items.findLast((item) => item["type"] === "agent_message")?.["text"];
  const failed = events.findLast((event) => event["type"] === "turn.failed");
  const completed = events.findLast((event) => event["type"] === "turn.completed");
  const usage = objectOf(completed?.["usage"]);
  const tokens =
    !isCount(usage["input_tokens"]) || !isCount(usage["output_tokens"])
      ? null
      : {
          in: countOf(usage["input_tokens"]),
          cached: countOf(usage["cached_input_tokens"]),
          out: countOf(usage["output_tokens"]),
        };
  const { failure, detail } = judgeTurn(ending, { failed, message, completed });
  return {
    model: null,
    answer: failure === null && typeof message === "string" ? new TextEncoder().encode(message) : undefined,
    tokens,
    cost_usd: priceTokens(tokens, price),
    failure,
    detail,
    denied: items.filter(isDenied).length,
  };
}

function judgeTurn(
  ending: ProcessEnding,
  seen: {
    readonly failed: Record<string, unknown> | undefined;
    readonly message: unknown;
    readonly completed: unknown;
  },
): Pick<AgentAnswer, "failure" | "detail"> {
  if (seen.failed !== undefined) {
    const detail = tell(objectOf(seen.failed["error"])["message"]);
    if (/context window|context length/i.test(detail)) return { failure: "exhausted", detail };
    return { failure: isTransient(detail) ? "unavailable" : "api_failed", detail };
  }
  if (ending.kind !== "exited" || ending.exit_code !== 0) return { failure: null, detail: "" };
  if (seen.completed === undefined) return { failure: "no_answer", detail: "it ended before its turn was complete" };
  return typeof seen.message === "string" && seen.message.trim() !== ""
    ? { failure: null, detail: "" }
    : { failure: "no_answer", detail: "it ended without a message, as it does when the model refuses" };
}

function isDenied(item: Record<string, unknown>): boolean {
  if (item["type"] === "file_change") return item["status"] === "failed" || item["status"] === "declined";
  const output = item["aggregated_output"];
  return item["status"] === "failed" && typeof output === "string" && DENIED.test(output);
}

/** What it does or says, on one line. */
export function describeCodex(event: Record<string, unknown>): string | undefined {
  if (event["type"] === "error") return tell(event["message"]);
  const item = objectOf(event["item"]);
  const text = event["type"] === "item.started" ? tell(item["command"]) : tell(item["text"]);
  return text === "" ? undefined : text;
}

/** What its model read; it says so when its turn is complete, and not before. */
export function countCodex(event: Record<string, unknown>): { request: string; read: number } | undefined {
  if (event["type"] !== "turn.completed") return undefined;
  return { request: "turn", read: countOf(objectOf(event["usage"])["input_tokens"]) };
}
