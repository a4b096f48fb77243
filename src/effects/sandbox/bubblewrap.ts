import { fileURLToPath } from "node:url";
import { PROXY_PORT } from "../../domain/network-hosts.ts";
import { buildBubblewrapArgs, buildPrlimitArgs, type Mount, SHARED_TMP } from "../../domain/sandbox-mounts.ts";
import type { ProcessRequest } from "../../ports/programs.ts";
import type { Launch } from "./launch.ts";
import { boundLimits } from "./limits.ts";
import type { Proxy, ProxyInput } from "./proxy.ts";
import { listToolFolders } from "./tool-folders.ts";
import { gatherView, type SandboxPlaces } from "./view.ts";

/** Where a program in tier 3 finds what it needs of ours. */
const INSIDE_FOLDER = `${SHARED_TMP}/conveyor`;
const SOCKET_INSIDE = `${INSIDE_FOLDER}/proxy.sock`;
const SCRIPT_INSIDE = `${INSIDE_FOLDER}/inside.js`;

/** The part of ours that runs inside; it is built as a file of its own. */
const SCRIPT = fileURLToPath(new URL("./inside.js", import.meta.url));

/** Tools of the system that hold a program in tier 3. */
export interface SandboxTools {
  readonly bubblewrap: string;
  readonly prlimit: string;
}

/** Starts programs in tier 3. */
export interface Bubblewrap {
  open(request: ProcessRequest, file: string, args: readonly string[]): Promise<Launch>;
}

/** Makes what starts programs in tier 3, for one run. */
export function createBubblewrap(tools: SandboxTools, places: SandboxPlaces): Bubblewrap {
  const known = new Map<string, readonly string[]>();
  const keyRequests = new Map<string, number>();
  // Folders of tools do not change while a run goes on, and a system's have thousands of entries.
  const toolFolders = (folders: readonly string[]): readonly string[] => {
    const key = folders.join("\0");
    const found = known.get(key) ?? listToolFolders(folders);
    known.set(key, found);
    return found;
  };
  return {
    async open(request, file, args) {
      const { network, keys, fileBytesMax, processesMax } = request.confinement;
      const isOnline = network.length > 0 || keys.length > 0;
      const proxy = isOnline
        ? await openProxyOf({ allowed: network, keys, keyRequests, env: places.orchestratorEnv })
        : undefined;
      const own: Mount[] = [{ source: SCRIPT, target: SCRIPT_INSIDE }];
      if (proxy !== undefined) own.push({ source: proxy.socketPath, target: SOCKET_INSIDE });
      const view = gatherView(places, request, { file, own, toolFolders });
      // Inside, where the limit of processes counts this program's alone.
      const limits = buildPrlimitArgs({ ...boundLimits(fileBytesMax), processes: processesMax });
      const forward =
        proxy === undefined ? [] : [process.execPath, SCRIPT_INSIDE, "forward", SOCKET_INSIDE, String(PROXY_PORT)];
      return {
        file: tools.bubblewrap,
        args: [...buildBubblewrapArgs(view), "--", tools.prlimit, ...limits, ...forward, file, ...args],
        env: proxy === undefined ? {} : buildProxyEnv(),
        isHolder: true,
        readFailure: readHolderFailure,
        network: () => proxy?.uses() ?? [],
        [Symbol.asyncDispose]: async () => proxy?.[Symbol.asyncDispose](),
      };
    },
  };
}

/** Loaded when a program may use the network: HTTP of Node alone is a fifth of what the command line starts with. */
async function openProxyOf(input: ProxyInput): Promise<Proxy> {
  const { openProxy } = await import("./proxy.ts");
  return openProxy(input);
}

/** Programs find the proxy by these, in the cases in which they look for them. */
function buildProxyEnv(): Record<string, string> {
  const url = `http://127.0.0.1:${PROXY_PORT}`;
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  const none = { NO_PROXY: "127.0.0.1,localhost,::1", no_proxy: "127.0.0.1,localhost,::1" };
  return { ...Object.fromEntries(names.map((name) => [name, url])), ...none, NODE_USE_ENV_PROXY: "1" };
}

/** A program can pretend it; it gains nothing by that, since both are failures. */
function readHolderFailure(_exitCode: number, stderr: string): string | undefined {
  const [line = ""] = stderr.split("\n");
  return /^(bwrap|prlimit|conveyor-inside): /.test(line) ? line : undefined;
}
