import { createHash, type Hash } from "node:crypto";

/** How a repository names its objects. */
export type ObjectFormat = "sha1" | "sha256";

/** The id that stands for nothing. */
export function zeroOid(format: ObjectFormat): string {
  return "0".repeat(format === "sha1" ? 40 : 64);
}

/** True for a whole object id of either format. */
export function isOid(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** The hash that makes an object's name, fed with its header already. */
export function startObjectHash(format: ObjectFormat, type: string, size: number): Hash {
  return createHash(format).update(`${type} ${size}\0`);
}
