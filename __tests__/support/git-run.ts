import { execFileSync } from "node:child_process";

/** Runs git as a person with a name and no other configuration would. */
export function git(cwd: string, ...args: string[]): string {
  return run(cwd, "git", args);
}

/**
 * Several calls of git, one after the other until one fails, and what they print together. A shell starts them, because
 * starting a program takes longer the larger the process is that starts it, and the one that runs tests is large.
 */
export function gitSteps(cwd: string, ...steps: readonly (readonly string[])[]): string {
  const commands = steps.map((args) => ["git", ...args].map(quote).join(" "));
  return run(cwd, "/bin/sh", ["-ec", commands.join("\n")]);
}

/** A word as the shell reads it back. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function run(cwd: string, file: string, args: readonly string[]): string {
  return execFileSync(file, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: "/dev/null",
      LC_ALL: "C",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "Test",
      GIT_AUTHOR_EMAIL: "test@noreply.invalid",
      GIT_COMMITTER_NAME: "Test",
      GIT_COMMITTER_EMAIL: "test@noreply.invalid",
    },
  }).trim();
}
