import type { ModelCall, ModelStep } from "./model-server.ts";

/** What a scripted model is asked for, read from its prompt. */
export type Task =
  | { readonly role: "executor"; readonly round: number }
  | { readonly role: "auditor"; readonly lane: string };

export function readTask({ said }: ModelCall): Task {
  const lane = /# Audit of item \S+ of plan .* \(lane ([^)]+)\)/.exec(said)?.[1];
  if (lane !== undefined) return { role: "auditor", lane };
  const round = /# Item \S+ of plan .*, round (\d+)\)/.exec(said)?.[1];
  if (round === undefined) throw new Error(`a request without a prompt of ours: ${said.slice(0, 500)}`);
  return { role: "executor", round: Number(round) };
}

/** Steps of a session, one after the other: each request has the results of those before. */
export function inOrder(call: ModelCall, ...steps: readonly ModelStep[]): ModelStep {
  return steps[Math.min(call.results.length, steps.length - 1)] ?? { kind: "silence" };
}

export function executorAnswer(summary: string): ModelStep {
  return { kind: "answer", value: { status: "completed", summary, reason: "" } };
}

/** An auditor's report that repeats what the prompt gave, with a blocking finding when one is told. */
export function auditAnswer({ said }: ModelCall, finding?: string): ModelStep {
  const given = /\{\s+"schema_version": "conveyor\.audit_report\.v1"[\s\S]*?"nonce": "[^"]+"/.exec(said)?.[0];
  const facts = JSON.parse(`${given ?? "{"}}`) as Record<string, unknown>;
  const found = {
    id: "1",
    title: finding ?? "",
    severity: "high",
    category: "correctness",
    confidence: "high",
    file_paths: ["out/word.txt"],
    evidence: ["the word is there, and it is wrong"],
    why_it_matters: "The plan asks for the right word.",
    recommended_action: "Write the right word.",
    is_blocking: true,
  };
  return {
    kind: "answer",
    value: {
      ...facts,
      verdict: finding === undefined ? "pass" : "issues_found",
      summary: "Looked at the word.",
      limitations: [],
      findings: finding === undefined ? [] : [found],
    },
  };
}

/** Reads the word in the checkout and the patch in the packet, then judges by what it saw. */
export function judgeWord(call: ModelCall): ModelStep {
  const packet = /The packet in (\S+) holds/.exec(call.said)?.[1] ?? "";
  const saw = call.results.join("\n");
  return inOrder(
    call,
    { kind: "shell", script: "cat out/word.txt" },
    { kind: "shell", script: `cat ${packet}/candidate.patch` },
    auditAnswer(call, saw.includes("+right") ? undefined : "The word is wrong"),
  );
}

/** Writes the word, wrong at first and right once something was found wrong. */
export function writeWord(call: ModelCall, round: number): ModelStep {
  const word = round === 1 ? "wrong" : "right";
  return inOrder(
    call,
    { kind: "shell", script: `mkdir -p out && echo ${word} > out/word.txt` },
    { kind: "shell", script: "test -s out/word.txt && echo there" },
    executorAnswer(`Wrote ${word}.`),
  );
}
