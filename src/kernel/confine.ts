import { countKeyRequests, HELD_KEY_PLACEHOLDER, heldKeyUrl } from "../domain/network-hosts.ts";
import type { Confinement, SuppliedKey } from "../ports/programs.ts";
import type { ProgramContext } from "./run-context.ts";

/** What a program is to be given and let do. */
export interface ConfineRequest {
  /** Names the program's own home and temporary folder. */
  readonly name: string;
  /** Variables of the orchestrator that it gets, besides those of `sandbox.env`. */
  readonly passNames: readonly string[];
  /** Variables that a person gave it, and what the orchestrator says to it. */
  readonly givenEnv?: Readonly<Record<string, string>> | undefined;
  readonly extraEnv: Readonly<Record<string, string>>;
  readonly writable: readonly string[];
  readonly readable: readonly string[];
  readonly network: readonly string[];
}

/**
 * Builds the environment and the confinement of a program. In tier 3 it never gets a key that the proxy holds: in its
 * place stands where to send requests instead.
 */
export async function confine(
  context: ProgramContext,
  request: ConfineRequest,
): Promise<{ env: Record<string, string>; confinement: Confinement }> {
  const { ports, config } = context;
  const tier = knownTier(context);
  const given = request.givenEnv ?? {};
  const passed = [...config.sandbox.env, ...request.passNames];
  const keys = listKeys(context, request);
  const held = Object.fromEntries(
    keys.flatMap(({ name, urlName }) => [
      [name, HELD_KEY_PLACEHOLDER],
      [urlName, heldKeyUrl(name)],
    ]),
  );
  const names = passed.filter((name) => !keys.some((key) => key.name === name));
  return {
    env: await ports.environments.build(request.name, names, { ...given, ...request.extraEnv, ...held }),
    confinement: {
      tier,
      writable: request.writable,
      readable: request.readable,
      network: request.network,
      keys,
      fileBytesMax: config.sandbox["file-bytes"],
      processesMax: config.sandbox.processes,
    },
  };
}

/** Where a program sends what needs a key that the proxy holds, by the variable of that key. */
export function listKeyUrls(context: ProgramContext, request: KeyRequest): Record<string, string> {
  return Object.fromEntries(listKeys(context, request).map(({ name }) => [name, heldKeyUrl(name)]));
}

type KeyRequest = Pick<ConfineRequest, "passNames" | "givenEnv">;

function listKeys(context: ProgramContext, { passNames, givenEnv: given = {} }: KeyRequest): SuppliedKey[] {
  const { sandbox } = context.config;
  if (knownTier(context) !== 3) return [];
  const uses = context.recorder.state.executions.flatMap(({ network }) => network);
  return sandbox.keys
    .filter(({ env: name }) => sandbox.env.includes(name) || passNames.includes(name) || given[name] !== undefined)
    .map(({ env: name, url, header, scheme, "url-env": urlName, "requests-per-run": requestsMax }) => ({
      name,
      url,
      header,
      scheme,
      urlName,
      value: given[name],
      requestsMax,
      requestsUsed: countKeyRequests(uses, name),
    }));
}

/** The tier that holds the programs of this invocation. */
export function knownTier({ recorder }: Pick<ProgramContext, "recorder">): Confinement["tier"] {
  const { sandbox } = recorder.state;
  if (sandbox === undefined || sandbox.refusal !== undefined) throw new Error("no program before its sandbox is known");
  return sandbox.tier;
}
