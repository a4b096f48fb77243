const FIXED_BYTES_BEFORE_OID = 40;
const ASSUME_UNCHANGED = 0x8000;
const EXTENDED = 0x4000;
const SKIP_WORKTREE = 0x4000;

/**
 * Entries of a git index that are told not to show their changes, as `skip-worktree PATH` and
 * `assume-unchanged PATH`; a split or sparse index, which could keep such entries elsewhere, is named too.
 * Nothing when the bytes are no index of version 2 to 4.
 */
export function parseIndexFlags(bytes: Buffer, oidBytes: number): readonly string[] | undefined {
  const version = bytes.length < 12 ? 0 : bytes.readUInt32BE(4);
  if (bytes.toString("latin1", 0, 4) !== "DIRC" || version < 2 || version > 4) return undefined;
  try {
    return readEntries(bytes, oidBytes, version);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readEntries(bytes: Buffer, oidBytes: number, version: number): string[] | undefined {
  const found: string[] = [];
  let name: Buffer = Buffer.alloc(0);
  let at = 12;
  for (let left = bytes.readUInt32BE(8); left > 0; left -= 1) {
    const start = at;
    const flags = bytes.readUInt16BE(start + FIXED_BYTES_BEFORE_OID + oidBytes);
    at = start + FIXED_BYTES_BEFORE_OID + oidBytes + 2;
    let extended = 0;
    if ((flags & EXTENDED) !== 0) {
      extended = bytes.readUInt16BE(at);
      at += 2;
    }
    let kept: Buffer = Buffer.alloc(0);
    if (version === 4) {
      const strip = readOffset(bytes, at);
      kept = name.subarray(0, name.length - strip.value);
      at = strip.next;
    }
    const end = bytes.indexOf(0, at);
    if (end === -1) return undefined;
    name = kept.length === 0 ? bytes.subarray(at, end) : Buffer.concat([kept, bytes.subarray(at, end)]);
    at = version === 4 ? end + 1 : start + ((end - start + 8) & ~7);
    if ((flags & ASSUME_UNCHANGED) !== 0) found.push(`assume-unchanged ${name.toString("utf8")}`);
    if ((extended & SKIP_WORKTREE) !== 0) found.push(`skip-worktree ${name.toString("utf8")}`);
  }
  return [...found, ...readExtensions(bytes, at, oidBytes)];
}

function readExtensions(bytes: Buffer, start: number, oidBytes: number): string[] {
  const found: string[] = [];
  for (let at = start; at + 8 <= bytes.length - oidBytes; at += 8 + bytes.readUInt32BE(at + 4)) {
    const signature = bytes.toString("latin1", at, at + 4);
    if (signature === "link") found.push("split index");
    if (signature === "sdir") found.push("sparse index");
  }
  return found;
}

/** A number as git packs offsets: seven bits for each byte, one added for each byte that follows. */
function readOffset(bytes: Buffer, start: number): { value: number; next: number } {
  let at = start;
  let byte = bytes.readUInt8(at);
  let value = byte & 0x7f;
  while ((byte & 0x80) !== 0) {
    at += 1;
    byte = bytes.readUInt8(at);
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, next: at + 1 };
}
