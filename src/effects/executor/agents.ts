import type { AgentName } from "../../domain/agent-config.ts";
import type { Agents } from "../../ports.ts";
import { buildClaude, CLAUDE_MIN, readClaude } from "./claude.ts";
import { buildCodex, CODEX_MIN, readCodex } from "./codex.ts";

/** The coding agents by the name that configuration gives them. */
export const agents: Agents = {
  buildInvocation: (call) => (call.settings.use === "codex" ? buildCodex(call) : buildClaude(call)),
  readAnswer: (agent, ending, stdout, price) =>
    agent === "codex" ? readCodex(ending, stdout, price) : readClaude(ending, stdout),
};

/** What doctor has to know of each: its oldest proven version, and how it comes onto a machine. */
export const AGENT_PACKAGES: Readonly<Record<AgentName, { readonly min: string; readonly install: string }>> = {
  codex: { min: CODEX_MIN, install: `npm install --global @openai/codex@${CODEX_MIN}` },
  claude: { min: CLAUDE_MIN, install: `npm install --global @anthropic-ai/claude-code@${CLAUDE_MIN}` },
};
