import type { AgentName } from "../../domain/agent-config.ts";
import type { Agents } from "../../ports/programs.ts";
import { buildClaude, CLAUDE_MIN, countClaude, describeClaude, readClaude } from "./claude.ts";
import { buildCodex, CODEX_MIN, countCodex, describeCodex, readCodex } from "./codex.ts";
import { readObjects, tell } from "./output.ts";

/** The coding agents by the name that configuration gives them. */
export const agents: Agents = {
  buildInvocation: (call) => (call.settings.use === "codex" ? buildCodex(call) : buildClaude(call)),
  describeLine: (agent, line) => {
    const [object] = readObjects(new TextEncoder().encode(line));
    if (object === undefined) {
      // A line that is too long to be shown is cut, and is then no object any more.
      const text = line.startsWith("{") ? "" : tell(line);
      return text === "" ? undefined : text;
    }
    return agent === "codex" ? describeCodex(object) : describeClaude(object);
  },
  countTokens: (agent, line) => {
    const [object] = readObjects(new TextEncoder().encode(line));
    if (object === undefined) return undefined;
    return agent === "codex" ? countCodex(object) : countClaude(object);
  },
  readAnswer: (agent, ending, stdout, price) =>
    agent === "codex" ? readCodex(ending, stdout, price) : readClaude(ending, stdout),
};

/** What doctor has to know of each: its oldest proven version, and how it comes onto a machine. */
export const AGENT_PACKAGES: Readonly<Record<AgentName, { readonly min: string; readonly install: string }>> = {
  codex: { min: CODEX_MIN, install: `npm install --global @openai/codex@${CODEX_MIN}` },
  claude: { min: CLAUDE_MIN, install: `npm install --global @anthropic-ai/claude-code@${CLAUDE_MIN}` },
};
