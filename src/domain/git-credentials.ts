/** An entry of git's configuration, with all files that it includes. */
export interface GitConfigEntry {
  /** Where it stands, as git says it, for example `file:.git/config`. */
  readonly origin: string;
  /** Section and name in lower case, what stands between them as written. */
  readonly key: string;
  readonly value: string;
}

const HOLDS_SECRET =
  /^(http\.(.*\.)?(extraheader|cookiefile|sslkey)|credential\.(.*\.)?helper|core\.(sshcommand|askpass))$/s;
const HOLDS_URL = /^(remote\..*\.(url|pushurl)|url\..*\.(insteadof|pushinsteadof)|http\.(.*\.)?proxy)$/s;

/** A user in a URL: what looks like a name there is often a token. */
const URL_WITH_USER = /https?:\/\/[^/@\s]+@/i;

/**
 * Names the entries with which git, or whoever reads the file, can act on a remote as somebody: headers, helpers, keys,
 * URLs with a user. Values are never part of what is said.
 */
export function listConfiguredCredentials(entries: readonly GitConfigEntry[]): string[] {
  const found = entries.filter(
    ({ key, value }) =>
      (HOLDS_SECRET.test(key) && value !== "") || (HOLDS_URL.test(key) && URL_WITH_USER.test(`${key} ${value}`)),
  );
  return [...new Set(found.map(({ origin, key }) => `${hideUser(key)} of ${origin}`))];
}

function hideUser(key: string): string {
  return key.replaceAll(/\/\/[^/@\s]+@/g, "//…@");
}

/** Parses `git config --list --show-origin -z`. */
export function parseGitConfigList(text: string): GitConfigEntry[] {
  const parts = text.split("\0");
  const entries: GitConfigEntry[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [origin = "", entry = ""] = [parts[index], parts[index + 1]];
    const end = entry.indexOf("\n");
    // A key without `=` is true and holds nothing.
    entries.push({
      origin,
      key: end === -1 ? entry : entry.slice(0, end),
      value: end === -1 ? "" : entry.slice(end + 1),
    });
  }
  return entries;
}
