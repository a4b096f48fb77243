import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { crc32 } from "node:zlib";

/** One artifact as the service keeps it. */
export interface StoredArtifact {
  readonly id: number;
  readonly name: string;
  /** SHA-256 of the zip. */
  readonly digest: string;
  readonly zip: Uint8Array;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Numbers are the service's, not a workflow run's. */
let lastId = 7000;

/** The artifacts of one workflow run, as upload-artifact writes and download-artifact reads them. */
export class ArtifactStore {
  readonly all: StoredArtifact[] = [];
  readonly #tell: (artifact: StoredArtifact) => void;

  /** `tell` hears of each artifact, so that whoever plays the service's API can list it. */
  constructor(tell: (artifact: StoredArtifact) => void = () => undefined) {
    this.#tell = tell;
  }

  /** Uploads a folder's files, or one file; as on GitHub a name can be taken once, unless it is overwritten. */
  upload(name: string, path: string, overwrite: boolean): StoredArtifact {
    const files = readFiles(path);
    if (files.size === 0) throw new Error(`No files were found with the provided path: ${path}`);
    return this.add(name, files, overwrite);
  }

  add(name: string, files: ReadonlyMap<string, Uint8Array>, overwrite = false): StoredArtifact {
    const taken = this.all.findIndex((each) => each.name === name);
    if (taken !== -1 && !overwrite) throw new Error(`an artifact with this name already exists: ${name}`);
    if (taken !== -1) this.all.splice(taken, 1);
    const zip = buildZip(files);
    const digest = createHash("sha256").update(zip).digest("hex");
    lastId += 1;
    const artifact = { id: lastId, name, digest, zip, files };
    this.all.push(artifact);
    this.#tell(artifact);
    return artifact;
  }

  download(which: { readonly name: string } | { readonly id: number }, folder: string): void {
    const found = this.all.find((each) => ("id" in which ? each.id === which.id : each.name === which.name));
    if (found === undefined) throw new Error(`Artifact not found: ${JSON.stringify(which)}`);
    for (const [path, bytes] of found.files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
  }
}

function readFiles(path: string): Map<string, Uint8Array> {
  if (!existsSync(path)) return new Map();
  if (!statSync(path).isDirectory()) return new Map([[basename(path), readFileSync(path)]]);
  const names = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((each) => [relative(path, each), readFileSync(each)]));
}

/** A zip whose files are stored as they are. */
function buildZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, bytes] of files) {
    const name = Buffer.from(path);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt32LE(0x21_00_00, 6);
    shared.writeUInt32LE(crc32(bytes), 10);
    shared.writeUInt32LE(bytes.length, 14);
    shared.writeUInt32LE(bytes.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), shared, name, bytes]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\u0000", "latin1"), shared, tail, name]));
    locals.push(local);
    offset += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", "latin1");
  end.writeUInt16LE(files.size, 8);
  end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, entries, end]);
}

/** Copies a folder's files, for checkouts that are no clones. */
export function copyInto(from: string, to: string): void {
  if (existsSync(from)) cpSync(from, to, { recursive: true, dereference: true });
}
