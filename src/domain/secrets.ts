import { z } from "zod";

/** Why a variable that looks like a secret is not redacted. */
const LEFT = ["short", "ordinary", "published"] as const;

export const redactionFactsSchema = z
  .strictObject({
    /** Places where a secret stood and was taken out, in what was printed and kept. */
    count: z.int().nonnegative(),
    /** Variables whose values are taken out. */
    names: z.array(z.string()),
    /** Variables that look like secrets and whose values are not taken out, with why. */
    left: z.array(z.strictObject({ name: z.string(), why: z.enum(LEFT) })),
  })
  .meta({ id: "redactions" });
/** What one invocation, or all of a run together, redacted. */
export type RedactionFacts = z.infer<typeof redactionFactsSchema>;

export const NO_REDACTIONS: RedactionFacts = { count: 0, names: [], left: [] };

/** What two invocations redacted together. */
export function addRedactions(before: RedactionFacts, more: RedactionFacts): RedactionFacts {
  const left = new Map([...before.left, ...more.left].map((each) => [each.name, each]));
  return {
    count: before.count + more.count,
    names: [...new Set([...before.names, ...more.names])].sort(),
    left: [...left.values()],
  };
}

/** A value of the orchestrator's environment that nobody may read in what a run prints or keeps. */
export interface Secret {
  /** The variable that has it. */
  readonly name: string;
  readonly value: string;
}

/** Secrets, and variables that should be some and whose values cannot be told from ordinary text. */
export interface SecretChoice {
  readonly secrets: readonly Secret[];
  /** Variables that look like secrets and are not redacted, with why; of those that were only handed on, none. */
  readonly left: RedactionFacts["left"];
}

/** What `chooseSecrets` decides from. */
export interface SecretFacts {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Variables that configuration hands on to programs. */
  readonly handedOn: readonly string[];
  /** Variables whose keys the proxy holds: secrets whatever they are called. */
  readonly held: readonly string[];
  /** Values among those of `env` that are existing paths of this machine, or lists of such. */
  readonly places: ReadonlySet<string>;
  /** Texts that anybody who reads the repository has: plan and configuration. */
  readonly published: readonly string[];
}

/** Below so many characters a value turns up in text by chance. */
const SECRET_LENGTH_MIN = 8;

/** Letters alone, or digits alone, are ordinary below these lengths: `postgres`, a date, a port and its like. */
const LETTERS_MIN = 16;
const DIGITS_MIN = 12;

/** A line of a value that has several is looked for by itself from this length on. */
const LINE_LENGTH_MIN = 16;

/**
 * Chooses the values that are to be redacted. A variable counts by its name (`API_KEY`, `GITHUB_TOKEN`, …), because the
 * proxy holds it, by a value of a known form (`ghp_…`), by a password in a URL, or because it is handed on and its value
 * is not ordinary: no path, word, number, address or locale. Too short and too ordinary values are left, as are those
 * that plan or configuration publish: redacting them would shred what is true. Rules: docs/security.md.
 */
export function chooseSecrets(facts: SecretFacts): SecretChoice {
  const secrets = new Map<string, Secret>();
  const left: RedactionFacts["left"] = [];
  const add = (name: string, value: string): void => {
    if (value.length >= SECRET_LENGTH_MIN && !secrets.has(value)) secrets.set(value, { name, value });
  };
  for (const [name, value] of Object.entries(facts.env).sort(([one], [two]) => (one < two ? -1 : 1))) {
    if (value === undefined || value.trim() === "") continue;
    const isPublished = (text: string): boolean => facts.published.some((known) => known.includes(text));
    const isNamed = (isSecretName(name) && !isPlace(name, value, facts)) || facts.held.includes(name);
    const isMeant = isNamed || KNOWN_FORM.test(value) || (facts.handedOn.includes(name) && !isOrdinary(value, facts));
    if (isMeant) {
      const why = isPublished(value.trim()) ? "published" : judgeValue(value.trim());
      if (why !== undefined) {
        if (isNamed) left.push({ name, why });
      } else for (const part of listParts(value)) if (!isPublished(part)) add(name, part);
    }
    const password = passwordOf(value);
    if (password !== undefined && judgeValue(password) === undefined && !isPublished(password)) add(name, password);
  }
  return { secrets: [...secrets.values()], left };
}

