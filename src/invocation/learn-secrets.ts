import type { Redactor } from "../compose/world.ts";
import type { Config } from "../domain/config.ts";

/**
 * Tells the redactor what a run adds to the environment: which variables are handed on to programs and how, values that a
 * person gave, and what is published already.
 */
export function learnSecrets(
  redactor: Redactor,
  config: Config,
  known: { readonly published: readonly string[]; readonly given: Readonly<Record<string, string>> },
): void {
  const { executor, manager, audits, triage, sandbox } = config;
  const places = [executor, manager, ...audits.lanes, triage, sandbox];
  const handedOn = places.flatMap((place) => (place !== undefined && "env" in place ? place.env : []));
  redactor.learn({ ...known, handedOn, held: sandbox.keys.map(({ env }) => env) });
}

/** Bytes as text, nothing as none. */
export function decode(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}
