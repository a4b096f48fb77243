import { z } from "zod";

/** What one program asked the proxy for: names and counts, never what was said. */
export const networkUseSchema = z
  .strictObject({
    host: z.string(),
    port: z.int(),
    allowed: z.boolean(),
    requests: z.int().nonnegative(),
    sent_bytes: z.int().nonnegative(),
    received_bytes: z.int().nonnegative(),
    /** The variable of the key that the proxy added to these requests. */
    key: z.string().optional(),
  })
  .meta({ id: "network_use" });
export type NetworkUse = z.infer<typeof networkUseSchema>;

/** A key that the proxy adds to what a program sends to one host. */
export interface HeldKey {
  /** The variable that has the key in the orchestrator's environment. */
  readonly name: string;
  /** Where requests go: a scheme, a host, perhaps a path. */
  readonly url: string;
  /** Name of the header that carries the key, and what stands before it. */
  readonly header: string;
  readonly scheme: string;
  /** The variable that tells a program where to send its requests instead. */
  readonly urlName: string;
  /** Requests that all programs of a run together may send with it. */
  readonly requestsMax: number;
}

/** Requests that programs sent with the key of that name, as their uses of the network count them. */
export function countKeyRequests(uses: readonly NetworkUse[], name: string): number {
  return uses.reduce((sum, use) => sum + (use.allowed && use.key === name ? use.requests : 0), 0);
}

/** Where a request with a key goes, for what stands behind the name of the key; nothing when that is not below `url`. */
export function keyTarget(url: string, rest: string): URL | undefined {
  const base = new URL(url);
  const folder = base.pathname.replace(/\/$/, "");
  const target = URL.parse(`${base.origin}${folder}${rest.startsWith("/") ? rest : `/${rest}`}`);
  return target?.origin === base.origin && target.pathname.startsWith(`${folder}/`) && !HIDDEN_UP.test(target.pathname)
    ? target
    : undefined;
}

/** `..` as a folder for servers that decode a path, or cut parameters off, before they look at it. */
const HIDDEN_UP = /(?:^|\/|%2f|%5c)(?:\.|%2e){2}(?:[/;]|%2f|%5c|%3b|$)/i;

/** What stands in place of a key that the proxy holds: programs that look whether there is one go on. */
export const HELD_KEY_PLACEHOLDER = "held-by-the-proxy";

/** The port on which a program in tier 3 finds the proxy; its loopback is its own. */
export const PROXY_PORT = 18_080;

/** Where a program sends the requests that need the key of that name. */
export function heldKeyUrl(name: string): string {
  return `http://127.0.0.1:${PROXY_PORT}/${name}`;
}

const DEFAULT_PORT = 443;
const PORT_MAX = 65_535;

/** Host and port of an entry such as `api.example.com`, `api.example.com:8443` or `[2001:db8::1]:443`. */
export function parseHostEntry(entry: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?))(?::(\d{1,5}))?$/.exec(entry);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) return undefined;
  const port = match?.[4] === undefined ? DEFAULT_PORT : Number(match[4]);
  return port < 1 || port > PORT_MAX ? undefined : { host: host.toLowerCase(), port };
}

/** Whether a program may ask for host and port; the port of an entry without one is 443. */
export function isAllowedHost(host: string, port: number, allowed: readonly string[]): boolean {
  const asked = host.toLowerCase().replace(/\.$/, "");
  return allowed.some((entry) => {
    const parsed = parseHostEntry(entry);
    return parsed !== undefined && parsed.host === asked && parsed.port === port;
  });
}

/**
 * Whether an address may be behind a *name* that is allowed: never this machine, its links or a metadata service, so
 * that whoever answers for the name cannot lead a program there. An address that is itself on the list was meant.
 */
export function isForeignAddress(address: string): boolean {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
  if (plain.includes(":")) return isForeignIpv6(plain);
  const parts = plain.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return false;
  const [first = 0, second = 0] = parts;
  return !(first === 0 || first === 127 || first >= 224 || (first === 169 && second === 254) || METADATA.has(plain));
}

/** Metadata services that do not lie in a link-local range. */
const METADATA: ReadonlySet<string> = new Set([
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "fd00:ec2::254",
  "fd20:ce::254",
]);

function isForeignIpv6(address: string): boolean {
  const isLocal = address === "::" || address === "::1" || METADATA.has(address);
  // Written in hexadecimal, a mapped address could be any of the IPv4 ones.
  const isMapped = /^(0*:)*:?ffff:/.test(address) || address.startsWith("64:ff9b:");
  return !isLocal && !isMapped && !/^(fe[89ab]|ff)/.test(address);
}
