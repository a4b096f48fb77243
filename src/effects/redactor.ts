import { existsSync } from "node:fs";
import { delimiter, isAbsolute } from "node:path";
import { buildAutomaton, type Automaton } from "../domain/automaton.ts";
import { parseJsonBytes } from "../domain/json-bytes.ts";
import {
  findSecrets,
  hasSecret,
  redactBytes,
  redactStream,
  redactText,
  redactValue,
  type RedactionStream,
} from "../domain/redaction.ts";
import { encodeSecret } from "../domain/secret-encodings.ts";
import type { Span } from "../domain/secret-reader.ts";
import { chooseSecrets, type RedactionFacts, type Secret, type SecretFacts } from "../domain/secrets.ts";

type Env = SecretFacts["env"];

/** Takes the secrets that it knows out of whatever is printed or kept, and counts them. One for each process. */
export interface Redactor {
  /** Learns what configuration and command line add to what the environment alone tells; `given`: variables by hand. */
  learn(facts: Omit<SecretFacts, "env" | "places"> & { readonly given: Env }): void;
  text(text: string): string;
  bytes(bytes: Uint8Array): Uint8Array;
  /** The same of bytes that may be JSON: also what escapes hide in its texts. */
  json(bytes: Uint8Array): Uint8Array;
  value<T>(value: T): T;
  /** Waits for the end of a secret that has begun with `openMin` bytes or more; by default for each. */
  stream(openMin?: number): RedactionStream;
  /** Bytes that the longest secret can take up, wrapped into lines. */
  readonly spanBytesMax: number;
  facts(): RedactionFacts;
  /** Where secrets stand in a text; nothing is counted. */
  find(text: string): readonly Span[];
  /** Variables whose values stand in bytes, in whatever form; nothing is counted. */
  names(bytes: Uint8Array): readonly string[];
}

/** White space between the bytes of a wrapped secret, at most as much as the secret itself. */
const WRAPPED_FACTOR = 2;

/** Knows the secrets of an environment at once; the automaton is built when the first text comes. */
export function createRedactor(env: Env): Redactor {
  let choice = chooseSecrets({ env, places: findPlaces(env), handedOn: [], held: [], published: [] });
  let built: Automaton | undefined;
  let count = 0;
  const automaton = (): Automaton => (built ??= buildFor(choice.secrets));
  const counted = <T extends { count: number }>(redacted: T): T => {
    count += redacted.count;
    return redacted;
  };
  const bytes = (given: Uint8Array): Uint8Array => counted(redactBytes(automaton(), given)).bytes;
  return {
    learn({ given, ...facts }) {
      const own = chooseSecrets({ ...facts, env, places: findPlaces(env) });
      const handedOn = Object.keys(given);
      const more = chooseSecrets({ ...facts, env: given, handedOn, places: findPlaces(given) });
      choice = { secrets: [...own.secrets, ...more.secrets], left: [...own.left, ...more.left] };
      built = undefined;
    },
    text: (text) => counted(redactText(automaton(), text)).text,
    bytes,
    json(given) {
      const plain = bytes(given);
      const parsed = automaton().longest === 0 ? undefined : parseJsonBytes(plain);
      if (parsed?.ok !== true) return plain;
      const redacted = counted(redactValue(automaton(), parsed.value));
      return redacted.count === 0 ? plain : new TextEncoder().encode(`${JSON.stringify(redacted.value)}\n`);
    },
    value: (value) => counted(redactValue(automaton(), value)).value,
    stream(openMin) {
      const stream = redactStream(automaton(), openMin);
      return {
        push: (chunk) => stream.push(chunk),
        end() {
          const rest = stream.end();
          count += stream.count;
          return rest;
        },
        get count() {
          return stream.count;
        },
        get held() {
          return stream.held;
        },
      };
    },
    get spanBytesMax() {
      return automaton().longest * WRAPPED_FACTOR;
    },
    facts: () => ({ count, names: [...new Set(choice.secrets.map(({ name }) => name))].sort(), left: choice.left }),
    find: (text) => findSecrets(automaton(), text),
    names(given) {
      if (!hasSecret(automaton(), given)) return [];
      return choice.secrets.filter((secret) => hasSecret(buildFor([secret]), given)).map(({ name }) => name);
    },
  };
}

/** Knows no secret: for programs that are started to find something out about the machine. */
export const BLIND_REDACTOR: Redactor = createRedactor({});

function buildFor(secrets: readonly Secret[]): Automaton {
  return buildAutomaton(secrets.flatMap(({ value }) => encodeSecret(value)));
}

/** Values that are paths of this machine, or lists of such. */
function findPlaces(env: Env): Set<string> {
  const values = Object.values(env).filter((value) => value !== undefined);
  return new Set(
    values.filter((value) => value.split(delimiter).every((path) => isAbsolute(path) && existsSync(path))),
  );
}
