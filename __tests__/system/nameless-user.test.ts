import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CLI, startProcess, TestRepository } from "../support/conveyor.ts";

test("a user without HOME and without a name is no crash", async () => {
  expect(process.getuid?.(), "only root can become somebody whom nobody knows").toBe(0);
  const repository = new TestRepository();
  const temporary = join(repository.base, "tmp");
  mkdirSync(temporary);
  chmodSync(repository.base, 0o755);
  chmodSync(temporary, 0o777);
  const script = `process.setgroups([]); process.setgid(4321); process.setuid(4321); await import(${JSON.stringify(CLI)})`;
  const env: Record<string, string> = {
    ...repository.env({
      XDG_CACHE_HOME: "",
      TMPDIR: temporary,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
    }),
  };
  delete env["HOME"];
  const ended = await startProcess(process.execPath, ["--input-type=module", "-e", script, CLI, "status"], {
    cwd: repository.path,
    env,
  }).ended;
  expect(ended.stderr).toContain("there is no run here yet");
  expect(ended.code).toBe(2);
});
