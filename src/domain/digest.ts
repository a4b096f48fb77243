import { hash } from "node:crypto";

/** SHA-256 of bytes or of a string's UTF-8 bytes, as 64 lower-case hexadecimal digits. Never shortened. */
export function sha256(bytes: Uint8Array | string): string {
  return hash("sha256", bytes, "hex");
}

/** The same digest in base64, as the content security policy of a page names what it allows. */
export function sha256Base64(text: string): string {
  return hash("sha256", text, "base64");
}

/** A value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * Canonical JSON (RFC 8785): object keys sorted by UTF-16 code units, no white space, `undefined` members left out.
 * Equal values give equal bytes, so that a digest of them means something.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  // Plain loops: every line of a journal goes through here twice when it is written, and once when it is read.
  let text = "";
  if (Array.isArray(value)) {
    for (const entry of value as readonly Json[])
      text += text === "" ? canonicalJson(entry) : `,${canonicalJson(entry)}`;
    return `[${text}]`;
  }
  const object = value as { readonly [key: string]: Json | undefined };
  // Without a comparison of one's own, strings are sorted by their code units.
  for (const key of Object.keys(object).sort()) {
    const member = object[key];
    if (member === undefined) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

/** The canonical JSON of an object whose members are canonical JSON already. */
export function joinMembers(members: readonly (readonly [key: string, json: string])[]): string {
  const sorted = members.toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return `{${sorted.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(",")}}`;
}

/** SHA-256 of a value's canonical JSON. */
export function digestOf(value: Json): string {
  return sha256(canonicalJson(value));
}
