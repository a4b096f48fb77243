import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { gatherView } from "../../src/effects/sandbox/view.ts";

// In the folder that a sandbox shows with its own content, whatever TMPDIR says.
const top = realpathSync(mkdtempSync("/tmp/conveyor-view-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

const folder = (...parts: string[]): string => {
  const path = join(top, ...parts);
  mkdirSync(path, { recursive: true });
  return path;
};
const file = (path: string): string => {
  writeFileSync(path, "");
  return path;
};

const runner = folder("runner");
const work = folder("runner", "_work");
const places = {
  root: folder("runner", "_work", "own", "own"),
  runFolder: folder("run"),
  cache: folder("cache"),
  gitDir: folder("cache", "repo.git"),
  userGitCommonDir: folder("runner", "_work", "own", "own", ".git"),
  orchestratorEnv: {
    RUNNER_TEMP: folder("runner", "_work", "_temp"),
    RUNNER_TOOL_CACHE: folder("runner", "_work", "_tool"),
  },
};
const checkout = folder("cache", "checkout");

const view = (
  command: readonly [string, ...string[]],
  orchestratorEnv: typeof places.orchestratorEnv = places.orchestratorEnv,
) =>
  gatherView(
    { ...places, orchestratorEnv },
    {
      cwd: checkout,
      env: {},
      command,
      confinement: {
        tier: 3,
        writable: [],
        readable: [checkout],
        network: [],
        keys: [],
        fileBytesMax: 1,
        processesMax: 1,
      },
    },
    { file: "/usr/bin/true", own: [], toolFolders: () => [] },
  );

describe("a program in tier 3", () => {
  test("is not led by a link in the checkout that it reads to what the link names", () => {
    const link = join(checkout, "link");
    symlinkSync(folder("secrets"), link);
    const { readable } = view(["/usr/bin/true", link, folder("secrets")]);
    expect(readable.filter(({ source }) => source.startsWith(`${checkout}/`))).toEqual([]);
    // What a command names by itself it finds.
    expect(readable.map(({ source }) => source)).toContain(join(top, "secrets"));
  });

  test("sees nothing of a runner but its tools", () => {
    const hidden = (): readonly string[] => view(["/usr/bin/true"]).hidden;
    expect(hidden()).toContain(work);
    file(join(runner, ".runner"));
    expect(hidden()).toContain(runner);
    expect(hidden()).not.toContain(work);
    const { readable } = view(["/usr/bin/true"]);
    expect(readable.map(({ source }) => source)).toContain(places.orchestratorEnv.RUNNER_TOOL_CACHE);
  });
});
