import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRunRepository, type RunRepositoryOptions } from "../../src/effects/git/run-repository.ts";
import type { TreeChange } from "../../src/domain/candidate.ts";
import type { ObjectFormat } from "../../src/effects/git/object-id.ts";
import type { RunRepository, TamperSnapshot, Worktree } from "../../src/ports/git.ts";
import { quote } from "./git-run.ts";

export const PERSON_ENV: Readonly<Record<string, string>> = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/dev/null",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Person",
  GIT_AUTHOR_EMAIL: "person@example.invalid",
  GIT_AUTHOR_DATE: "2026-01-02T03:04:05Z",
  GIT_COMMITTER_NAME: "Person",
  GIT_COMMITTER_EMAIL: "person@example.invalid",
  GIT_COMMITTER_DATE: "2026-01-02T03:04:05Z",
};

/** Plain git as a person or a session runs it. */
export function git(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): string {
  const options = { cwd, env: { ...PERSON_ENV, ...env }, stdio: "pipe" as const, input };
  return execFileSync("git", [...args], options)
    .toString("utf8")
    .trim();
}

/** Several of them, started by a shell: `gitSteps` says why. */
function gitSteps(cwd: string, ...steps: readonly (readonly string[])[]): string {
  const commands = steps.map((args) => ["git", ...args].map(quote).join(" "));
  const options = { cwd, env: { ...PERSON_ENV }, stdio: "pipe" as const, input: "" };
  return execFileSync("/bin/sh", ["-ec", commands.join("\n")], options)
    .toString("utf8")
    .trim();
}

/** Content of a file, or a link, or an executable. */
export type FileContent = string | Buffer | { readonly link: string } | { readonly executable: string };

export function writeFiles(root: string, files: Readonly<Record<string, FileContent>>): void {
  for (const [path, content] of Object.entries(files)) {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    rmSync(full, { recursive: true, force: true });
    if (typeof content === "string" || Buffer.isBuffer(content)) {
      writeFileSync(full, content);
    } else if ("link" in content) {
      symlinkSync(content.link, full);
    } else {
      writeFileSync(full, content.executable);
      chmodSync(full, 0o755);
    }
  }
}

/** A user's repository with one commit, and what a run of it would use. */
export interface GitFixture extends Disposable {
  readonly folder: string;
  readonly user: string;
  readonly base: string;
  readonly options: RunRepositoryOptions & { readonly baseCommit: string };
}

export function makeFixture(
  input: { files?: Readonly<Record<string, FileContent>>; format?: ObjectFormat; name?: string } = {},
): GitFixture {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "conveyor-test-")));
  const user = join(folder, input.name ?? "user repo");
  const format = input.format ?? "sha1";
  mkdirSync(user);
  git(user, ["init", "-q", "-b", "main", `--object-format=${format}`]);
  const base = commitFiles(user, input.files ?? { "a.txt": "one\ntwo\n", "dir/b.txt": "b\n" });
  return {
    folder,
    user,
    base,
    options: {
      gitDir: join(folder, "run folder", "repo.git"),
      userGitCommonDir: join(user, ".git"),
      worktreesRoot: join(folder, "work trees"),
      objectFormat: format,
      searchPath: PERSON_ENV["PATH"] ?? "",
      baseCommit: base,
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Writes files, commits everything, ignored or not, byte by byte, and gives the commit. */
export function commitFiles(repository: string, files: Readonly<Record<string, FileContent>>): string {
  writeFiles(repository, files);
  const attributes = join(repository, ".git", "info", "attributes");
  mkdirSync(dirname(attributes), { recursive: true });
  writeFileSync(attributes, "* -text -filter -ident -working-tree-encoding\n");
  const steps = [
    ["add", "-A", "-f"],
    ["commit", "-q", "--allow-empty", "-m", "files"],
    ["rev-parse", "HEAD"],
  ];
  const commit = gitSteps(repository, ...steps);
  rmSync(attributes);
  return commit;
}

/** A run with one open worktree at the base, and a snapshot taken before a session. */
export interface Session extends GitFixture {
  readonly repository: RunRepository;
  readonly worktree: Worktree;
  readonly before: TamperSnapshot;
}

export async function startSession(input: Parameters<typeof makeFixture>[0] = {}): Promise<Session> {
  const fixture = makeFixture(input);
  const repository = await createRunRepository(fixture.options);
  const worktree = await repository.openWorktree("item-1", fixture.base);
  const before = await repository.snapshot(worktree);
  return { ...fixture, repository, worktree, before };
}

/** The candidate of a worktree, which must not be refused. */
export async function buildTree(
  repository: RunRepository,
  worktree: Worktree,
  base: string,
  excluded: readonly string[],
): Promise<{ tree: string; changes: readonly TreeChange[] }> {
  const candidate = await repository.buildCandidate(worktree, base, excluded);
  if (candidate.kind === "refused") throw new Error(candidate.detail);
  return candidate;
}
