import { resolve } from "node:path";
import { EXIT } from "../../domain/run-stop.ts";
import { showText } from "../../domain/visible-text.ts";
import { packSavedRun } from "../../invocation/pack-saved-run.ts";
import { printRefused, requireRun } from "../answer.ts";
import type { Format, Io } from "../io.ts";
import { follow } from "../open-run.ts";

interface PackOptions {
  readonly maxBytes?: number;
  readonly format: Format;
}

/** `conveyor pack [RUN] DIR`: writes what a stopped run hands on, to be verified, delivered or gone on with elsewhere. */
export async function pack(io: Io, first: string, second: string | undefined, options: PackOptions): Promise<number> {
  const [name, dir] = second === undefined ? [undefined, first] : [first, second];
  const found = await requireRun(io, name);
  if (typeof found === "number") return found;
  const target = resolve(io.cwd, dir);
  const follower = { ...follow(io, true), interrupt: io.interrupt };
  const packed = await packSavedRun(found, follower, { target, bytesMax: options.maxBytes });
  if (!packed.ok) return printRefused(io, packed.error);
  const { runId, leg, artifactName, packSha256, files, leftOut, looks } = packed.value;
  const facts = { run_id: runId, leg, artifact_name: artifactName, dir: target, pack_sha256: packSha256 };
  if (options.format === "json")
    io.out(`${JSON.stringify({ ...facts, files, left_out: leftOut, looks_like_secrets: looks })}\n`);
  else {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    io.out(`${runId}, leg ${leg}, is packed in ${target}: ${bytes} bytes, SHA-256 of the list ${packSha256}`);
    for (const { path, bytes: size } of leftOut) io.out(showText(`left out for its size: ${path} (${size} bytes)`));
  }
  return EXIT.done;
}
