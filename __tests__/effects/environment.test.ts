import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isForbiddenEnvName } from "../../src/domain/env-names.ts";
import { buildProgramEnv, type ProgramEnvRequest } from "../../src/effects/environment.ts";

function build(changes: Partial<ProgramEnvRequest>) {
  return buildProgramEnv({
    orchestratorEnv: { PATH: "/usr/bin:/bin" },
    passNames: [],
    home: "/attempt/home",
    tmpdir: "/attempt/tmp",
    forbiddenPathRoots: [],
    extra: {},
    ...changes,
  });
}

const own = {
  PATH: "/usr/bin:/bin",
  TERM: "dumb",
  CI: "true",
  HOME: "/attempt/home",
  TMPDIR: "/attempt/tmp",
  XDG_CONFIG_HOME: "/attempt/home/.config",
  XDG_CACHE_HOME: "/attempt/home/.cache",
  XDG_DATA_HOME: "/attempt/home/.local/share",
  XDG_STATE_HOME: "/attempt/home/.local/state",
};

describe("the environment of a program", () => {
  test("is the attempt's own, whatever the orchestrator has", async () => {
    const orchestratorEnv = { PATH: "/usr/bin:/bin", HOME: "/root", TERM: "xterm", SECRET: "s", GITHUB_TOKEN: "t" };
    expect(await build({ orchestratorEnv })).toEqual({ env: own, refused: [] });
  });

  test("hands on language, the runner's tracking id and what configuration lists", async () => {
    const orchestratorEnv = {
      PATH: "/usr/bin:/bin",
      LANG: "de_AT.UTF-8",
      LC_ALL: "C.UTF-8",
      RUNNER_TRACKING_ID: "github_1",
      JAVA_HOME: "/opt/java",
      OTHER: "x",
    };
    const { env } = await build({ orchestratorEnv, passNames: ["JAVA_HOME", "NOT_THERE", "toString"] });
    const { PATH: _, OTHER: __, ...handedOn } = orchestratorEnv;
    expect(env).toEqual({ ...own, ...handedOn });
  });

  test("refuses listed names that carry credentials or load code, and says which", async () => {
    const passNames = ["GITHUB_TOKEN", "OK", "NODE_OPTIONS", "LD_PRELOAD", "NODE_OPTIONS"];
    const orchestratorEnv = Object.fromEntries([...passNames, "PATH"].map((name) => [name, "/x"]));
    const built = await build({ orchestratorEnv, passNames });
    expect(built).toEqual({
      env: { ...own, PATH: "/x", OK: "/x" },
      refused: ["GITHUB_TOKEN", "NODE_OPTIONS", "LD_PRELOAD"],
    });
  });

  test("a listed name does not replace what the orchestrator sets, what it says to the program does", async () => {
    const orchestratorEnv = { PATH: "/usr/bin:relative:/bin", HOME: "/root", CI: "false" };
    const extra = { ORCH_RESULT_PATH: "/r" };
    expect(await build({ orchestratorEnv, passNames: ["PATH", "HOME", "CI"], extra })).toEqual({
      env: { ...own, ORCH_RESULT_PATH: "/r" },
      refused: [],
    });
  });

  test("PATH has no relative, empty or reachable entries, by real path", async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "conveyor-env-")));
    const inside = (path: string) => join(folder, path);
    await mkdir(inside("checkout/node_modules/.bin"), { recursive: true });
    await mkdir(inside("checkout-tools"));
    await symlink(inside("checkout/node_modules"), inside("alias"));
    await symlink(inside("checkout"), inside("other-name"));
    await symlink(inside("checkout-tools"), inside("checkout/leads-out"));
    const entries = [
      "",
      "bin",
      "./bin",
      "~/bin",
      inside("checkout"),
      inside("checkout/node_modules/.bin"),
      inside("checkout/not/yet/there"),
      inside("checkout-tools/../checkout/bin"),
      inside("checkout/leads-out"),
      inside("alias/.bin"),
      inside("alias/not-yet"),
      inside("checkout-tools"),
      "/usr/bin",
    ];
    for (const root of ["checkout", "checkout/../checkout/"]) {
      const { env } = await build({
        orchestratorEnv: { PATH: entries.join(":") },
        forbiddenPathRoots: ["/elsewhere", inside(root)],
      });
      expect(env["PATH"]).toBe(`${inside("checkout-tools")}:/usr/bin`);
    }
    const linked = { orchestratorEnv: { PATH: entries.join(":") }, forbiddenPathRoots: [inside("other-name")] };
    expect((await build(linked)).env["PATH"]).not.toContain("node_modules");
    await rm(folder, { recursive: true });
  });

  test("PATH is never empty, which would mean the current folder", async () => {
    for (const PATH of [undefined, "", ":", "bin"]) {
      expect((await build({ orchestratorEnv: { PATH } })).env["PATH"]).toBe("/usr/bin:/bin");
    }
  });
});

test.each([
  ["GITHUB_TOKEN", true],
  ["GITHUB_APP_TOKEN", true],
  ["github_token", true],
  ["GH_TOKEN", true],
  ["ACTIONS_RUNTIME_TOKEN", true],
  ["INPUT_PLAN", true],
  ["NODE_OPTIONS", true],
  ["LD_PRELOAD", true],
  ["DYLD_INSERT_LIBRARIES", true],
  ["GIT_DIR", true],
  ["BASH_ENV", true],
  ["ENV", true],
  ["BASH_FUNC_ls%%", true],
  ["ORCH_RESULT_PATH", true],
  ["CONVEYOR_PROCESS_MARKER", true],
  ["", true],
  ["A=B", true],
  ["GITHUB_REPOSITORY", false],
  ["JAVA_HOME", false],
  ["ENVIRONMENT", false],
  ["NODE_ENV", false],
  ["OPENAI_API_KEY", false],
])("%s is forbidden: %s", (name, forbidden) => {
  expect(isForbiddenEnvName(name)).toBe(forbidden);
});
