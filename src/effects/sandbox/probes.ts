import { createHash } from "node:crypto";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { SandboxProbe } from "../../domain/sandbox.ts";

/** What a program inside a sandbox is told to try. */
export interface ProbeTargets {
  /** A worktree's `.git`. */
  readonly gitFile: string;
  readonly gitDir: string;
  /** A file outside of everything that is shown, with these words in it. */
  readonly canary: string;
  readonly canaryText: string;
  /** Files of the user's home that the orchestrator can read. */
  readonly homeFiles: readonly string[];
  /** SHA-256 of the orchestrator's environment as the system shows it. */
  readonly environmentSha256: string;
  /** The orchestrator's own process namespace. */
  readonly pidNamespace: string;
  /** A port of the machine's loopback on which somebody listens. */
  readonly port: number;
  readonly envNames: readonly string[];
  readonly fileBytes: number;
}

/** What was seen of one forbidden act: the words say what worked, and are empty when nothing did. */
export interface Seen {
  readonly probe: SandboxProbe;
  readonly worked: string;
}

const CONNECT_TIMEOUT_MS = 1_000;

/** Our own, the launcher's and what holds them. */
const OWN_PROCESSES_MAX = 8;

/** Tries every forbidden act once. What works is undone where it can be. */
export async function runProbes(
  targets: ProbeTargets,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Seen[]> {
  const seen = (probe: SandboxProbe, worked: string | undefined): Seen => ({ probe, worked: worked ?? "" });
  return [
    seen("git_file_write", tryAll([() => openToWrite(targets.gitFile), () => moveAway(targets.gitFile)])),
    seen(
      "git_metadata_write",
      tryAll([
        () => openToWrite(join(targets.gitDir, "config")),
        () => makeFile(join(targets.gitDir, "refs", "heads", "conveyor-probe")),
      ]),
    ),
    seen("outside_write", tryAll([() => openToWrite(targets.canary), () => makeFile(`${targets.canary}-made`)])),
    seen(
      "outside_read",
      attempt(() => (readFileSync(targets.canary, "utf8") === targets.canaryText ? "read a file outside" : "")),
    ),
    seen(
      "home_read",
      tryAll(targets.homeFiles.map((path) => () => `read ${path} (${readFileSync(path).length} bytes)`)),
    ),
    seen("orchestrator_environment", findEnvironment(targets.environmentSha256)),
    seen("foreign_processes", findForeignProcesses(targets.pidNamespace)),
    seen("loopback_of_the_machine", await tryConnect(targets.port)),
    seen("network_interfaces", findInterfaces()),
    seen("own_environment", findForeignVariables(targets.envNames, env)),
    seen("privileges", findPrivileges()),
    seen("file_size_limit", findMissingLimit(targets.fileBytes)),
  ];
}

function attempt(act: () => string): string | undefined {
  try {
    const worked = act();
    return worked === "" ? undefined : worked;
  } catch {
    // Forbidden, as it should be.
    return undefined;
  }
}

function tryAll(acts: readonly (() => string)[]): string | undefined {
  return acts.map(attempt).find((worked) => worked !== undefined);
}

function openToWrite(path: string): string {
  closeSync(openSync(path, "r+"));
  return `opened ${path} for writing`;
}

function moveAway(path: string): string {
  renameSync(path, `${path}-moved`);
  renameSync(`${path}-moved`, path);
  return `renamed ${path}`;
}

function makeFile(path: string): string {
  writeFileSync(path, "", { flag: "wx" });
  // Left for the orchestrator to see where an empty folder stands in place of the real one: only it knows.
  if (!path.endsWith("-made")) rmSync(path);
  return path.endsWith("-made") ? "" : `made ${path}`;
}

function findEnvironment(sha256: string): string | undefined {
  const found = listProcesses().find((pid) => {
    const digest = attempt(() =>
      createHash("sha256")
        .update(readFileSync(`/proc/${pid}/environ`))
        .digest("hex"),
    );
    return digest === sha256;
  });
  return found === undefined ? undefined : `read the orchestrator's environment in /proc/${found}/environ`;
}

function findForeignProcesses(namespace: string): string | undefined {
  if (attempt(() => readlinkSync("/proc/self/ns/pid")) === namespace) return "shares the orchestrator's processes";
  const count = listProcesses().length;
  return count === 0 || count > OWN_PROCESSES_MAX ? `sees ${count} processes` : undefined;
}

function listProcesses(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

function tryConnect(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: CONNECT_TIMEOUT_MS });
    const end = (worked: string | undefined) => {
      socket.destroy();
      resolve(worked);
    };
    socket.once("connect", () => end(`connected to port ${port} of the machine`));
    socket.once("error", () => end(undefined));
    socket.once("timeout", () => end(undefined));
  });
}

function findInterfaces(): string | undefined {
  // Every interface of the namespace, also one that is down or has no address yet.
  const lines = readFileSync("/proc/self/net/dev", "utf8").split("\n").slice(2);
  const listed = lines.map((line) => line.split(":")[0]?.trim() ?? "").filter((name) => name !== "");
  const others = [...new Set([...listed, ...Object.keys(networkInterfaces())])].filter((name) => name !== "lo");
  // Kinds that every namespace is born with: they are down, and bringing one up needs a privilege.
  const usable = others.filter((name) => Object.hasOwn(networkInterfaces(), name));
  return usable.length === 0 ? undefined : `has ${usable.join(", ")}`;
}

function findForeignVariables(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const others = Object.keys(env).filter((name) => !names.includes(name));
  return others.length === 0 ? undefined : `has ${others.sort().join(", ")}`;
}

function findPrivileges(): string | undefined {
  const status = new Map(
    readFileSync("/proc/self/status", "utf8")
      .split("\n")
      .map((line) => line.split(/:\s*/, 2) as [string, string]),
  );
  const held = ["CapPrm", "CapEff", "CapBnd", "CapAmb"].filter((name) => !/^0+$/.test(status.get(name) ?? ""));
  if (held.length > 0) return `has ${held.map((name) => `${name} ${status.get(name) ?? "unknown"}`).join(", ")}`;
  return status.get("NoNewPrivs") === "1" ? undefined : "can gain privileges";
}

function findMissingLimit(fileBytes: number): string | undefined {
  const line = readFileSync("/proc/self/limits", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith("Max file size"));
  const hard = line?.trim().split(/\s{2,}/)[2] ?? "unlimited";
  return /^\d+$/.test(hard) && Number(hard) <= fileBytes ? undefined : `files can grow to ${hard} bytes`;
}
