import { createSocket } from "node:dgram";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { SandboxLayer } from "../../src/domain/sandbox-layers.ts";
import type { TestRepository } from "./conveyor.ts";

/** What a test puts where no program of a run has any business. */
export interface Bait extends AsyncDisposable {
  /** In the orchestrator's environment, and nowhere else. */
  readonly env: Readonly<Record<string, string>>;
  readonly tcpPort: number;
  readonly tcp6Port: number;
  readonly udpPort: number;
  readonly abstractName: string;
  readonly socketPath: string;
  /** Visits from a program, by way. */
  readonly visits: ReadonlySet<string>;
}

/** Listeners of this machine, secrets of the user, and what is needed to see whether somebody came. */
export async function layBait(repository: TestRepository): Promise<Bait> {
  const visits = new Set<string>();
  const servers: Server[] = [];
  const listen = async (name: string, where: { host: string; port: number } | { path: string }): Promise<number> => {
    const server = createServer((socket) => {
      visits.add(name);
      socket.on("error", () => undefined);
      socket.end("hello\n");
    });
    servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(where, resolve);
    });
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  };
  const udp = createSocket("udp4", (_message, from) => {
    visits.add("udp");
    udp.send("hello\n", from.port, from.address);
  });
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  const abstractName = `conveyor-test-${process.pid}-${servers.length}`;
  const socketPath = join(repository.base, "daemon.sock");
  const tcpPort = await listen("tcp", { host: "127.0.0.1", port: 0 });
  const tcp6Port = await listen("tcp6", { host: "::1", port: 0 });
  await listen("abstract", { path: `\0${abstractName}` });
  await listen("socket", { path: socketPath });
  writeFileSync(join(repository.base, ".netrc"), "password of the user\n");
  writeFileSync(join(repository.path, ".env"), "password of the checkout\n");
  mkdirSync(repository.cache, { recursive: true });
  return {
    env: { BAIT_OF_THE_ORCHESTRATOR: "secret-of-the-orchestrator" },
    tcpPort,
    tcp6Port,
    udpPort: udp.address().port,
    abstractName,
    socketPath,
    visits,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => udp.close(() => resolve()));
    },
  };
}

/** One way out: a line of bash that ends with 0 when the forbidden act worked. */
export interface Way {
  readonly name: string;
  readonly layer: SandboxLayer;
  readonly script: string;
  /** The listener that is visited when it worked. */
  readonly visit?: string;
}

/** Acts that leave git metadata changed: where nothing prevents them they are `GIT_TAMPERED`. */
export const GIT_WAYS: readonly Way[] = [
  { name: "write the configuration", script: "git config core.fsmonitor evil" },
  { name: "write the configuration file", script: 'echo "[core]" >> "$(git rev-parse --git-common-dir)/config"' },
  { name: "move a ref", script: "git update-ref refs/heads/evil HEAD" },
  { name: "write a ref's file", script: 'git rev-parse HEAD > "$(git rev-parse --git-common-dir)/refs/heads/evil"' },
  { name: "point .git elsewhere", script: "echo 'gitdir: /nowhere' > .git" },
  { name: "take .git away", script: "mv .git .git-away" },
  { name: "plant a hook", script: 'echo x > "$(git rev-parse --git-common-dir)/hooks/post-commit"' },
  { name: "hide a file", script: "git update-index --skip-worktree README.md" },
  {
    name: "borrow objects",
    script: 'echo /nowhere >> "$(git rev-parse --git-common-dir)/objects/info/alternates"',
  },
].map((way) => ({ ...way, layer: "git_metadata" as const }));

