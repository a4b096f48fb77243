import { isUtf8 } from "node:buffer";

/** Splits NUL-terminated records; the empty rest after the last NUL is no record. */
export function splitNul(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, start)) {
    records.push(bytes.subarray(start, end));
    start = end + 1;
  }
  if (start < bytes.length) records.push(bytes.subarray(start));
  return records;
}

/** Joins records so that each ends in NUL, as git's `-z` reads them. */
export function joinNul(records: readonly Buffer[]): Buffer {
  const nul = Buffer.of(0);
  return Buffer.concat(records.flatMap((record) => [record, nul]));
}

/** A path as text, with its bytes in hexadecimal digits beside it when they are not UTF-8. */
export function decodePath(bytes: Buffer): { path: string; path_hex?: string } {
  const path = bytes.toString("utf8");
  return isUtf8(bytes) ? { path } : { path, path_hex: bytes.toString("hex") };
}

/** Bytes of the last name of a path. */
export function lastName(path: Buffer): Buffer {
  return path.subarray(path.lastIndexOf(0x2f) + 1);
}
