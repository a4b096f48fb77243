import { createHash } from "node:crypto";

/** SHA-256 of bytes or of a string's UTF-8 bytes, as 64 lower-case hexadecimal digits. Never shortened. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * Canonical JSON (RFC 8785): object keys sorted by UTF-16 code units, no white space, `undefined` members left out.
 * Equal values give equal bytes, so that a digest of them means something.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((entry) => canonicalJson(entry)).join(",")}]`;
  const members = Object.entries(value as { readonly [key: string]: Json | undefined });
  return joinMembers(
    members.flatMap(([key, member]) => (member === undefined ? [] : [[key, canonicalJson(member)] as const])),
  );
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
