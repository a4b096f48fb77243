import type { Hash } from "node:crypto";
import { GitError, startGit, type GitContext, type GitStream } from "./git.ts";
import { startObjectHash, type ObjectFormat } from "./object-id.ts";

/** One object as the store gives it. */
export interface StoredObject {
  readonly type: string;
  readonly size: number;
  /** Its content, unless it is larger than was asked for. */
  readonly bytes: Buffer | undefined;
  /** Whether its bytes hash to its name: git itself does not look when it checks out a loose object. */
  readonly sound: boolean;
  readonly hasNul: boolean;
}

interface Question {
  readonly oid: string;
  readonly keepBytesMax: number;
  readonly resolve: (object: StoredObject | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Body {
  readonly type: string;
  readonly size: number;
  readonly oid: string;
  readonly hash: Hash;
  readonly chunks: Buffer[];
  left: number;
  hasNul: boolean;
}

/** Objects by id through one `cat-file --batch`, each hashed again while it is read. */
export class ObjectReader implements AsyncDisposable {
  readonly #git: GitStream;
  readonly #format: ObjectFormat;
  readonly #questions: Question[] = [];
  #header: Buffer = Buffer.alloc(0);
  #body: Body | undefined;
  #ended: unknown;

  constructor(context: GitContext, format: ObjectFormat) {
    this.#format = format;
    this.#git = startGit(context, "cat-file", ["--batch"]);
    this.#git.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    const end = (error: unknown): void => {
      this.#ended = error;
      for (const question of this.#questions.splice(0)) question.reject(error);
    };
    this.#git.done.then(() => end(new GitError("cat-file", 0, "ended before it answered")), end);
  }

  /** The object of that id, or nothing; content beyond `keepBytesMax` is hashed and dropped. */
  read(oid: string, keepBytesMax: number): Promise<StoredObject | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      this.#questions.push({ oid, keepBytesMax, resolve, reject });
      this.#git.stdin.write(`${oid}\n`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#git.stdin.end();
    if (this.#questions.length > 0) this.#git.kill();
    await this.#git.done.catch(() => undefined);
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) rest = this.#body === undefined ? this.#takeHeader(rest) : this.#takeBody(this.#body, rest);
  }

  #takeHeader(chunk: Buffer): Buffer {
    const end = chunk.indexOf(0x0a);
    this.#header = Buffer.concat([this.#header, end === -1 ? chunk : chunk.subarray(0, end)]);
    if (end === -1) return Buffer.alloc(0);
    const [oid = "", type = "", size = ""] = this.#header.toString("utf8").split(" ");
    this.#header = Buffer.alloc(0);
    if (/^\d+$/.test(size)) {
      const hash = startObjectHash(this.#format, type, Number(size));
      this.#body = { type, size: Number(size), oid, hash, chunks: [], left: Number(size), hasNul: false };
    } else {
      this.#questions.shift()?.resolve(undefined);
    }
    return chunk.subarray(end + 1);
  }

  #takeBody(body: Body, chunk: Buffer): Buffer {
    const part = chunk.subarray(0, body.left);
    if (part.length > 0) {
      body.left -= part.length;
      body.hash.update(part);
      body.hasNul ||= part.includes(0);
      if (body.size <= (this.#questions[0]?.keepBytesMax ?? 0)) body.chunks.push(part);
    }
    const rest = chunk.subarray(part.length);
    // The content is followed by one line feed of git's own.
    if (body.left > 0 || rest.length === 0) return rest;
    this.#body = undefined;
    const question = this.#questions.shift();
    const { type, size, hasNul } = body;
    const bytes = size <= (question?.keepBytesMax ?? 0) ? Buffer.concat(body.chunks) : undefined;
    question?.resolve({ type, size, hasNul, bytes, sound: body.hash.digest("hex") === question.oid });
    return rest.subarray(1);
  }
}
