import { roundUsd, type AgentAnswer, type AgentTokens } from "../../domain/agent.ts";
import { COST_USD_MAX } from "../../domain/run-choices.ts";
import type { ProcessEnding } from "../../domain/process-report.ts";
import type { AgentCall, AgentInvocation } from "../../ports/programs.ts";
import { isTransient, countOf, isCount, objectOf, readObjects, tell } from "./output.ts";

/** The oldest version whose behaviour the adapter was proven with. */
export const CLAUDE_MIN = "2.1.328";

const KEY = "ANTHROPIC_API_KEY";

/**
 * How Claude Code is started. `--bare` alone still reads settings files, whose `env`, `model` and hooks would count, so
 * no source of them is named. Its shell is allowed as a whole to an executor: by default every command that is not
 * known to be harmless is denied, and tests are such commands. An auditor's shell may do what is known to read.
 */
export function buildClaude({ settings, rights, scratch, schema, budgetUsd, keyUrls }: AgentCall): AgentInvocation {
  const option = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [name, String(value)];
  const baseUrl = keyUrls[KEY] ?? settings["base-url"];
  return {
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
      ...(rights === "write"
        ? ["--permission-mode", "acceptEdits", "--tools", "Bash,Edit,Read", "--allowedTools", "Bash"]
        : ["--permission-mode", "dontAsk", "--tools", "Bash,Read"]),
      "--add-dir",
      scratch,
      ...option("--model", settings.model),
      ...option("--effort", settings.effort),
      ...option("--max-turns", settings["max-turns"]),
      ...option("--max-budget-usd", budgetUsd),
      ...settings.args,
      "--json-schema",
      JSON.stringify(schema),
    ],
    env: {
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      ...(baseUrl === undefined ? {} : { ANTHROPIC_BASE_URL: baseUrl }),
    },
    files: [],
  };
}

/** What went wrong by the `subtype` of its result. `success` stands there also when the service failed. */
const FAILURES: ReadonlyMap<unknown, NonNullable<AgentAnswer["failure"]>> = new Map([
  ["error_max_turns", "exhausted"],
  ["error_max_budget_usd", "exhausted"],
  ["error_max_structured_output_retries", "no_answer"],
  ["error_during_execution", "api_failed"],
]);

/** Reads the last `result` of its output. Without one it was ended, or never began: its ending then says what happened. */
export function readClaude(ending: ProcessEnding, stdout: Uint8Array): AgentAnswer {
  const objects = readObjects(stdout);
  const result = objects.findLast((object) => object["type"] === "result");
  const model = objects.find((object) => object["subtype"] === "init")?.["model"];
  const known = { model: typeof model === "string" ? tell(model) : null };
  if (result === undefined) {
    const silent = ending.kind === "exited" && ending.exit_code === 0;
    return {
      ...known,
      answer: undefined,
      tokens: null,
      cost_usd: null,
      failure: silent ? "no_answer" : null,
      detail: silent ? "it ended without a result" : "",
      denied: 0,
    };
  }
  const structured = writeJson(result["structured_output"]);
  const { failure, detail } = judgeResult(result, structured !== undefined);
  const cost = result["total_cost_usd"];
  return {
    ...known,
    answer: failure === null ? new TextEncoder().encode(`${structured}\n`) : undefined,
    tokens: readTokens(result),
    // What is beyond belief, also without end (`1e400`), is more than any limit, and not unknown.
    cost_usd: typeof cost === "number" && cost >= 0 ? roundUsd(Math.min(cost, COST_USD_MAX)) : null,
    failure,
    detail,
    denied: Array.isArray(result["permission_denials"]) ? result["permission_denials"].length : 0,
  };
}

/** The JSON of an answer; nothing when there is none, or when it is nested too deeply to be one. */
function writeJson(value: unknown): string | undefined {
  try {
    return value === undefined || value === null ? undefined : JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function judgeResult(result: Record<string, unknown>, hasAnswer: boolean): Pick<AgentAnswer, "failure" | "detail"> {
  const said = tell(result["result"]);
  const errors = Array.isArray(result["errors"]) ? tell(result["errors"].map(tell).filter(Boolean).join("; ")) : "";
  const failure = FAILURES.get(result["subtype"]);
  if (failure !== undefined) return ofService(failure, errors === "" ? said : errors);
  if (result["stop_reason"] === "refusal") return { failure: "refused", detail: said };
  if (result["is_error"] === true) {
    const full = result["terminal_reason"] === "prompt_too_long" || said.startsWith("Prompt is too long");
    return full ? { failure: "exhausted", detail: said } : ofService("api_failed", said);
  }
  return hasAnswer
    ? { failure: null, detail: "" }
    : { failure: "no_answer", detail: "it ended without the structured answer that was asked for" };
}

/** Of what a service answered, some passes when it is asked again later. */
function ofService(
  failure: NonNullable<AgentAnswer["failure"]>,
  detail: string,
): Pick<AgentAnswer, "failure" | "detail"> {
  return { failure: failure === "api_failed" && isTransient(detail) ? "unavailable" : failure, detail };
}

/** `usage` leaves out what was spent besides the last turns; `modelUsage` has all of it. */
function readTokens(result: Record<string, unknown>): AgentTokens | null {
  const models = Object.values(objectOf(result["modelUsage"])).map(objectOf);
  const isSaid = models.every((each) => isCount(each["inputTokens"]) && isCount(each["outputTokens"]));
  if (models.length === 0 || !isSaid) return null;
  const sum = (key: string): number => countOf(models.reduce((total, each) => total + countOf(each[key]), 0));
  const cached = sum("cacheReadInputTokens");
  return {
    in: countOf(sum("inputTokens") + cached + sum("cacheCreationInputTokens")),
    cached,
    out: sum("outputTokens"),
  };
}

/** What it does or says, on one line. */
export function describeClaude(object: Record<string, unknown>): string | undefined {
  if (object["subtype"] === "permission_denied") return `denied: ${tell(object["message"])}`;
  if (object["subtype"] === "api_retry") return `the service failed, trying again: ${tell(object["error"])}`;
  if (object["type"] !== "assistant") return undefined;
  const content = objectOf(object["message"])["content"];
  const [part] = (Array.isArray(content) ? content : []).map(objectOf).flatMap((block) => {
    const input = objectOf(block["input"]);
    const about = [input["command"], input["file_path"]].map(tell).find((text) => text !== "");
    const said = block["type"] === "tool_use" ? `${tell(block["name"])} ${about ?? ""}`.trim() : tell(block["text"]);
    return said === "" ? [] : [said];
  });
  return part;
}

/** What its model read for one answer; the parts of an answer come as lines of their own. */
export function countClaude(object: Record<string, unknown>): { request: string; read: number } | undefined {
  const message = objectOf(object["message"]);
  if (object["type"] !== "assistant" || typeof message["id"] !== "string") return undefined;
  const usage = objectOf(message["usage"]);
  const kinds = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
  return { request: message["id"], read: kinds.reduce((sum, kind) => sum + countOf(usage[kind]), 0) };
}
