import { err, ok, type Result } from "./result.ts";

/** `<address>`, and the parameters up to the comma that ends it. Inside quotes neither comma nor semicolon ends anything. */
const LINK = /[\s,]*<([^<>]*)>((?:[^",<>]|"(?:[^"\\]|\\.)*")*)(?:,|$)/y;

/** One parameter: a name, and a value that may be quoted. */
const PARAMETER = /;\s*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";,]+)))?)?\s*/y;

/**
 * The address of the next page in a `Link` header (RFC 8288): whatever the order and the quotes of its parameters, and
 * among several relations of one link. A header that cannot be read is refused: a list must not end where one is not
 * understood.
 */
export function readNextLink(header: string): Result<string | undefined, string> {
  const found = new Set<string>();
  for (let at = 0; header.slice(at).replace(/^[\s,]+/, "") !== "";) {
    LINK.lastIndex = at;
    const [, address = "", rest = ""] = LINK.exec(header) ?? [];
    if (LINK.lastIndex === 0) return err("expected links as RFC 8288 has them");
    at = LINK.lastIndex;
    const parameters = readParameters(rest.trim());
    if (parameters === undefined) return err("expected parameters as RFC 8288 has them");
    // With an anchor the link is one of something else.
    const relations = parameters.has("anchor") ? [] : (parameters.get("rel") ?? "").toLowerCase().split(/\s+/);
    if (relations.includes("next")) found.add(address);
  }
  const [next] = found;
  return found.size > 1 ? err("more than one next page") : ok(next);
}

/** By name; of several of one name the first counts. */
function readParameters(text: string): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  for (let at = 0; at < text.length;) {
    PARAMETER.lastIndex = at;
    const [, name, quoted, plain] = PARAMETER.exec(text) ?? [];
    if (PARAMETER.lastIndex === 0) return undefined;
    at = PARAMETER.lastIndex;
    const value = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? "";
    if (name !== undefined && !parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
  }
  return parameters;
}
