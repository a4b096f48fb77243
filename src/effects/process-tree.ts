import { type ExecFileSyncOptions, execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { createPsTable, type ProcessEntry, type ProcessTable, procTable } from "./process-list.ts";

/** A process of a tree that was found alive. */
export interface TreeMember {
  readonly pid: number;
  readonly command: string;
}

/** Everything that one program started, as far as it can be found. */
export interface ProcessTree {
  /**
   * Looks at parents and families, so that who leaves them later is still known, and says how many processes there are.
   * Cheap: reads no environment.
   */
  observe(): number;
  /** Whether a process that can have got a signal sent to the group is alive. */
  hasRelatives(): boolean;
  /** Whether anything of it is alive, the marker included. */
  isAlive(): boolean;
  /** Sends a signal to the program's own group; not to its leader where that only holds the program. */
  signalGroup(signal: NodeJS.Signals): void;
  /** Kills what is left, again and again until nothing is, and gives everything it met, at most `membersMax`. */
  killAll(membersMax: number): Promise<readonly TreeMember[]>;
}

/** What `followTree` knows of a program besides its process. */
export interface FollowOptions {
  /** Its own folders. */
  readonly folders?: readonly string[];
  readonly isHolder?: boolean;
  /** Markers of all programs that are followed at this moment, each with the process it was started as. */
  readonly others?: () => ReadonlyMap<string, ProcessEntry | undefined>;
}

/** Rounds of looking and killing; with `SWEEP_PAUSE_MS` between them about four seconds. */
const SWEEP_ROUNDS_MAX = 200;
const SWEEP_PAUSE_MS = 20;

/**
 * Follows the tree of the program `rootPid`, which leads a session and group of its own. A process belongs to it when
 * it carries `marker` (`NAME=value`), or when parent or family lead to it. So a daemon that left the session is found
 * by its marker, and one that emptied its environment by its relations, if it was seen while it still had them, or
 * because it stayed in one of the program's own `folders` when its parents had gone; unless it carries the marker of
 * another program that is followed now, by `others`: two auditors share a folder, and what one leaves is not the
 * other's. With `isHolder` the root is not the program itself: what ends the root first ends everything at once.
 */
export function followTree(
  table: ProcessTable,
  rootPid: number,
  marker: string,
  { folders = [], isHolder = false, others = () => new Map() }: FollowOptions = {},
): ProcessTree {
  const known = new Map<number, string>();
  const families = new Set<number>([rootPid]);
  const root = table.find(rootPid);
  if (root !== undefined) known.set(rootPid, root.startTime);

  // Who left the family leads a session of its own, younger than the program; a person's programs belong to an older one.
  const isStray = (entry: ProcessEntry, entries: readonly ProcessEntry[]): boolean => {
    if (root === undefined || entry.ppid === process.pid) return false;
    const leader = entries.find(({ pid }) => pid === entry.family);
    if (leader !== undefined && startedBefore(leader, root)) return false;
    if (!folders.some((folder) => table.isStrayIn(entry, folder))) return false;
    // Who is older than that other program has the marker by a lie, and would belong to neither.
    return ![...others()].some(
      ([other, program]) => other !== marker && !startedBefore(entry, program) && table.carries(entry.pid, other),
    );
  };
  const find = (byMarker: boolean): readonly ProcessEntry[] => {
    const entries = table.list();
    dropReusedFamilies(entries, families, known);
    const members = collectMembers(entries, {
      families,
      isKnown: (entry) => known.get(entry.pid) === entry.startTime,
      carriesMarker: (entry) =>
        byMarker && !startedBefore(entry, root) && (table.carries(entry.pid, marker) || isStray(entry, entries)),
    });
    for (const member of members) known.set(member.pid, member.startTime);
    return members;
  };
  return {
    observe: () => find(false).length,
    hasRelatives: () => find(false).some((entry) => entry.family === rootPid),
    isAlive: () => find(true).length > 0,
    signalGroup(signal) {
      if (!isHolder) sendSignal(-rootPid, signal);
      else for (const { pid } of find(false)) if (pid !== rootPid) sendSignal(pid, signal);
    },
    async killAll(membersMax) {
      const met = new Map<number, TreeMember>();
      for (let round = 0; round < SWEEP_ROUNDS_MAX; round += 1) {
        const members = find(true);
        if (members.length === 0) break;
        for (const { pid } of members) {
          if (!met.has(pid) && met.size < membersMax) met.set(pid, { pid, command: table.commandOf(pid) });
        }
        // All at once first: who forks and exits without end would outrun killing one by one.
        if (members.some(({ family }) => family === rootPid)) sendSignal(-rootPid, "SIGKILL");
        for (const { pid } of members) sendSignal(pid, "SIGKILL");
        await sleep(SWEEP_PAUSE_MS);
      }
      return [...met.values()];
    },
  };
}

/** A family's number is free again when its last member has ended: its leader is then someone we never met. */
function dropReusedFamilies(
  entries: readonly ProcessEntry[],
  families: Set<number>,
  known: ReadonlyMap<number, string>,
): void {
  for (const { pid, startTime } of entries) {
    if (families.has(pid) && known.has(pid) && known.get(pid) !== startTime) families.delete(pid);
  }
}

/** The marker is younger than the program; older processes need not be read. Start times of `ps` cannot be compared. */
function startedBefore(entry: ProcessEntry, root: ProcessEntry | undefined): boolean {
  return root !== undefined && Number(entry.startTime) < Number(root.startTime);
}

/** Members by marker, acquaintance, family or parent; each one found can bring its family and children with it. */
function collectMembers(
  entries: readonly ProcessEntry[],
  facts: {
    families: Set<number>;
    isKnown: (entry: ProcessEntry) => boolean;
    carriesMarker: (entry: ProcessEntry) => boolean;
  },
): readonly ProcessEntry[] {
  const members = new Map<number, ProcessEntry>();
  const own = entries.find((entry) => entry.pid === process.pid)?.family;
  const add = (entry: ProcessEntry) => {
    members.set(entry.pid, entry);
    // The program leads its own family, so this never holds; were it wrong, we would kill ourselves and our terminal.
    if (entry.family > 1 && entry.family !== own) facts.families.add(entry.family);
  };
  const others = entries.filter((entry) => entry.pid !== process.pid);
  for (const entry of others) if (facts.isKnown(entry) || facts.carriesMarker(entry)) add(entry);
  for (let size = -1; size !== members.size;) {
    size = members.size;
    for (const entry of others) {
      if (!members.has(entry.pid) && (facts.families.has(entry.family) || members.has(entry.ppid))) add(entry);
    }
  }
  return [...members.values()];
}

/** That it has ended meanwhile is what we want; that we may not is found by looking again. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH or EPERM
  }
}

/** The processes of a machine that has no `/proc`. */
export const psTable: ProcessTable = createPsTable((args) => {
  try {
    const options = { env: { LC_ALL: "C" }, stdio: ["ignore", "pipe", "ignore"] } satisfies ExecFileSyncOptions;
    return execFileSync("/bin/ps", args, { ...options, encoding: "utf8" });
  } catch {
    // It ends with 1 when there is no such process.
    return "";
  }
});

/** The processes of this machine. */
export const hostTable: ProcessTable = process.platform === "linux" ? procTable : psTable;
