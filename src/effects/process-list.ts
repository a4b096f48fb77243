import { closeSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";

/** One process that is alive; what has ended and only waits for its parent is left out. */
export interface ProcessEntry {
  readonly pid: number;
  readonly ppid: number;
  /** What it shares with its relatives until it leaves them: the session on Linux, the group on macOS. */
  readonly family: number;
  /** With the pid this names one process for good; a pid alone is used again. */
  readonly startTime: string;
}

/** The processes of this machine, as far as its system tells. */
export interface ProcessTable {
  list(): readonly ProcessEntry[];
  /** The process of that pid alone, also when it has ended and waits for its parent. Costs far less than a list. */
  find(pid: number): ProcessEntry | undefined;
  /** Whether it was started with that `NAME=value`; false where the system does not tell. */
  carries(pid: number, variable: string): boolean;
  /** Whether its HOME lies in a folder; false where the system does not tell. */
  hasHomeBelow(pid: number, folder: string): boolean;
  /** Whether it was left by its parents and works in a folder or below; false where the system does not tell. */
  isStrayIn(entry: ProcessEntry, folder: string): boolean;
  /** Its command line for a report, or its name, or an empty string when it is gone. */
  commandOf(pid: number): string;
}

/** Rounds in which processes are looked for that were born while the list was being read. */
const LIST_ROUNDS_MAX = 10;

/** Characters of a command line that a report shows. */
const COMMAND_LENGTH_MAX = 300;

/** Linux, from `/proc`. Synchronous: a list that is read in one go is nearly one moment. */
export const procTable: ProcessTable = {
  list() {
    const seen = new Set<number>();
    const entries: ProcessEntry[] = [];
    // A process that forks and exits all the time would never be in a list that was read once.
    for (let round = 0; round < LIST_ROUNDS_MAX; round += 1) {
      const fresh = readdirSync("/proc").flatMap((name) => {
        const pid = /^\d+$/.test(name) ? Number(name) : undefined;
        return pid === undefined || seen.has(pid) ? [] : [pid];
      });
      if (fresh.length === 0) break;
      for (const pid of fresh) {
        seen.add(pid);
        const found = readEntry(pid);
        if (found?.hasEnded === false) entries.push(found.entry);
      }
    }
    return entries;
  },
  find: (pid) => readEntry(pid)?.entry,
  carries(pid, variable) {
    const environ = readProc(pid, "environ");
    return environ !== undefined && `\0${environ}`.includes(`\0${variable}\0`);
  },
  hasHomeBelow(pid, folder) {
    const environ = readProc(pid, "environ");
    return environ !== undefined && `\0${environ}`.includes(`\0HOME=${Buffer.from(folder).toString("latin1")}/`);
  },
  isStrayIn({ pid, ppid }, folder) {
    // Whoever works there and is somebody's child, a person's shell for one, is left alone.
    if (ppid !== 1 && !isUserManager(ppid)) return false;
    try {
      const place = readlinkSync(`/proc/${pid}/cwd`);
      return place === folder || place.startsWith(`${folder}/`);
    } catch {
      return false;
    }
  },
  commandOf(pid) {
    const commandLine = readProc(pid, "cmdline")?.replaceAll("\0", " ") ?? "";
    return printable(commandLine.trim() === "" ? (readProc(pid, "comm") ?? "") : commandLine);
  },
};

/** The systemd of a user adopts orphans in the place of process 1. */
function isUserManager(pid: number): boolean {
  return /^(?:\/\S*\/)?systemd\0--user/.test(readProc(pid, "cmdline") ?? "");
}

/** Fields 3, 4, 6 and 22 of `/proc/<pid>/stat`; the name in field 2 may hold spaces and brackets. */
function readEntry(pid: number): { readonly entry: ProcessEntry; readonly hasEnded: boolean } | undefined {
  const stat = readProc(pid, "stat");
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, ppid, , session] = fields;
  const startTime = fields[19];
  if (startTime === undefined) return undefined;
  return {
    entry: { pid, ppid: Number(ppid), family: Number(session), startTime },
    hasEnded: state === "Z" || state === "X",
  };
}

/** Used again for every file: hundreds are read after each program, and none says how long it is. */
let buffer = Buffer.allocUnsafe(64 * 1024);

function readProc(pid: number, name: string): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(`/proc/${pid}/${name}`, "r");
    let length = 0;
    for (let count = -1; count !== 0; length += count) {
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      count = readSync(file, buffer, length, buffer.length - length, null);
      // One line, which the kernel writes at once: there is nothing to ask for a second time.
      if (name === "stat") return buffer.toString("latin1", 0, count);
    }
    return buffer.toString("latin1", 0, length);
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Everywhere else, from the output of `ps` for some arguments: by group and parent only, as a best effort. */
export const createPsTable = (ps: (args: readonly string[]) => string): ProcessTable => ({
  list: () => parseRows(ps(["-axo", PS_COLUMNS])).flatMap(({ entry, hasEnded }) => (hasEnded ? [] : [entry])),
  find: (pid) => parseRows(ps(["-o", PS_COLUMNS, "-p", String(pid)]))[0]?.entry,
  carries: () => false,
  hasHomeBelow: () => false,
  isStrayIn: () => false,
  commandOf: (pid) => printable(ps(["-o", "args=", "-p", String(pid)])),
});

const PS_COLUMNS = "pid=,ppid=,pgid=,stat=,lstart=";

function parseRows(output: string): readonly { readonly entry: ProcessEntry; readonly hasEnded: boolean }[] {
  return output.split("\n").flatMap((row) => {
    const [pid, ppid, group, state, ...startTime] = row.trim().split(/\s+/);
    if (startTime.length === 0) return [];
    const entry = { pid: Number(pid), ppid: Number(ppid), family: Number(group), startTime: startTime.join(" ") };
    return [{ entry, hasEnded: state?.startsWith("Z") === true }];
  });
}

function printable(command: string): string {
  return command
    .replace(/[^\u0020-\u007e]+/gu, " ")
    .trim()
    .slice(0, COMMAND_LENGTH_MAX);
}
