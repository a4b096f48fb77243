import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** The lock of the process that runs this test, which is alive. */
export function buildLiveLock(): string {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const lock = {
    run_id: "RUN_20260325T120000Z_deadbeef",
    pid: process.pid,
    start_time: stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "",
    boot_id: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    host: hostname(),
    pid_namespace: readlinkSync("/proc/self/ns/pid"),
    nonce: "00",
    taken_at: "2026-03-25T12:00:00.000Z",
  };
  return `${JSON.stringify(lock)}\n`;
}
