import { roundUsd, type AgentAnswer, type AgentTokens } from "../../domain/agent.ts";
import type { ProcessEnding } from "../../domain/process-report.ts";
import type { AgentCall, AgentInvocation } from "../../ports.ts";
import { countOf, objectOf, readObjects, tell } from "./output.ts";

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
const FAILURES: Readonly<Record<string, NonNullable<AgentAnswer["failure"]>>> = {
  error_max_turns: "exhausted",
  error_max_budget_usd: "exhausted",
  error_max_structured_output_retries: "no_answer",
  error_during_execution: "api_failed",
};

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
  const { failure, detail } = judgeResult(result);
  const structured = result["structured_output"];
  const cost = result["total_cost_usd"];
  return {
    ...known,
    answer: failure === null ? new TextEncoder().encode(`${JSON.stringify(structured)}\n`) : undefined,
    tokens: readTokens(result),
    cost_usd: typeof cost === "number" && cost >= 0 ? roundUsd(cost) : null,
    failure,
    detail,
    denied: Array.isArray(result["permission_denials"]) ? result["permission_denials"].length : 0,
  };
}

function judgeResult(result: Record<string, unknown>): Pick<AgentAnswer, "failure" | "detail"> {
  const said = tell(result["result"]);
  const errors = Array.isArray(result["errors"]) ? tell(result["errors"].join("; ")) : "";
  const failure = FAILURES[String(result["subtype"])];
  if (failure !== undefined) return { failure, detail: errors === "" ? said : errors };
  if (result["stop_reason"] === "refusal") return { failure: "refused", detail: said };
  if (result["is_error"] === true) {
    const full = result["terminal_reason"] === "prompt_too_long" || said.startsWith("Prompt is too long");
    return { failure: full ? "exhausted" : "api_failed", detail: said };
  }
  const structured = result["structured_output"];
  return structured === undefined || structured === null
    ? { failure: "no_answer", detail: "it ended without the structured answer that was asked for" }
    : { failure: null, detail: "" };
}

/** `usage` leaves out what was spent besides the last turns; `modelUsage` has all of it. */
function readTokens(result: Record<string, unknown>): AgentTokens | null {
  const models = Object.values(objectOf(result["modelUsage"])).map(objectOf);
  if (models.length === 0) return null;
  const sum = (key: string): number => models.reduce((total, each) => total + countOf(each[key]), 0);
  const cached = sum("cacheReadInputTokens");
  return { in: sum("inputTokens") + cached + sum("cacheCreationInputTokens"), cached, out: sum("outputTokens") };
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
