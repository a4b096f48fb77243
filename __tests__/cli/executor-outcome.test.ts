import { expect, test } from "vitest";
import { TestRepository, withExecutor } from "../support/conveyor.ts";

const WORK = "mkdir -p out && echo done > out/01.txt";
const payload = (json: string): string => `printf '%s' '${json}' > "$ORCH_RESULT_PATH"`;
const ARTIFACT = ["--executor-expected-artifact", "out/report.json"];

const repository = new TestRepository({
  configLines: ["limits: {output-bytes: 20000, context-remaining-floor: 2000, rollovers: 0}"],
  files: { "out/report.json": "{}\n" },
});

interface Expected {
  readonly item: string | null;
  readonly run: string | null;
  readonly codes: readonly string[];
  readonly exit: number;
  readonly status: string;
}

const FINISHED: Expected = {
  item: "passed",
  run: "blocked",
  codes: ["GATE_POLICY_DENIED_OR_UNKNOWN", "GATE_CI_NOT_SUCCESS", "GATE_REVIEW_NOT_APPROVED"],
  exit: 3,
  status: "success",
};
const TIMEOUT: Expected = { item: null, run: "timeout", codes: ["PROCESS_TIMEOUT"], exit: 124, status: "timeout" };
const BLOCKED: Expected = {
  item: "blocked_external",
  run: "blocked",
  codes: ["ITEM_BLOCKED_EXTERNAL"],
  exit: 3,
  status: "success",
};
/** No handoff is allowed here, so that the first one shows. */
const handoff = (status: string): Expected => ({
  item: null,
  run: "blocked",
  codes: ["ROLLOVER_LIMIT"],
  exit: 3,
  status,
});
const failed = (code: string, status = "failed"): Expected => ({
  item: "escalated",
  run: "failed",
  codes: [...new Set(["ITEM_ESCALATED", code])],
  exit: 1,
  status,
});

/** A row of the table: what the executor does, and what that means. */
interface Outcome {
  readonly name: string;
  readonly options: readonly string[];
  readonly expected: Expected;
}

const row = (name: string, script: string, expected: Expected, more: readonly string[] = []): Outcome => ({
  name,
  options: [...withExecutor(script), ...more],
  expected,
});

