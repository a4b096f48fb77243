import type { AgentSettings } from "../domain/agent-config.ts";
import type { Config } from "../domain/config.ts";
import { canonicalJson, sha256 } from "../domain/digest.ts";
import type { JournalEvent, StageExecution } from "../domain/journal.ts";
import type { ProcessEnding } from "../domain/process-report.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import type { Agents } from "../ports/programs.ts";
import { at, type Mismatch } from "./mismatch.ts";
import { agentSettings, readAgent } from "./perform/agent-program.ts";

/** A session of an agent as the journal has it, and the folder with what it left. */
interface Session {
  readonly execution: StageExecution;
  readonly settings: AgentSettings | undefined;
  readonly lane: string;
  readonly ending: ProcessEnding;
  readonly folder: string;
}

/**
 * Reads again what every agent said, from the output that was kept of it: its answer, its tokens, its cost and its
 * failure. A lane that the configuration gives to an agent has no other program, and the other way round.
 */
export async function judgeAgents(
  run: SavedRun,
  ports: { readonly agents: Agents; read(path: string): Promise<Uint8Array | undefined> },
): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const event of run.journal.events) {
    for (const session of listSessions(event, run)) {
      const { execution, settings, lane, ending, folder } = session;
      const { agent } = execution;
      const isExpected = settings !== undefined && ending.kind !== "spawn_failed";
      if (!isExpected || agent === null) {
        if (isExpected !== (agent !== null)) {
          mismatches.push(at(`run-events.jsonl:${event.seq}`, `${lane} was not what the configuration names for it`));
        }
        continue;
      }
      const stdout = await ports.read(`${folder}/stdout.log`);
      const said = readAgent(ports.agents, { settings, lane, ending, stdout });
      const answer = await ports.read(`${folder}/result.json`);
      if (canonicalJson(said.facts) !== canonicalJson(agent) || digest(said.answer) !== digest(answer)) {
        mismatches.push(at(`${folder}/stdout.log`, "does not say what the journal says of the agent"));
      }
    }
  }
  return mismatches;
}

function listSessions(event: JournalEvent, { state, config }: SavedRun): Session[] {
  switch (event.type) {
    case "session_finished": {
      const { execution, ending, files } = event.details;
      const settings = state.created.executor.use === "command" ? undefined : agentSettings(config.executor);
      return [{ execution, settings, lane: "executor", ending, folder: folderOf(files, "") }];
    }
    case "audit_finished": {
      const { lanes, executions, files } = event.details;
      const started = executions.filter(({ purpose }) => purpose === "auditor");
      return lanes.flatMap(({ lane, ending }, index) => {
        const execution = started[index];
        const settings = laneSettings(config, lane);
        const folder = folderOf(files, `/${lane}`);
        return execution === undefined ? [] : [{ execution, settings, lane: `audit:${lane}`, ending, folder }];
      });
    }
    case "triage_finished": {
      const { execution, ending, files } = event.details;
      const settings = agentSettings(config.triage);
      return [{ execution, settings, lane: "triage", ending, folder: folderOf(files, "") }];
    }
    default:
      return [];
  }
}

function laneSettings({ audits }: Config, lane: string): AgentSettings | undefined {
  return agentSettings(audits.lanes.find(({ name }) => name === lane));
}

/** The folder of the output that an event names. */
function folderOf(files: readonly { readonly path: string }[], end: string): string {
  const name = `${end}/stdout.log`;
  return files.find(({ path }) => path.endsWith(name))?.path.slice(0, -"/stdout.log".length) ?? "";
}

function digest(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : sha256(bytes);
}
