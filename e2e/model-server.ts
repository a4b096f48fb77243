import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Whose protocol a request speaks: `POST /v1/messages` or `POST /v1/responses`. */
export type Protocol = "messages" | "responses";

/** One request for a model's next step, as far as a script needs it. */
export interface ModelCall {
  readonly protocol: Protocol;
  /** Everything that was said to the model, as one text. */
  readonly said: string;
  /** Results of the tools it has used in this session, oldest first. */
  readonly results: readonly string[];
  readonly tools: readonly string[];
  /** Requests of this protocol before this one. */
  readonly index: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage["headers"];
}

/** What the scripted model does next. */
export type ModelStep =
  | { readonly kind: "shell"; readonly script: string }
  | { readonly kind: "tool"; readonly name: string; readonly input: Readonly<Record<string, unknown>> }
  /** The answer that the schema asks for. */
  | { readonly kind: "answer"; readonly value: unknown }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "refusal"; readonly text: string }
  | { readonly kind: "status"; readonly status: number }
  /** Accepts the request and never answers. */
  | { readonly kind: "silence" };

/** A model server on loopback that does what a script says; nothing of it reaches a network. */
export interface ModelServer extends AsyncDisposable {
  readonly url: string;
  readonly calls: readonly ModelCall[];
  /** Requests that were no request for a step. */
  readonly others: readonly string[];
  /** Ends the server before its time. */
  stop(): Promise<void>;
}

const USAGE = { in: 1200, cached: 800, out: 40 } as const;

/** Starts the server; `decide` is asked for every request, one after the other. */
export async function startModelServer(decide: (call: ModelCall) => ModelStep): Promise<ModelServer> {
  const calls: ModelCall[] = [];
  const others: string[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((text) => {
      const protocol = protocolOf(request);
      if (protocol === undefined) {
        others.push(`${request.method ?? ""} ${request.url ?? ""}`);
        response.writeHead(404, { "content-type": "application/json" }).end('{"error":{"message":"not here"}}');
        return;
      }
      const body = JSON.parse(text) as Record<string, unknown>;
      const index = calls.filter((call) => call.protocol === protocol).length;
      const call = { ...readCall(protocol, body), index, headers: request.headers };
      calls.push(call);
      reply(response, call, decide(call));
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    others,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function protocolOf({ method, url = "" }: IncomingMessage): Protocol | undefined {
  if (method !== "POST") return undefined;
  const [path] = url.split("?");
  if (path === "/v1/messages") return "messages";
  return path === "/v1/responses" ? "responses" : undefined;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

type Parsed = Omit<ModelCall, "index" | "headers">;

function readCall(protocol: Protocol, body: Record<string, unknown>): Parsed {
  const tools = ((body["tools"] ?? []) as { name?: string; type?: string }[]).map(
    (tool) => tool.name ?? tool.type ?? "",
  );
  if (protocol === "messages") {
    const messages = (body["messages"] ?? []) as { content: string | Block[] }[];
    const blocks = messages.flatMap(({ content }) =>
      typeof content === "string" ? [{ type: "text", text: content }] : content,
    );
    const results = blocks.filter((block) => block.type === "tool_result").map((block) => textOf(block.content));
    const said = blocks.map((block) => block.text ?? "").join("\n");
    return { protocol, said, results, tools, body };
  }
  const input = (body["input"] ?? []) as (Block & { output?: unknown })[];
  const results = input.filter((entry) => entry.type?.endsWith("_output") === true).map(({ output }) => textOf(output));
  return { protocol, said: input.map((entry) => textOf(entry.content)).join("\n"), results, tools, body };
}

interface Block {
  readonly type?: string;
  readonly text?: string;
  readonly content?: unknown;
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return content.map((part: Block) => part.text ?? "").join("\n");
  return content === undefined ? "" : JSON.stringify(content);
}

function reply(response: ServerResponse, call: ModelCall, step: ModelStep): void {
  if (step.kind === "silence") return;
  if (step.kind === "status") {
    const error = { type: step.status === 429 ? "rate_limit_error" : "api_error", message: "the script says so" };
    response.writeHead(step.status, { "content-type": "application/json", "retry-after": "1" });
    response.end(JSON.stringify({ type: "error", error }));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const events = call.protocol === "messages" ? messagesEvents(call, step) : responsesEvents(call, step);
  for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  response.end();
}

type Spoken = Exclude<ModelStep, { kind: "status" | "silence" }>;
interface ServerEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

function messagesEvents(call: ModelCall, step: Spoken): ServerEvent[] {
  const id = `msg_${call.index}`;
  const tool = (name: string, input: unknown) => ({ name, input });
  const used =
    step.kind === "shell"
      ? tool("Bash", { command: step.script, description: "scripted" })
      : step.kind === "tool"
        ? tool(step.name, step.input)
        : step.kind === "answer"
          ? tool("StructuredOutput", step.value)
          : undefined;
  const block =
    used === undefined
      ? [
          { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
          {
            type: "content_block_delta",
            index: 0,
            delta: { type: "text_delta", text: "text" in step ? step.text : "" },
          },
        ]
      : [
          {
            type: "content_block_start",
            index: 0,
            content_block: { type: "tool_use", id: `toolu_${call.index}`, name: used.name, input: {} },
          },
          {
            type: "content_block_delta",
            index: 0,
            delta: { type: "input_json_delta", partial_json: JSON.stringify(used.input) },
          },
        ];
  const reason = step.kind === "refusal" ? "refusal" : used === undefined ? "end_turn" : "tool_use";
  const usage = {
    input_tokens: USAGE.in - USAGE.cached,
    cache_read_input_tokens: USAGE.cached,
    cache_creation_input_tokens: 0,
    output_tokens: USAGE.out,
  };
  return [
    {
      type: "message_start",
      message: {
        id,
        type: "message",
        role: "assistant",
        model: call.body["model"],
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...usage, output_tokens: 1 },
      },
    },
    ...block,
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: reason, stop_sequence: null }, usage },
    { type: "message_stop" },
  ];
}

function responsesEvents(call: ModelCall, step: Spoken): ServerEvent[] {
  const id = `resp_${call.index}`;
  const called = (name: string, input: unknown) => ({
    type: "function_call",
    id: `fc_${call.index}`,
    call_id: `call_${call.index}`,
    name,
    arguments: JSON.stringify(input),
  });
  const said = (content: unknown) => ({
    type: "message",
    id: `m_${call.index}`,
    role: "assistant",
    content: [content],
  });
  const item =
    step.kind === "shell"
      ? called("exec_command", { cmd: step.script })
      : step.kind === "tool"
        ? called(step.name, step.input)
        : step.kind === "answer"
          ? said({ type: "output_text", text: JSON.stringify(step.value), annotations: [] })
          : step.kind === "refusal"
            ? said({ type: "refusal", refusal: step.text })
            : said({ type: "output_text", text: step.text, annotations: [] });
  const usage = {
    input_tokens: USAGE.in,
    input_tokens_details: { cached_tokens: USAGE.cached },
    output_tokens: USAGE.out,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: USAGE.in + USAGE.out,
  };
  return [
    { type: "response.created", response: { id, object: "response", status: "in_progress", output: [] } },
    { type: "response.output_item.added", output_index: 0, item },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: { id, object: "response", status: "completed", output: [item], usage } },
  ];
}