const ROWS: readonly Outcome[] = [
  // Ending other than exited.
  row("over its time limit", `${WORK}; exec sleep 60`, TIMEOUT, ["--timeout-ms", "500"]),
  row(
    "over its time limit, whatever the payload says",
    `${payload('{"status": "completed"}')}; ${WORK}; exec sleep 60`,
    TIMEOUT,
    ["--timeout-ms", "500"],
  ),
  row("killed by a signal", `${WORK}; kill -KILL $$`, failed("EXIT_NONZERO")),
  row(
    "killed by a signal, whatever the payload says",
    `${WORK}; ${payload('{"status": "blocked"}')}; kill -KILL $$`,
    failed("EXIT_NONZERO"),
  ),
  {
    name: "cannot be started",
    options: ["--executor-bin", "/nowhere/executor"],
    expected: failed("SPAWN_FAILED", "spawn_failed"),
  },
  {
    name: "is not on PATH",
    options: ["--executor-bin", "no-such-executor"],
    expected: failed("SPAWN_FAILED", "spawn_failed"),
  },
  row("says more than limits.output-bytes", `${WORK}; head -c 30000 /dev/zero`, failed("OUTPUT_LIMIT")),
  // Payload unreadable or its status unknown.
  row("payload is not JSON", `${WORK}; ${payload("{broken")}`, failed("RESULT_MALFORMED", "success")),
  row("payload is empty", `${WORK}; : > "$ORCH_RESULT_PATH"`, failed("RESULT_MALFORMED", "success")),
  row("payload is a list", `${WORK}; ${payload("[]")}`, failed("RESULT_MALFORMED", "success")),
  row(
    "payload is a symlink",
    `${WORK}; ln -s /etc/hostname "$ORCH_RESULT_PATH"`,
    failed("RESULT_MALFORMED", "success"),
  ),
  row(
    "payload is larger than 64 KiB",
    `${WORK}; ${payload('{"status": "completed"}')}; printf '%70000s' '' >> "$ORCH_RESULT_PATH"`,
    failed("RESULT_MALFORMED", "success"),
  ),
  row("status is unknown", `${WORK}; ${payload('{"status": "passed"}')}`, failed("RESULT_MALFORMED", "success")),
  row("payload is unreadable and exit 75", `${payload("{broken")}; exit 75`, failed("RESULT_MALFORMED")),
  row("payload is unreadable and exit 9", `${payload("{broken")}; exit 9`, failed("RESULT_MALFORMED")),
  // Exit 75.
  row("exit 75", `${WORK}; exit 75`, handoff("failed")),
  row("exit 75 and completed", `${WORK}; ${payload('{"status": "completed"}')}; exit 75`, handoff("failed")),
  row("exit 75 and failed", `${WORK}; ${payload('{"status": "failed"}')}; exit 75`, failed("ITEM_ESCALATED")),
  row("exit 75 and blocked", `${WORK}; ${payload('{"status": "blocked"}')}; exit 75`, { ...BLOCKED, status: "failed" }),
  // Any other exit code.
  row("exit 1", `${WORK}; exit 1`, failed("EXIT_NONZERO")),
  row("exit 3 and completed", `${WORK}; ${payload('{"status": "completed"}')}; exit 3`, failed("EXIT_NONZERO")),
  row("exit 3 and blocked", `${WORK}; ${payload('{"status": "blocked"}')}; exit 3`, failed("EXIT_NONZERO")),
  // Exit 0: the status.
  row("failed", `${WORK}; ${payload('{"status": "failed", "reason": "cannot"}')}`, failed("ITEM_ESCALATED", "success")),
  row("blocked", `${WORK}; ${payload('{"status": "blocked", "reason": "needs a key"}')}`, BLOCKED),
  row("handoff_required", `${WORK}; ${payload('{"status": "handoff_required"}')}`, handoff("success")),
  // Context remaining.
  row("context under the floor", `${WORK}; ${payload('{"contextRemaining": 1999}')}`, handoff("success")),
  row("context at the floor", `${WORK}; ${payload('{"contextRemaining": 2000}')}`, FINISHED),
  row(
    "context under the floor, but completed",
    `${WORK}; ${payload('{"status": "completed", "contextRemaining": 1}')}`,
    FINISHED,
  ),
  // Otherwise finished.
  row("exit 0", WORK, FINISHED),
  row(
    "exit 0 and completed",
    `${WORK}; ${payload('{"status": "completed", "summary": "did it", "more": [1]}')}`,
    FINISHED,
  ),
  row("expected artifact written anew", `${WORK}; echo '{"a": 1}' > out/report.json`, FINISHED, ARTIFACT),
  row("expected artifact written anew with the same bytes", `${WORK}; echo '{}' > out/report.json`, FINISHED, ARTIFACT),
  row(
    "expected artifact missing",
    `${WORK}; rm out/report.json`,
    failed("ARTIFACT_MISSING", "artifact_missing"),
    ARTIFACT,
  ),
  row("expected artifact stale", WORK, failed("ARTIFACT_MISSING", "artifact_missing"), ARTIFACT),
  row(
    "expected artifact a symlink out of the worktree",
    `${WORK}; ln -sf /etc/hostname out/report.json`,
    failed("ARTIFACT_MISSING", "artifact_missing"),
    ARTIFACT,
  ),
  row(
    "expected artifact malformed",
    `${WORK}; echo '{' > out/report.json`,
    failed("ARTIFACT_MALFORMED", "artifact_missing"),
    ARTIFACT,
  ),
];

test.each(ROWS)("an executor: $name", async ({ options, expected }) => {
  const ended = await repository.run(options);
  const report = repository.report();
  const executor = report.stage_executions.find((execution) => execution.purpose === "executor");
  expect({
    item: ended.outcome.items[0]?.terminal_state,
    run: ended.outcome.terminal_state,
    codes: ended.outcome.blocked_reason_codes,
    exit: ended.code,
    status: executor?.status,
  }).toEqual(expected);
  // A session's handoff is not the run's: that one is sealed by its clock.
  expect(ended.outcome.handoff).toBe(false);
  expect({ ...report, items: undefined }).toMatchObject({
    terminal_state: expected.run,
    blocked_reason_codes: expected.codes,
  });
  // Whatever a session claims, only the orchestrator's own verification passes an item.
  expect(report.items[0]?.commit === null).toBe(expected.item !== "passed");
});

test("a malformed artifact stands among the malformed, a missing one among the missing", async () => {
  const options = [...ARTIFACT, "--executor-expected-artifact", "out/absent.txt"];
  await repository.run([...withExecutor(`${WORK}; echo '{' > out/report.json`), ...options]);
  const executor = repository.report().stage_executions.find((execution) => execution.purpose === "executor");
  expect(executor).toMatchObject({
    status: "artifact_missing",
    missing_artifacts: ["out/absent.txt"],
    malformed_artifacts: ["out/report.json"],
  });
  const verified = await repository.conveyor(["verify"]);
  expect(verified.code).toBe(0);
});

test("what a session before left at the result path is not read again", async () => {
  const script = `${WORK}; if [ "$ORCH_SESSION" = 1 ]; then ${payload('{"status": "handoff_required"}')}; fi`;
  expect((await repository.run(withExecutor(script))).outcome.blocked_reason_codes).toEqual(["ROLLOVER_LIMIT"]);
  const resumed = await repository.resume();
  expect(resumed.outcome.items[0]?.terminal_state).toBe("passed");
});
