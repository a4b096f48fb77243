import { existsSync, readFileSync } from "node:fs";

/** Looked for in the system's own folders alone: `PATH` may lead to a file that somebody else wrote. */
const SYSTEM_FOLDERS: readonly string[] = ["/usr/bin", "/bin", "/run/current-system/sw/bin"];

/** Open files that a program may have: enough for every build we know, and far from what the machine has. */
const OPEN_FILES_MAX = 4096;

/** A tool of the system by its name, or nothing. */
export function findSystemTool(name: string): string | undefined {
  if (process.platform !== "linux") return undefined;
  return SYSTEM_FOLDERS.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
}

/** Limits that this process may set for others: a hard limit that is lower already cannot be raised. */
export function boundLimits(fileBytesMax: number): { fileBytes: number; openFiles: number } {
  return {
    fileBytes: Math.min(fileBytesMax, readHardLimit("Max file size")),
    openFiles: Math.min(OPEN_FILES_MAX, readHardLimit("Max open files")),
  };
}

function readHardLimit(name: string): number {
  const line = readFileSync("/proc/self/limits", "latin1")
    .split("\n")
    .find((entry) => entry.startsWith(`${name} `));
  const hard = line?.slice(name.length).trim().split(/\s+/)[1];
  return hard === undefined || !/^\d+$/.test(hard) ? Number.POSITIVE_INFINITY : Number(hard);
}
