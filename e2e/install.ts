import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The agents and the versions that are proven; the same that doctor asks for. */
export const PACKAGES = { codex: "@openai/codex@0.169.0", claude: "@anthropic-ai/claude-code@2.1.328" } as const;

const INSTALL_MS = 300_000;
const VERSION_MS = 30_000;

/** Installs both agents into a folder outside of the project, with the ordinary client, and gives their bin folder. */
export function installAgents(folder: string): string {
  const bin = join(folder, "node_modules", ".bin");
  if (!existsSync(join(bin, "codex")) || !existsSync(join(bin, "claude"))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"private": true}\n');
    run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", ...Object.values(PACKAGES)], folder);
    // Clients that run no install scripts leave a stand-in, which this replaces by the program.
    run(process.execPath, ["install.cjs"], join(folder, "node_modules", "@anthropic-ai", "claude-code"));
  }
  return bin;
}

/** What an installed agent says that it is. */
export function readVersion(bin: string, name: keyof typeof PACKAGES, home: string): string {
  const { stdout } = spawnSync(join(bin, name), ["--version"], {
    env: { PATH: process.env["PATH"] ?? "", HOME: home },
    encoding: "utf8",
    timeout: VERSION_MS,
  });
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? "unknown";
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", timeout: INSTALL_MS });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr}`);
}
