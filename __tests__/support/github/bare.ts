import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../conveyor.ts";

export interface BareCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly authorName: string;
  readonly authorEmail: string;
  readonly authorDate: string;
  readonly committerName: string;
  readonly committerEmail: string;
  readonly committerDate: string;
}

/** The git repository behind the emulated GitHub: a real bare one, so that what it says of commits is true. */
export class Bare {
  readonly path: string;
  private readonly known = new Map<string, unknown>();

  /** A copy of a repository with all its branches, or an empty one. */
  constructor(from?: string) {
    this.path = `${makeFolder("conveyor-github-")}/repository.git`;
    if (from === undefined) run(undefined, "init", "--quiet", "--bare", "--initial-branch=main", this.path);
    else run(undefined, "clone", "--quiet", "--bare", "--no-hardlinks", from, this.path);
    // Pull requests of branches that are gone still have their commits.
    appendFileSync(join(this.path, "config"), "[http]\nreceivepack = true\n[uploadpack]\nallowAnySHA1InWant = true\n");
  }

  git(...args: string[]): string {
    return run(this.path, ...args).trim();
  }

  /** The commit a branch names, or nothing; without a process, for it is asked all the time. */
  tip(branch: string): string | undefined {
    const loose = readIfAny(join(this.path, "refs/heads", branch)).trim();
    if (loose !== "") return loose;
    const packed = readIfAny(join(this.path, "packed-refs")).split("\n");
    return packed.find((line) => line.endsWith(` refs/heads/${branch}`))?.split(" ")[0];
  }

  /** The commit that a branch or a number names, as the API resolves them. */
  resolve(ref: string): string | undefined {
    return this.tip(ref) ?? this.once(`resolve ${ref}`, () => this.tryGit("rev-parse", "--verify", `${ref}^{commit}`));
  }

  private tryGit(...args: string[]): string | undefined {
    try {
      return this.git(...args);
    } catch {
      return undefined;
    }
  }

  /** What follows from names of objects alone never changes; what is not there may still come. */
  private once<T>(key: string, find: () => T | undefined): T | undefined {
    const known = this.known.get(key) as T | undefined;
    if (known !== undefined) return known;
    const value = find();
    if (value !== undefined) this.known.set(key, value);
    return value;
  }

  branches(): Map<string, string> {
    const lines = this.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").split("\n");
    return new Map(lines.filter((line) => line !== "").map((line) => line.split(" ") as [string, string]));
  }

  readCommit(sha: string): BareCommit {
    const commit = this.once(`commit ${sha}`, () => this.parseCommit(sha));
    if (commit === undefined) throw new Error(`there is no commit ${sha}`);
    return commit;
  }

  private parseCommit(sha: string): BareCommit {
    const format = ["%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"].join("%x00");
    const [tree = "", parents = "", an = "", ae = "", ad = "", cn = "", ce = "", cd = "", message = ""] = this.git(
      "show",
      "--no-patch",
      `--format=${format}`,
      sha,
    ).split("\0");
    return {
      tree,
      parents: parents.split(" ").filter((parent) => parent !== ""),
      message: message.trimEnd(),
      authorName: an,
      authorEmail: ae,
      authorDate: ad,
      committerName: cn,
      committerEmail: ce,
      committerDate: cd,
    };
  }

  /** Commits of `head` that `base` lacks, oldest first. */
  commitsBetween(base: string, head: string): string[] {
    return (
      this.once(`between ${base} ${head}`, () => lines(this.git("rev-list", "--reverse", `${base}..${head}`))) ?? []
    );
  }

  commitsOf(from: string, path: string | undefined): string[] {
    const limit = path === undefined ? [] : ["--", path];
    return this.once(`commits ${from} ${path ?? ""}`, () => lines(this.git("rev-list", from, ...limit))) ?? [];
  }

  mergeBase(one: string, other: string): string | undefined {
    return this.once(`base ${one} ${other}`, () => this.tryGit("merge-base", one, other));
  }

  isAncestor(one: string, of: string): boolean {
    return this.mergeBase(one, of) === one;
  }

  /** Object id and bytes of a file at a commit. */
  readFile(commit: string, path: string): { readonly sha: string; readonly bytes: Buffer } | undefined {
    return this.once(`file ${commit} ${path}`, () => {
      try {
        const bytes = this.readBlob(`${commit}:${path}`);
        const sha = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
        return { sha, bytes };
      } catch {
        return undefined;
      }
    });
  }

  readBlob(sha: string): Buffer {
    const stdio: ("ignore" | "pipe")[] = ["ignore", "pipe", "ignore"];
    return execFileSync("git", ["--git-dir", this.path, "cat-file", "blob", sha], {
      maxBuffer: 2 ** 30,
      env: ENV,
      stdio,
    });
  }

  listChanges(from: string, to: string): { readonly status: string; readonly path: string }[] {
    return lines(this.git("diff-tree", "-r", "--no-renames", "--name-status", from, to)).map((line) => {
      const [status = "", path = ""] = line.split("\t");
      return { status, path };
    });
  }

  setBranch(branch: string, commit: string | undefined): void {
    if (commit === undefined) this.git("update-ref", "-d", `refs/heads/${branch}`);
    else this.git("update-ref", `refs/heads/${branch}`, commit);
  }

  /** Takes a commit and all it stands on from another repository. */
  fetch(from: string, commit: string): void {
    this.git("fetch", "--quiet", "--no-tags", from, commit);
  }

  /** A merge commit of two branches, as the button makes it. */
  merge(base: string, head: string, message: string): string {
    const tree = this.git("merge-tree", "--write-tree", base, head).split("\n")[0] ?? "";
    return this.git("commit-tree", tree, "-p", base, "-p", head, "-m", message);
  }
}

const ENV = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/dev/null",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "GitHub",
  GIT_AUTHOR_EMAIL: "noreply@github.invalid",
  GIT_COMMITTER_NAME: "GitHub",
  GIT_COMMITTER_EMAIL: "noreply@github.invalid",
};

function run(gitDir: string | undefined, ...args: string[]): string {
  const place = gitDir === undefined ? [] : ["--git-dir", gitDir];
  return execFileSync("git", [...place, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env: ENV });
}

function readIfAny(path: string): string {
  return existsSync(path) && statSync(path).isFile() ? readFileSync(path, "utf8") : "";
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
