import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Who a process is, so that a later one with the same number is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot at which it started, as the kernel counts; nothing where the system does not say. */
  readonly start_time: string | null;
  /** Changes with every boot. */
  readonly boot_id: string | null;
  readonly host: string;
  /** Names the space in which the number means something: containers on one machine share a boot. */
  readonly pid_namespace: string | null;
}

/** The identity of this process. */
export function readOwnIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    start_time: readStartTime(process.pid),
    boot_id: readBootId(),
    host: hostname(),
    pid_namespace: readPidNamespace(),
  };
}

/**
 * True only when a process is provably gone: the machine was booted since, or its number is free or belongs to a
 * process that started at another time. Whatever cannot be proven counts as alive.
 */
export function isProvablyDead(holder: ProcessIdentity): boolean {
  const boot = readBootId();
  if (holder.boot_id !== null && boot !== null && holder.boot_id !== boot) return true;
  if (holder.boot_id !== boot || holder.pid_namespace !== readPidNamespace()) return false;
  if (boot === null && holder.host !== hostname()) return false;
  if (!isAlive(holder.pid)) return true;
  const started = readStartTime(holder.pid);
  return started !== null && holder.start_time !== null && started !== holder.start_time;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Field 22 of `/proc/PID/stat`; the name in field 2 may hold spaces and brackets, so fields count from its end. */
function readStartTime(pid: number): string | null {
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

function readBootId(): string | null {
  return readText("/proc/sys/kernel/random/boot_id")?.trim() ?? null;
}

function readPidNamespace(): string | null {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