/** Words of a name after which a value is secret, wherever they stand in it, and those that must stand alone. */
const SECRET_PART = /TOKEN|SECRET|KEY|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL/i;
const SECRET_WORD = /(^|_)(PASS|PWD|PAT|AUTH|COOKIE|SESSION|SIGNATURE|CERT|DSN|JWT|BEARER)(_|$)/i;

/** The working folders that every shell has, and sockets. */
const NO_SECRETS: ReadonlySet<string> = new Set(["PWD", "OLDPWD", "SSH_AUTH_SOCK", "XDG_SESSION_ID"]);

/** Whether a variable of this name has a secret in it. */
export function isSecretName(name: string): boolean {
  return !NO_SECRETS.has(name.toUpperCase()) && (SECRET_PART.test(name) || SECRET_WORD.test(name));
}

/** Values that are secrets whatever the variable is called: their issuers gave them a form to be found by. */
const KNOWN_FORM =
  /^(gh[opsur]_|github_pat_|glpat-|sk-[A-Za-z]|sk_live_|xox[abeoprs]-|npm_|AKIA|ASIA|AIza|eyJ[\w-]+\.eyJ|-----BEGIN )\S/;

/** Whether a value says where something is: `…_KEY_FILE=/etc/key`, `TOKEN_URL=https://login.example.com/token`. */
function isPlace(name: string, value: string, { places }: SecretFacts): boolean {
  if (places.has(value)) return true;
  return /_(URL|URI|ENDPOINT|HOST)$/i.test(name) && isPlainUrl(value);
}

function judgeValue(value: string): "short" | "ordinary" | undefined {
  if (value.length < SECRET_LENGTH_MIN) return "short";
  if (/^(.)\1+$/s.test(value)) return "ordinary";
  if (/^[A-Za-z]+$/.test(value)) return value.length < LETTERS_MIN ? "ordinary" : undefined;
  return /^[\d.]+$/.test(value) && value.length < DIGITS_MIN ? "ordinary" : undefined;
}

/** Settings and places that are handed on beside secrets: `JAVA_HOME`, `en_US.UTF-8`, `eu-west-1`, `gpt-5.4-large`. */
function isOrdinary(value: string, { places }: SecretFacts): boolean {
  if (places.has(value) || isPlainUrl(value) || /^[a-z]{2}_[A-Z]{2}\.[\w-]+$/.test(value)) return true;
  // Words and small numbers, whatever stands between them: a secret of such parts is no exact value to look for.
  return value.split(/[\s\-._,:;/@=+]+/).every((part) => /^([A-Za-z]*|\d{1,5}|v\d{1,3})$/.test(part));
}

function isPlainUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^(https?|wss?):$/.test(url.protocol) && url.password === "" && url.search === "";
}

function passwordOf(value: string): string | undefined {
  const found = /^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:([^\s/@]+)@/i.exec(value)?.[1];
  return found;
}

/** A value as a whole, its lines when it has several, and what a JSON document in it names as secret. */
function listParts(value: string): string[] {
  const whole = value.trim();
  const lines = whole.split(/\r?\n|\\n/).map((line) => line.trim());
  const long = lines.filter((line) => line.length >= LINE_LENGTH_MIN && !line.startsWith("-----"));
  return [whole, ...(lines.length > 1 ? long : []), ...listMembers(whole)];
}

function listMembers(text: string): string[] {
  if (!text.startsWith("{")) return [];
  try {
    return Object.entries(JSON.parse(text) as Record<string, unknown>).flatMap(([name, member]) =>
      typeof member === "string" && isSecretName(name) && judgeValue(member) === undefined ? listParts(member) : [],
    );
  } catch {
    return [];
  }
}
