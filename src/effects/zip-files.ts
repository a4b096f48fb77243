import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";
import { err, ok, type Result } from "../domain/result.ts";

const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
const DIRECTORY_BYTES_MAX = 65_536;
const [END_MARK, ENTRY_MARK, LOCAL_MARK] = [0x06_05_4b_50, 0x02_01_4b_50, 0x04_03_4b_50];
const [STORED, DEFLATED] = [0, 8];

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly crc: number;
  readonly offset: number;
}

/** SHA-256 of a file, read in pieces. */
export async function digestFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/**
 * Unpacks a zip file into a new folder. It may hold nothing but plain files of the names in `bytesMax`, each once and
 * not larger than it says there; whoever made the file has no say in where anything is written. The error says what is
 * wrong with it.
 */
export async function unpackZip(
  path: string,
  folder: string,
  bytesMax: Readonly<Record<string, number>>,
): Promise<Result<readonly string[], string>> {
  await using file = await open(path, "r");
  const listed = await listEntries(file, bytesMax);
  if (!listed.ok) return listed;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const entry of listed.value) {
    const unpacked = await unpackEntry(file, path, entry, join(folder, entry.name));
    if (!unpacked.ok) return unpacked;
  }
  return ok(listed.value.map(({ name }) => name));
}

async function listEntries(
  file: FileHandle,
  bytesMax: Readonly<Record<string, number>>,
): Promise<Result<readonly Entry[], string>> {
  const { size } = await file.stat();
  const tail = await readAt(
    file,
    Math.max(0, size - END_BYTES - COMMENT_BYTES_MAX),
    Math.min(size, END_BYTES + COMMENT_BYTES_MAX),
  );
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end === -1 || tail.length - end < END_BYTES || tail.readUInt32LE(end) !== END_MARK) return err("is no zip file");
  const [count, bytes, offset] = [
    tail.readUInt16LE(end + 10),
    tail.readUInt32LE(end + 12),
    tail.readUInt32LE(end + 16),
  ];
  if (bytes > DIRECTORY_BYTES_MAX || offset + bytes > size)
    return err("has a list of files that is too long or lies outside");
  const directory = await readAt(file, offset, bytes);
  const entries: Entry[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== ENTRY_MARK)
      return err("has a list of files that is cut");
    const nameBytes = directory.readUInt16LE(at + 28);
    const name = directory.toString("utf8", at + 46, at + 46 + nameBytes);
    const entry: Entry = {
      name,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    };
    const most = Object.hasOwn(bytesMax, name) ? bytesMax[name] : undefined;
    if (most === undefined) return err(`holds ${JSON.stringify(name.slice(0, 200))}, which no run hands on`);
    if (entries.some((other) => other.name === name)) return err(`holds ${name} twice`);
    const kind = directory.readUInt32LE(at + 38) >>> 28;
    if (kind !== 0 && kind !== 8) return err(`holds ${name} as something else than a plain file`);
    if (entry.bytes > most) return err(`holds ${name} with ${entry.bytes} bytes, at most ${most} are taken`);
    const isEncrypted = (directory.readUInt16LE(at + 8) & 1) === 1;
    if (isEncrypted || ![STORED, DEFLATED].includes(entry.method))
      return err(`holds ${name} in a form that is not read`);
    entries.push(entry);
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return ok(entries);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function unpackEntry(
  file: FileHandle,
  path: string,
  entry: Entry,
  target: string,
): Promise<Result<undefined, string>> {
  const local = await readAt(file, entry.offset, 30);
  if (local.length < 30 || local.readUInt32LE(0) !== LOCAL_MARK)
    return err(`holds ${entry.name} where there is nothing`);
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const meter = new Meter(entry.bytes);
  const source =
    entry.packedBytes === 0 ? Readable.from([]) : createReadStream(path, { start, end: start + entry.packedBytes - 1 });
  const inflate = entry.method === DEFLATED ? [createInflateRaw()] : [];
  try {
    await pipeline([source, ...inflate, meter, createWriteStream(target, { flags: "wx", mode: 0o600 })]);
  } catch (fault) {
    return err(`cannot be unpacked at ${entry.name}: ${fault instanceof Error ? fault.message : String(fault)}`);
  }
  return meter.bytes === entry.bytes && meter.crc === entry.crc
    ? ok(undefined)
    : err(`holds ${entry.name} with other bytes than it lists`);
}

/** Counts what goes through, and lets no more through than was listed: a few bytes can unpack to any number. */
class Meter extends Transform {
  bytes = 0;
  crc = 0;
  readonly #bytesMax: number;

  constructor(bytesMax: number) {
    super();
    this.#bytesMax = bytesMax;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    this.crc = crc32(chunk, this.crc);
    done(this.bytes > this.#bytesMax ? new Error("more bytes than it lists") : null, chunk);
  }
}
