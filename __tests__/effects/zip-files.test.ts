import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { unpackZip } from "../../src/effects/zip-files.ts";
import { makeFolder } from "../support/conveyor.ts";

interface Part {
  readonly name: string;
  readonly bytes: Buffer;
  readonly mode?: number;
  readonly says?: number;
  readonly crc?: number;
  readonly flags?: number;
}

/** A zip file of these parts, honest unless a part says otherwise. */
function zip(parts: readonly Part[]): Buffer {
  const local: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, mode = 0o100644, says = bytes.length, crc = crc32(bytes), flags = 0 } of parts) {
    const packed = deflateRawSync(bytes);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04_03_4b_50, 0);
    head.writeUInt16LE(8, 8);
    head.writeUInt16LE(name.length, 26);
    local.push(head, Buffer.from(name), packed);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02_01_4b_50, 0);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(crc, 16);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(says, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE((mode << 16) >>> 0, 38);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, Buffer.from(name));
    at += 30 + name.length + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06_05_4b_50, 0);
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...local, list, end]);
}

const LIMITS = { "run.tar": 1000, SHA256SUMS: 100 };

async function unpack(bytes: Buffer) {
  const folder = makeFolder();
  writeFileSync(join(folder, "a.zip"), bytes);
  const target = join(folder, "out");
  return { result: await unpackZip(join(folder, "a.zip"), target, LIMITS), target, folder };
}

/** The archive whose last record says that its list of files has so many bytes. */
function withListBytes(archive: Buffer, bytes: number): Buffer {
  archive.writeUInt32LE(bytes, archive.length - 10);
  return archive;
}

const text = (value: string): Buffer => Buffer.from(value);

test("plain files of the names that are expected are unpacked", async () => {
  const { result, target } = await unpack(
    zip([
      { name: "run.tar", bytes: text("tar") },
      { name: "SHA256SUMS", bytes: text("") },
    ]),
  );
  expect(result).toEqual({ ok: true, value: ["run.tar", "SHA256SUMS"] });
  expect(readFileSync(join(target, "run.tar"), "utf8")).toBe("tar");
});

describe("S-29: an archive that means harm is refused by name", () => {
  const tar = { name: "run.tar", bytes: text("tar") };
  const bomb = { name: "run.tar", bytes: Buffer.alloc(50_000_000) };
  test.each<[string, Buffer, string]>([
    ["no zip", text("hello"), "is no zip file"],
    ["an empty file", text(""), "is no zip file"],
    ["a path that leads out", zip([{ name: "../run.tar", bytes: text("x") }]), '"../run.tar", which no run hands on'],
    ["an absolute path", zip([{ name: "/tmp/x", bytes: text("x") }]), "which no run hands on"],
    ["a foreign file", zip([tar, { name: "evil.sh", bytes: text("x") }]), '"evil.sh"'],
    ["a name of every object", zip([{ name: "constructor", bytes: text("x") }]), '"constructor"'],
    ["a file twice", zip([tar, tar]), "run.tar twice"],
    ["a link", zip([{ ...tar, mode: 0o120777 }]), "as something else than a plain file"],
    ["a folder", zip([{ ...tar, mode: 0o040755 }]), "as something else than a plain file"],
    ["a large file", zip([{ ...tar, bytes: Buffer.alloc(2000) }]), "with 2000 bytes, at most 1000"],
    ["a bomb that says it is small", zip([{ ...bomb, says: 10 }]), "more bytes than it lists"],
    ["fewer bytes than it lists", zip([{ ...tar, says: 900 }]), "with other bytes than it lists"],
    ["other bytes than it lists", zip([{ ...tar, crc: 1 }]), "with other bytes than it lists"],
    ["a locked file", zip([{ ...tar, flags: 1 }]), "in a form that is not read"],
    ["a list that is cut", withListBytes(zip([tar]), 20), "has a list of files that is cut"],
    [
      "a list that ends outside",
      withListBytes(zip([tar]), 5000),
      "has a list of files that is too long or lies outside",
    ],
  ])("%s", async (_name, bytes, said) => {
    const { result, folder } = await unpack(bytes);
    expect(result.ok ? "" : result.error).toContain(said);
    expect(existsSync(join(folder, "run.tar"))).toBe(false);
  });
});
