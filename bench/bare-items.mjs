// The work that any implementation must do for each item, and nothing else: the same git processes, the same programs.
// node bare-items.mjs REPOSITORY FOLDER ITEM…
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [repository, folder, ...items] = process.argv.slice(2);
const gitDir = join(folder, "repo.git");
const DURABLE = ["-c", "core.fsync=objects,reference", "-c", "core.fsyncMethod=batch"];
const WORDS = ["--noprofile", "--norc", "-euo", "pipefail", "-c"];
const DIFF = ["-r", "-z", "--raw", "-p", "--full-index", "--binary", "--text", "--no-ext-diff", "--no-renames"];

const run = (file, args, cwd, env = {}, input = "") =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env: { PATH: process.env.PATH, ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const chunks = [];
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(Buffer.concat(chunks)) : reject(new Error(`${file} ${args.join(" ")}: ${code}`)),
    );
  });

const git = (args, { workTree, index, input } = {}) => {
  const env = {
    ...(index === undefined ? {} : { GIT_INDEX_FILE: index }),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "b",
    GIT_AUTHOR_EMAIL: "b@example.invalid",
    GIT_COMMITTER_NAME: "b",
    GIT_COMMITTER_EMAIL: "b@example.invalid",
  };
  const place = [`--git-dir=${gitDir}`, ...(workTree === undefined ? [] : [`--work-tree=${workTree}`])];
  return run("git", [...place, ...DURABLE, ...args], workTree ?? gitDir, env, input);
};

const checkOut = async (name, commit) => {
  const workTree = join(folder, name);
  mkdirSync(workTree, { recursive: true });
  await git(["read-tree", "-m", "-u", commit], { workTree, index: join(folder, `${name}.index`) });
  return workTree;
};

mkdirSync(gitDir, { recursive: true });
await run("git", ["init", "--quiet", "--bare", gitDir], folder);
writeFileSync(join(gitDir, "objects/info/alternates"), `${repository}/.git/objects\n`);
let tip = (await run("git", ["rev-parse", "HEAD"], repository)).toString().trim();
await git(["update-ref", "refs/heads/run", tip]);

for (const item of items) {
  const work = await checkOut(`${item}-work`, tip);
  await run("/bin/sh", ["tools/executor.sh"], work, { ORCH_ITEM_ID: item });
  const index = join(folder, `${item}-candidate.index`);
  await git(["read-tree", tip], { workTree: work, index });
  await git(["add", "-A", "--", "."], { workTree: work, index });
  const tree = (await git(["write-tree"], { workTree: work, index })).toString().trim();
  const [, commit] = await Promise.all([
    git(["diff-tree", ...DIFF, tip, tree]),
    git(["commit-tree", tree, "-p", tip, "-F", "-"], { input: `Item ${item}\n` }),
  ]);
  const next = commit.toString().trim();
  const verified = await checkOut(`${item}-verify`, next);
  await run("bash", [...WORDS, `test -s out/${item}.txt`], verified);
  const audited = await checkOut(`${item}-audit`, next);
  await Promise.all(
    ["careful", "quick"].map((lane) =>
      run("/bin/sh", ["tools/audit.sh"], audited, {
        ORCH_LANE: lane,
        ORCH_ITEM_ID: item,
        ORCH_ATTEMPT: "1",
        ORCH_RESULT_PATH: join(folder, `${item}-${lane}.json`),
      }),
    ),
  );
  await git(["update-ref", "refs/heads/run", next, tip]);
  tip = next;
}
