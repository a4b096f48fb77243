import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { RunReport } from "../../src/domain/report.ts";
import { GATES_OPEN, makeFolder, SHORT_LIVED, TestRepository, type Ended, type Outcome } from "./conveyor.ts";

/** What a stub agent does in each of its sessions; the last act stands for all after it. */
export interface Behaviour {
  /** By `executor`, `audit:<lane>` or `triage`. */
  readonly acts?: Readonly<Record<string, readonly string[]>>;
  /** What a session of claude costs. */
  readonly cost?: number;
  readonly versions?: Readonly<Record<string, string>>;
}

/** One start of a stub agent. */
export interface Start {
  readonly name: string;
  readonly role: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly prompt: string;
  readonly home: string;
}

/** USD for a million tokens of codex; its stub then costs 0.00055 for a session. */
export const PRICE = "price: {input: 1.25, cached-input: 0.125, output: 10}";

/** Configuration in which claude does the work and both judge it. */
export const AGENT_CONFIG = [
  "version: 1",
  "executor: {use: claude, model: claude-stub, env: [ANTHROPIC_API_KEY]}",
  `audits: {lanes: [{name: one, use: codex, env: [OPENAI_API_KEY], ${PRICE}}, {name: two, use: claude, env: [ANTHROPIC_API_KEY]}], retries: 0}`,
];

/** A repository whose programs are agents, and stubs of both on PATH. */
export class AgentWorld {
  readonly repository: TestRepository;
  readonly bin = makeFolder("conveyor-agents-");

  constructor(config: readonly string[] = AGENT_CONFIG, behaviour: Behaviour = {}, agents = ["codex", "claude"]) {
    this.repository = new TestRepository({ config: `${config.join("\n")}\n` });
    this.behave(behaviour);
    const stub = join(import.meta.dirname, "stub-agent.mjs");
    for (const name of agents) {
      const path = join(this.bin, name);
      // Its version, which every run asks for, is told without starting anything.
      const version = `if test "$1" = --version; then read -r line < '${this.bin}/${name}.version'; echo "$line"; exit; fi`;
      const node = `'${process.execPath}' ${SHORT_LIVED.join(" ")}`;
      writeFileSync(path, `#!/bin/sh\n${version}\nexec ${node} '${stub}' ${name} '${this.bin}' "$@"\n`);
      chmodSync(path, 0o755);
    }
  }

  behave({ acts = {}, versions = {}, ...rest }: Behaviour): void {
    const all = { codex: "codex-cli 0.169.0", claude: "2.1.328 (Claude Code)", ...versions };
    writeFileSync(join(this.bin, "behaviour.json"), JSON.stringify({ acts, ...rest }));
    for (const [name, version] of Object.entries(all)) writeFileSync(join(this.bin, `${name}.version`), `${version}\n`);
  }

  /** What was started since the world was made, or since `forget`. */
  starts(): Start[] {
    const path = join(this.bin, "starts.jsonl");
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Start]));
  }

  forget(): void {
    rmSync(join(this.bin, "starts.jsonl"), { force: true });
  }

  env(): Record<string, string> {
    return {
      PATH: `${this.bin}${delimiter}${process.env["PATH"] ?? ""}`,
      OPENAI_API_KEY: "dummy-one",
      ANTHROPIC_API_KEY: "dummy-two",
    };
  }

  run(...args: string[]): Promise<AgentEnded> {
    return this.repository.run([...GATES_OPEN, ...args], { env: this.env() }) as Promise<AgentEnded>;
  }

  resume(...args: string[]): Promise<AgentEnded> {
    return this.repository.resume([...GATES_OPEN, ...args], { env: this.env() }) as Promise<AgentEnded>;
  }

  conveyor(...args: string[]): Promise<Ended> {
    return this.repository.conveyor(args, { env: this.env() });
  }

  report(): RunReport {
    return this.repository.report() as unknown as RunReport;
  }
}

/** What a run with agents prints besides. */
export type AgentEnded = Ended & {
  readonly outcome: Outcome & {
    readonly cost_usd: number | null;
    readonly known_cost_usd: number;
    readonly tokens_in: number | null;
    readonly tokens_out: number | null;
  };
};
