import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";
import { median } from "./measure.ts";
import { fetchPublished } from "./published-actions.ts";
import { ACTION, type Ground, makeWorld, NODE, PLAN, writeFiles } from "./world.ts";

const HOOK = fileURLToPath(new URL("../__tests__/support/note-loads.mjs", import.meta.url));
const ROUNDS = 11;
/** Nobody's first line takes so long: what says nothing by then is ended. */
const SILENT_MS = 60_000;

/** Something that a runner could start, up to the first line that it says. */
interface Start {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The start of the Action up to its first line, and what it has loaded by then, beside a Node that says one word and
 * beside other published actions: without inputs, and as far as a run reads and checks before it begins. They
 * are started in turn and ended at their first line.
 */
export async function benchAction(ground: Ground): Promise<Figure[]> {
  const env = runnerEnv(ground);
  const bare = { args: ["--eval", "process.stdout.write('here\\n')"], cwd: ground.make("bare"), env };
  const empty = { args: [ACTION], cwd: ground.make("no-inputs"), env };
  const dryRun = {
    args: [ACTION],
    cwd: makeWorld(ground, { items: 1, files: 50 }).path,
    env: { ...env, INPUT_PLAN: PLAN, "INPUT_DRY-RUN": "true" },
  };
  const published = fetchPublished(ground).map(({ label, main }) => ({
    label,
    start: { args: [main], cwd: ground.make("theirs"), env },
  }));
  const starts: readonly Start[] = [bare, empty, dryRun, ...published.map(({ start }) => start)];
  const waits = starts.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [index, start] of starts.entries()) waits[index]?.push(await waitForLine(start));
  const loads: number[] = [];
  for (const start of starts) loads.push(await weighLoads(ground, start));

  const middle = waits.map(median);
  const rows = [
    { beside: "bare Node", index: 0 },
    ...published.map(({ label }, index) => ({ beside: label, index: index + 3 })),
  ];
  const figures: Figure[] = [];
  const aim = { aim: undefined, aimBare: undefined };
  for (const [what, index] of [
    ["without inputs", 1],
    ["dry run", 2],
  ] as const) {
    for (const row of rows) {
      const name = `action, ${what}, beside ${row.beside}`;
      figures.push({ name, unit: "ms", bare: middle[row.index], product: middle[index] ?? 0, ...aim });
      if (row.index === 0) continue;
      figures.push({
        name: `${name}, loaded`,
        unit: "KiB",
        bare: loads[row.index],
        product: loads[index] ?? 0,
        ...aim,
      });
    }
  }
  return figures;
}

/** What a runner says of itself to an action that is given no inputs; nothing leaves the machine. */
function runnerEnv(ground: Ground): Record<string, string> {
  const folder = ground.make("runner");
  const command = (name: string): string => join(folder, name);
  writeFiles(folder, {
    "event.json": JSON.stringify({
      repository: { id: 1, full_name: "octo-org/hello", default_branch: "main", fork: false },
      sender: { id: 2, login: "octocat", type: "User" },
    }),
    output: "",
    env: "",
    path: "",
    state: "",
    summary: "",
  });
  return {
    // What this machine says to git would be refused at our door.
    GIT_CONFIG_NOSYSTEM: "1",
    // Git alone: nothing else that an action would start is there.
    PATH: "/usr/bin:/bin",
    HOME: ground.make("home"),
    TMPDIR: ground.make("tmp"),
    RUNNER_TEMP: ground.make("temp"),
    RUNNER_TOOL_CACHE: ground.make("tools"),
    RUNNER_OS: "Linux",
    RUNNER_ENVIRONMENT: "github-hosted",
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_WORKSPACE: ground.make("workspace"),
    GITHUB_REPOSITORY: "octo-org/hello",
    GITHUB_SHA: "0".repeat(40),
    GITHUB_REF: "refs/heads/main",
    GITHUB_RUN_ID: "1",
    GITHUB_ACTOR: "octocat",
    GITHUB_EVENT_NAME: "workflow_dispatch",
    GITHUB_EVENT_PATH: command("event.json"),
    GITHUB_OUTPUT: command("output"),
    GITHUB_ENV: command("env"),
    GITHUB_PATH: command("path"),
    GITHUB_STATE: command("state"),
    GITHUB_STEP_SUMMARY: command("summary"),
    GITHUB_API_URL: "http://127.0.0.1:9",
    GITHUB_GRAPHQL_URL: "http://127.0.0.1:9",
    GITHUB_SERVER_URL: "http://127.0.0.1:9",
    npm_config_offline: "true",
  };
}

/** Milliseconds until it says its first line; then it is ended, and all that it started. */
async function waitForLine({ args, cwd, env }: Start): Promise<number> {
  const start = performance.now();
  const child = spawn(NODE, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const closed = new Promise((resolve) => child.once("close", resolve));
  const said = new Promise<boolean>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) stream.on("data", () => resolve(true));
    const timer = setTimeout(() => resolve(false), SILENT_MS);
    void closed.then(() => {
      clearTimeout(timer);
      resolve(false);
    });
  });
  const hasSaid = await said;
  const waited = performance.now() - start;
  if (child.exitCode === null && child.pid !== undefined) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
  await closed;
  if (!hasSaid) throw new Error(`node ${args.join(" ")} said nothing`);
  return waited;
}

/** KiB of the files that Node loads as modules until the first line. */
async function weighLoads(ground: Ground, start: Start): Promise<number> {
  const file = join(ground.make("loads"), "loads");
  writeFiles(join(file, ".."), { loads: "" });
  await waitForLine({
    ...start,
    args: ["--import", HOOK, ...start.args],
    env: { ...start.env, CONVEYOR_LOADS: file },
  });
  const paths = readFileSync(file, "utf8")
    .split("\n")
    .filter((url) => url !== "")
    .map((url) => fileURLToPath(url))
    .filter((path) => path !== HOOK);
  return [...new Set(paths)].reduce((sum, path) => sum + statSync(path).size, 0) / 1024;
}
