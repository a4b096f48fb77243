import type { AgentFacts } from "./agent.ts";
import type { StageExecution } from "./journal.ts";
import type { ProcessEnding, ProcessReport } from "./process-report.ts";
import { stageKey, type Stage } from "./stages.ts";
import { describeEnding, hasSucceeded } from "./verification.ts";

/** What a stage execution is built from: what was asked for, and what was seen. */
export interface ExecutionFacts {
  readonly stage: Stage;
  readonly purpose: StageExecution["purpose"];
  readonly itemId: string | null;
  /** Names the step within its stage, for example `item:01 attempt:1 session:1`. */
  readonly step: string;
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly report: Pick<ProcessReport, "ending" | "startedAt" | "durationMs" | "network" | "stalls">;
  readonly missingArtifacts?: readonly string[];
  readonly malformedArtifacts?: readonly string[];
  /** What an agent said of its session. */
  readonly agent?: AgentFacts | undefined;
}

/**
 * Builds the typed record of one program (source document 002). A missing or malformed expected artifact is told only
 * of a program that ended well; else how it ended says more.
 */
export function buildStageExecution(facts: ExecutionFacts): StageExecution {
  const { ending } = facts.report;
  const [command, ...args] = facts.command;
  const missing = [...(facts.missingArtifacts ?? [])];
  const malformed = [...(facts.malformedArtifacts ?? [])];
  const status = hasSucceeded(ending) && missing.length + malformed.length > 0 ? "artifact_missing" : statusOf(ending);
  return {
    stage: facts.stage,
    idempotency_key: `${stageKey(facts.stage)} ${facts.step}`,
    item_id: facts.itemId,
    purpose: facts.purpose,
    command,
    args,
    env_keys: Object.keys(facts.env).sort(),
    started_at: facts.report.startedAt,
    duration_ms: Math.round(facts.report.durationMs),
    exit_code: ending.kind === "exited" ? ending.exit_code : null,
    status,
    error: describeFault(status, facts),
    missing_artifacts: missing,
    malformed_artifacts: malformed,
    agent: facts.agent ?? null,
    network: [...facts.report.network],
    ...((facts.report.stalls ?? 0) > 0 ? { stalls: facts.report.stalls } : {}),
  };
}

/** What went wrong, in words; an agent that ended well may still say that it failed. */
function describeFault(status: StageExecution["status"], { report, agent }: ExecutionFacts): string | null {
  const said = agent === undefined || agent.failure === null ? "" : `${agent.failure}: ${agent.detail}`;
  if (status === "success") return said === "" ? null : said;
  const seen =
    status === "artifact_missing" ? "expected artifacts are missing or malformed" : describeEnding(report.ending);
  return said === "" ? seen : `${seen}; ${said}`;
}

/** The record of a stage that a resume finds done. */
export function buildSkippedExecution(stage: Stage): StageExecution {
  return {
    stage,
    idempotency_key: stageKey(stage),
    item_id: null,
    purpose: "stage",
    command: "",
    args: [],
    env_keys: [],
    started_at: null,
    duration_ms: 0,
    exit_code: null,
    status: "skipped",
    error: null,
    missing_artifacts: [],
    malformed_artifacts: [],
    agent: null,
    network: [],
  };
}

/** A warning for each program that said nothing for long: it may have hung, or its work was slow. Nothing follows of it. */
export function listStallWarnings(executions: readonly StageExecution[]): string[] {
  return executions.flatMap(({ purpose, item_id: item, idempotency_key: step, stalls = 0 }) => {
    const whose = item === null ? "" : ` of item ${item}`;
    const times = stalls === 1 ? "once" : `${stalls} times`;
    return stalls === 0 ? [] : [`${purpose}${whose} said nothing for limits.stall-minutes ${times} (${step})`];
  });
}

/** How a program ended, in the words of a stage execution. */
export function statusOf(ending: ProcessEnding): StageExecution["status"] {
  if (hasSucceeded(ending)) return "success";
  if (ending.kind === "timed_out") return "timeout";
  return ending.kind === "spawn_failed" ? "spawn_failed" : "failed";
}
