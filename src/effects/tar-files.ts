import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Pack } from "tar-stream";
import { EPOCH } from "./clock.ts";

/** One file for an archive. */
export interface TarFile {
  readonly path: string;
  readonly bytes: number;
  /** Its content, `bytes` long altogether. */
  content(): AsyncIterable<Uint8Array>;
}

/** One entry of an archive as its header tells it: whatever somebody wrote there. */
export interface TarEntry {
  readonly name: string;
  /** `file` for a plain file; anything else is something that no run holds. */
  readonly type: string | null;
  readonly bytes: number;
}

/**
 * Writes a new archive of plain files, in the order that they come. Times, owners and rights are the same for all, so
 * that equal files give equal bytes.
 */
export async function writeTar(target: string, files: AsyncIterable<TarFile>): Promise<void> {
  const { pack } = await import("tar-stream");
  const archive = pack();
  await using file = await open(target, "wx", 0o600);
  const written = drain(archive, file);
  try {
    for await (const each of files) await addFile(archive, each);
    archive.finalize();
  } catch (fault) {
    archive.destroy(new Error("the archive was given up"));
    await written.catch(() => undefined);
    throw fault;
  }
  await written;
}

async function drain(archive: Pack, file: FileHandle): Promise<void> {
  for await (const chunk of archive as AsyncIterable<Uint8Array>) await file.writeFile(chunk);
}

async function addFile(archive: Pack, { path, bytes, ...file }: TarFile): Promise<void> {
  const header = { name: path, size: bytes, mode: 0o644, mtime: EPOCH, type: "file", uid: 0, gid: 0 } as const;
  let sink: ReturnType<Pack["entry"]> | undefined;
  const done = new Promise<void>((resolve, reject) => {
    sink = archive.entry(header, (fault) => (fault ? reject(fault) : resolve()));
  });
  // Whoever waits for it sees the failure; a source that fails first must not leave it unseen.
  done.catch(() => undefined);
  sink?.on("error", () => undefined);
  try {
    for await (const chunk of file.content()) {
      if (sink?.write(chunk) === false)
        await Promise.race([once(sink as unknown as NodeJS.EventEmitter, "drain"), done]);
    }
  } catch (fault) {
    sink?.destroy(fault instanceof Error ? fault : new Error(String(fault)));
    throw fault;
  }
  sink?.end(null);
  await done;
}

/**
 * Reads an archive from its beginning and shows each entry with its content, which has to be read to its end before the
 * next one comes. Nothing is written anywhere. Throws `TarFaultError` when it is no archive, or ends too early.
 */
export async function readTar(
  path: string,
  take: (entry: TarEntry, content: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const { extract } = await import("tar-stream");
  const archive = extract();
  const source = createReadStream(path);
  source.on("error", (fault) => archive.destroy(fault));
  source.pipe(archive);
  const taken: unknown[] = [];
  try {
    for await (const entry of archive) {
      const { name, type, size } = entry.header;
      try {
        await take({ name, type, bytes: size }, readContent(entry));
      } catch (fault) {
        taken.push(fault);
        break;
      }
    }
  } catch (fault) {
    throw new TarFaultError(fault);
  } finally {
    source.destroy();
    archive.destroy(new Error("the archive was given up"));
  }
  if (taken.length > 0) throw taken[0];
}

/** An archive that ends in the middle of a file shows in the file's content. */
async function* readContent(entry: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of entry as AsyncIterable<Uint8Array>) yield chunk;
  } catch (fault) {
    throw new TarFaultError(fault);
  }
}

/** A file is no whole archive. */
export class TarFaultError extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "TarFaultError";
  }
}