/** Acts that nobody notices where nothing prevents them. */
export function quietWays(repository: TestRepository, bait: Bait): Way[] {
  const { base, path, cache } = repository;
  const tcp = (host: string, port: number) => `exec 3<>/dev/tcp/${host}/${port} && read -r -u 3 line`;
  const socket = (where: string) =>
    `node -e 'require("net").connect(${JSON.stringify(where)}).on("data", () => process.exit(0)).on("error", () => process.exit(1))'`;
  return [
    {
      name: "read the orchestrator's environment",
      layer: "orchestrator_secrets",
      // Put together here, so that the command line does not hold what is looked for.
      script: `grep -qs "secret-of-the""-orchestrator" /proc/[0-9]*/environ`,
    },
    { name: "see the orchestrator", layer: "orchestrator_secrets", script: `kill -0 ${process.pid}` },
    { name: "read the user's home", layer: "file_reads", script: `grep -q password ${base}/.netrc` },
    { name: "read the checkout", layer: "file_reads", script: `grep -q password ${path}/.env` },
    { name: "read the journal", layer: "file_reads", script: `grep -q run_created ${path}/.conveyor/runs/*/*.jsonl` },
    { name: "write the user's home", layer: "file_writes", script: `echo x > ${base}/written` },
    { name: "write the checkout", layer: "file_writes", script: `echo x > ${path}/written` },
    { name: "write the run folder", layer: "file_writes", script: `echo x > ${path}/.conveyor/written` },
    { name: "write what other programs get", layer: "file_writes", script: `mkdir ${cache}/conveyor/written` },
    { name: "reach a port by TCP", layer: "network", visit: "tcp", script: tcp("127.0.0.1", bait.tcpPort) },
    { name: "reach a port by IPv6", layer: "network", visit: "tcp6", script: tcp("::1", bait.tcp6Port) },
    {
      name: "send a datagram, as DNS does",
      layer: "network",
      visit: "udp",
      // One byte: bash reads one at a time, and the rest of a datagram is gone with the first.
      script: `exec 3<>/dev/udp/127.0.0.1/${bait.udpPort} && echo x >&3 && read -r -t 5 -N 1 -u 3 line`,
    },
    { name: "reach an abstract socket", layer: "network", visit: "abstract", script: socket(`\0${bait.abstractName}`) },
    { name: "reach a daemon's socket", layer: "file_reads", visit: "socket", script: socket(bait.socketPath) },
  ];
}

/** Acts that are tried where they cannot leave the machine, and nowhere else. */
export const OUTSIDE_WAYS: readonly Way[] = [
  { name: "reach the metadata address", layer: "network", script: "exec 3<>/dev/tcp/169.254.169.254/80" },
  { name: "reach a host outside", layer: "network", script: "exec 3<>/dev/tcp/192.0.2.1/443" },
  { name: "resolve a name", layer: "network", script: "getent ahosts example.com" },
  {
    name: "ask the proxy for a host that is not allowed",
    layer: "network",
    script:
      "exec 3<>/dev/tcp/127.0.0.1/18080 && printf 'CONNECT example.net:443 HTTP/1.1\\r\\nHost: example.net\\r\\n\\r\\n' >&3 && read -r -u 3 line && [[ $line == *' 200 '* ]]",
  },
  {
    name: "ask the proxy for the metadata address",
    layer: "network",
    script:
      "exec 3<>/dev/tcp/127.0.0.1/18080 && printf 'CONNECT 169.254.169.254:80 HTTP/1.1\\r\\n\\r\\n' >&3 && read -r -u 3 line && [[ $line == *' 200 '* ]]",
  },
  { name: "hold a capability", layer: "privileges", script: "! grep -q '^CapEff:.0*$' /proc/self/status" },
  { name: "mount something", layer: "privileges", script: "mount -o remount,rw / || mount -t tmpfs none ." },
  { name: "lift a limit", layer: "file_size", script: "ulimit -f unlimited" },
];

/** A file that is longer than any may be; it holds nothing, so nothing is filled where nothing stops it. */
export const FILL_THE_DISK: Way = {
  name: "fill the disk",
  layer: "file_size",
  script: 'truncate -s 3000000000 "$TMPDIR/huge" && [[ $(stat -c %s "$TMPDIR/huge") -gt 2147483648 ]]',
};

/** Bash that tries every way and says of each whether it worked, one a line, as `name<TAB>worked|held`. */
export function tryWays(ways: readonly Way[]): string {
  const lines = ways.map(
    ({ name, script }) =>
      `if timeout 10 bash -c ${quote(script)} >/dev/null 2>&1; then printf '%s\\tworked\\n' ${quote(name)}; else printf '%s\\theld\\n' ${quote(name)}; fi`,
  );
  return ["mkdir -p out && echo done > out/01.txt", ...lines, ""].join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
