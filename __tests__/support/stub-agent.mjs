// Stands for a coding agent on PATH: prints what the real one prints, and does what the test's behaviour file says.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [name, folder, ...args] = process.argv.slice(2);
const behaviour = JSON.parse(readFileSync(join(folder, "behaviour.json"), "utf8"));
const prompt = readFileSync(0, "utf8");
const lane = /# Audit of item .* \(lane ([^)]+)\)/.exec(prompt)?.[1];
const role = lane !== undefined ? `audit:${lane}` : prompt.startsWith("# Triage") ? "triage" : "executor";
const log = join(folder, "starts.jsonl");
appendFileSync(
  log,
  `${JSON.stringify({ name, role, args, env: Object.keys(process.env).sort(), prompt, cwd: process.cwd(), home: process.env.HOME })}\n`,
);
const before = readFileSync(log, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line));
const count = before.filter((start) => start.role === role).length;
const acts = behaviour.acts[role] ?? ["good"];
const act = acts[Math.min(count, acts.length) - 1];

if (act === "hang") setInterval(() => undefined, 1000);
else if (act.startsWith("recorded:")) {
  const [, fixture, code] = act.split(":");
  process.stdout.write(readFileSync(join(import.meta.dirname, "..", "fixtures", "agents", `${fixture}.jsonl`)));
  process.exitCode = Number(code);
} else answer(act);

function answer(what) {
  if (role === "executor") {
    const path = what === "outside" ? "elsewhere.txt" : "out/01.txt";
    mkdirSync(dirname(path), { recursive: true });
    if (what !== "nothing") writeFileSync(path, what === "lie" ? "" : `session ${count}\n`);
    return print({
      status: what === "handoff" ? "handoff_required" : "completed",
      summary: "All tests pass.",
      reason: "",
    });
  }
  const given = /\{\s+"schema_version": "conveyor\.\w+\.v1"[\s\S]*?"nonce": "[^"]+"/.exec(prompt)[0];
  const facts = JSON.parse(`${given}}`);
  if (role === "triage") {
    const findings = JSON.parse(readFileSync(/Read (\S+)\. Give/.exec(prompt)[1], "utf8"));
    const dispositions = findings.findings.map(({ id }) => ({
      finding_id: id,
      disposition: "out_of_scope",
      reason: "Not here.",
    }));
    return print({ ...facts, dispositions, notes: "" });
  }
  const finding = {
    id: "1",
    title: "It is wrong",
    severity: what === "note" ? "low" : "high",
    category: "correctness",
    confidence: "high",
    file_paths: ["out/01.txt"],
    evidence: ["line 1"],
    why_it_matters: "It matters.",
    recommended_action: "Mend it.",
    is_blocking: what === "finding",
  };
  const findings = what === "good" ? [] : [finding];
  print({
    ...facts,
    verdict: findings.length === 0 ? "pass" : "issues_found",
    summary: "Looked.",
    limitations: [],
    findings,
  });
}

function print(value) {
  const line = (object) => console.log(JSON.stringify(object));
  if (name === "claude") {
    line({ type: "system", subtype: "init", model: "claude-stub", tools: ["Bash"] });
    line({
      type: "result",
      subtype: "success",
      is_error: false,
      stop_reason: "tool_use",
      result: JSON.stringify(value),
      structured_output: value,
      total_cost_usd: behaviour.cost ?? 0.05,
      permission_denials: [],
      modelUsage: {
        "claude-stub": { inputTokens: 100, cacheReadInputTokens: 800, cacheCreationInputTokens: 100, outputTokens: 20 },
      },
    });
  } else {
    line({ type: "thread.started", thread_id: "thread" });
    line({ type: "item.completed", item: { id: "item_1", type: "agent_message", text: JSON.stringify(value) } });
    line({ type: "turn.completed", usage: { input_tokens: 1000, cached_input_tokens: 800, output_tokens: 20 } });
  }
}
