import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../../src/domain/digest.ts";
import { git } from "./git-run.ts";
import { type Ended, makeFolder, type TestRepository } from "./conveyor.ts";

/** A clone of a test's repository somewhere else, with a cache and a temporary folder of its own: another machine. */
export class OtherMachine {
  readonly base = makeFolder("conveyor-other-");
  readonly path = join(this.base, "clone");
  readonly temporary = join(this.base, "tmp");
  readonly #of: TestRepository;

  constructor(of: TestRepository) {
    this.#of = of;
    mkdirSync(this.temporary);
    git(this.base, "clone", "--quiet", of.path, "clone");
  }

  /** Runs `conveyor` in the clone. */
  conveyor(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    const own = { XDG_CACHE_HOME: join(this.base, "cache"), TMPDIR: this.temporary, HOME: this.base };
    return this.#of.conveyor(args, { cwd: this.path, env: { ...own, ...env } });
  }

  /** What commands have left behind here, besides caches: temporary files, and whatever lies among the runs. */
  leavings(): string[] {
    const runs = join(this.path, ".conveyor", "runs");
    return [...readdirSync(this.temporary), ...(existsSync(runs) ? readdirSync(runs) : [])];
  }

  /** The run folder that a packed run was unpacked to. */
  runFolder(runId: string): string {
    return join(this.path, ".conveyor", "runs", runId);
  }
}

/** What `pack --format json` prints. */
export interface PackAnswer {
  readonly run_id: string;
  readonly leg: number;
  readonly artifact_name: string;
  readonly dir: string;
  readonly pack_sha256: string;
  readonly files: readonly { path: string; sha256: string; bytes: number }[];
  readonly left_out: readonly { path: string; sha256: string; bytes: number }[];
  readonly looks_like_secrets: readonly { path: string; rule: string; line: number }[];
}

/** Packs the newest run of a repository, or one that is named, into a new folder. */
export async function packRun(repository: TestRepository, args: readonly string[] = []): Promise<PackAnswer> {
  const ended = await repository.conveyor(["pack", ...args, join(makeFolder(), "packed"), "--format", "json"]);
  if (ended.code !== 0) throw new Error(`pack ended with ${ended.code}: ${ended.stderr}`);
  return JSON.parse(ended.stdout) as PackAnswer;
}

/** One entry of an archive, made or read by hand. */
export interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
  /** The type flag; `0` is a plain file. */
  readonly type?: string;
  readonly linkname?: string;
  /** What the header says instead of the bytes that are there. */
  readonly claims?: number;
}

/** Reads an archive that `pack` made: plain files with short names, or with a pax header for a long one. */
export function readEntries(archive: Buffer): Entry[] {
  const entries: Entry[] = [];
  let long: string | undefined;
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const text = (from: number, length: number): string =>
      archive.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
    const size = Number.parseInt(text(124, 12), 8);
    const bytes = archive.subarray(at + 512, at + 512 + size);
    const prefix = text(345, 155);
    if (text(156, 1) === "x") long = /path=([^\n]*)\n/.exec(bytes.toString("utf8"))?.[1];
    else {
      entries.push({ name: long ?? (prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`), bytes });
      long = undefined;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

/** Builds an archive byte by byte, whatever its entries say. */
function buildTar(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(buildEntry), Buffer.alloc(1024)]);
}

function buildEntry({ name, bytes, type = "0", linkname = "", claims }: Entry): Buffer[] {
  const pad = Buffer.alloc((512 - (bytes.length % 512)) % 512);
  if (Buffer.byteLength(name) > 100) {
    const record = (length: number): string => `${length} path=${name}\n`;
    let length = Buffer.byteLength(name) + 8;
    while (Buffer.byteLength(record(length)) !== length) length += 1;
    const pax = buildEntry({ name: "PaxHeader", bytes: Buffer.from(record(length)), type: "x" });
    return [
      ...pax,
      ...buildEntry({ name: name.slice(0, 50), bytes, type, linkname, ...(claims === undefined ? {} : { claims }) }),
    ];
  }
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${(claims ?? bytes.length).toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write(type, 156);
  header.write(linkname, 157);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, bytes, pad];
}

/** A copy of a packed folder that somebody changes, digests made anew as a forger would. */
export function forgePack(
  folder: string,
  change: (files: Map<string, Buffer>) => void,
  options: { readonly sums?: "anew" | "kept" } = {},
): string {
  const copy = join(makeFolder(), "packed");
  cpSync(folder, copy, { recursive: true });
  const files = new Map(readdirSync(copy).map((name) => [name, readFileSync(join(copy, name))]));
  const before = new Set(files.keys());
  change(files);
  if (options.sums !== "kept") {
    const lines = [...files]
      .filter(([name]) => name !== "SHA256SUMS")
      .sort(([left], [right]) => (left < right ? -1 : 1));
    files.set("SHA256SUMS", Buffer.from(lines.map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join("")));
  }
  for (const name of before) rmSync(join(copy, name));
  for (const [name, bytes] of files) writeFileSync(join(copy, name), bytes);
  return copy;
}

/** The same, of what lies in the archive. */
export function forgeArchive(folder: string, change: (entries: Entry[]) => Entry[]): string {
  return forgePack(folder, (files) => {
    files.set("run.tar", buildTar(change(readEntries(files.get("run.tar") ?? Buffer.alloc(0)))));
  });
}
