import { LEFT_OUT_FILE, REPORT_HTML } from "../domain/artifact-names.ts";
import { buildCheckpoint, judgeCheckpoint } from "../domain/checkpoint.ts";
import { canonicalJson, sha256 } from "../domain/digest.ts";
import { parsePayload } from "../domain/executor-outcome.ts";
import type { FileDigest } from "../domain/journal.ts";
import { mayBranchBe } from "../domain/handed-objects.ts";
import { rulesOf } from "../domain/item-rules.ts";
import { defaultConfig, parseConfig, policyDigest, type Config } from "../domain/config.ts";
import { parsePlan } from "../domain/parse-plan.ts";
import { replayDecisions } from "../domain/replay.ts";
import { listPageFiles } from "../domain/report-page.ts";
import { buildSavedReport } from "../domain/saved-report.ts";
import { PLAN_FILE, POLICY_FILE, type SavedRun } from "../domain/saved-run.ts";
import { judgeRecordedCommands } from "../domain/recorded-commands.ts";
import { surroundingsOf } from "../domain/validation-commands.ts";
import type { RunFiles } from "../ports.ts";
import type { RunRepository } from "../ports/git.ts";
import type { Agents } from "../ports/programs.ts";
import { judgeAgents } from "./verify-agents.ts";
import { judgeAudits } from "./verify-audits.ts";
import { judgeGithub } from "./verify-github.ts";
import { judgeClosing } from "./verify-closing.ts";
import { judgeArtifacts, isCommitOf, judgeCandidates, judgeSurfaces } from "./verify-candidates.ts";
import { at, eventsOf, type Mismatch } from "./mismatch.ts";
import { readLeftOut } from "./named-files.ts";
import { buildReportFiles, isReportFile } from "./report-files.ts";

/** What verification of a run came to. */
export interface VerifiedRun {
  readonly mismatches: readonly Mismatch[];
  /** Things to know that are no mismatch, for example that the run was cut short and not resumed. */
  readonly notes: readonly string[];
  /** Files that a packed run came without, as it says itself: logs, of which nothing can be said. */
  readonly leftOut: readonly string[];
  readonly eventsChecked: number;
  readonly filesChecked: number;
  readonly commitsChecked: number;
}

/** The run folder and repository, to read alone. */
export interface VerifyPorts {
  readonly repository: RunRepository;
  readonly agents: Agents;
  readonly configPath: string;
  readonly checkpoint: string | undefined;
  /** Paths of all files of the run folder that an event should name. */
  readonly files: readonly string[];
  digest(path: string): Promise<FileDigest | undefined>;
  read(path: string): Promise<Uint8Array | undefined>;
  readonly readEnds: RunFiles["readEnds"];
}

/**
 * Re-derives every state and decision of a run from its journal, files and commits, offline. Empty mismatches mean
 * that nothing was made up and nothing was changed since.
 */
export async function verifyRun(run: SavedRun, ports: VerifyPorts): Promise<VerifiedRun> {
  const { state, journal } = run;
  const sealed = state.sealed;
  const torn =
    journal.tornBytes === 0 ? [] : [`run-events.jsonl: ${journal.tornBytes} bytes of a torn last line follow`];
  const unsealed = sealed ? [] : ["the run is not sealed: it is running, or was cut short and not resumed", ...torn];
  const listed = await readLeftOut(state, ports);
  const leftOut = listed.ok ? [...listed.value.keys()] : [];
  const without = leftOut.length === 0 ? [] : [`${LEFT_OUT_FILE}: came without ${leftOut.length} logs for its size`];
  const forged = await judgeObjects(ports);
  const fileFaults = await judgeFiles(run, ports, new Set(leftOut));
  const mismatches = [
    ...judgeTail(run),
    ...judgeSavedCheckpoint(run, ports.checkpoint),
    ...replayDecisions(journal.events, rulesOf(run.config, run.plan), run.plan).map((fault) =>
      at(`run-events.jsonl:${fault.seq}`, fault.message),
    ),
    ...journal.events.flatMap((event) => {
      const fault = judgeRecordedCommands(event, run.plan, run.config);
      return fault === undefined ? [] : [at(`run-events.jsonl:${event.seq}`, fault)];
    }),
    ...(listed.ok ? [] : [at(LEFT_OUT_FILE, listed.error)]),
    ...fileFaults,
    ...(await judgeReports(run, ports, new Set([...leftOut, ...fileFaults.map(({ where }) => where)]))),
    ...(await judgePayloads(run, ports)),
    ...(await judgeAgents(run, ports)),
    ...(await judgeGithub(run, ports)),
    ...forged,
    ...(forged.length > 0 ? [] : await judgeHistory(run, ports)),
  ];
  return {
    mismatches,
    notes: [...unsealed, ...without],
    leftOut,
    eventsChecked: journal.events.length,
    filesChecked: state.files.size,
    commitsChecked: state.items.filter((item) => typeof item.settled?.commit === "string").length,
  };
}

/** What is read through the private repository: of objects that are not what their names promise nothing can be said. */
async function judgeHistory(run: SavedRun, ports: VerifyPorts): Promise<Mismatch[]> {
  return [
    ...(await judgePlan(run, ports)),
    ...(await judgePolicy(run, ports)),
    ...(await judgeCandidates(run, ports)),
    ...(await judgeArtifacts(run, ports.repository)),
    ...(await judgeSurfaces(run, ports.repository)),
    ...(await judgeAudits(run, rulesOf(run.config, run.plan), ports)),
    ...(await judgeCommits(run, ports)),
    ...(await judgeClosing(run, ports)),
  ];
}

function judgeTail({ state, journal }: SavedRun): Mismatch[] {
  if (journal.tornBytes === 0 || !state.sealed) return [];
  return [at("run-events.jsonl", `${journal.tornBytes} bytes without a newline follow the last event of a sealed run`)];
}

function judgeSavedCheckpoint({ state, journal }: SavedRun, checkpoint: string | undefined): Mismatch[] {
  const expected = buildCheckpoint(state, journal.head);
  const verdict = judgeCheckpoint(checkpoint, expected, {
    seq: state.seq,
    headAt: (seq) => journal.events[seq]?.prev,
  });
  if (verdict.kind === "current" || (verdict.kind === "rebuild" && !state.sealed)) return [];
  return [at("orchestrator_checkpoint.json", verdict.why)];
}

async function judgeFiles({ state }: SavedRun, ports: VerifyPorts, leftOut: ReadonlySet<string>): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const file of state.files.values()) {
    if (!state.sealed && isReportFile(file.path)) continue;
    const found = await ports.digest(file.path);
    if (found === undefined && leftOut.has(file.path)) continue;
    if (found === undefined) mismatches.push(at(file.path, "is missing"));
    else if (found.sha256 !== file.sha256) mismatches.push(at(file.path, "is not what the journal names"));
  }
  const unnamed = ports.files.filter((path) => !state.files.has(path));
  return [
    ...mismatches,
    ...(state.sealed ? unnamed.map((path) => at(path, "stands in the run folder, and no event names it")) : []),
  ];
}

/**
 * A file that the page shows and that is no longer what it was is named already, and one that was left out cannot be
 * shown again: the page is then no further fault. The journal names its bytes all the same.
 */
async function judgeReports(run: SavedRun, ports: VerifyPorts, unshown: ReadonlySet<string>): Promise<Mismatch[]> {
  if (!run.state.sealed) return [];
  const mismatches: Mismatch[] = [];
  const report = buildSavedReport(run);
  const isPageUnshown = listPageFiles(report).some(({ path }) => unshown.has(path));
  for (const { path, text } of await buildReportFiles(report, ports.readEnds)) {
    if (path === REPORT_HTML && isPageUnshown) continue;
    const bytes = await ports.read(path);
    if (bytes !== undefined && sha256(bytes) !== sha256(text))
      mismatches.push(at(path, "does not follow from the journal"));
  }
  return mismatches;
}

async function judgePlan({ state, plan, config }: SavedRun, { repository }: VerifyPorts): Promise<Mismatch[]> {
  const { base_commit: base, plan_path: path, plan_sha256: expected } = state.created;
  const bytes = await repository.readFileAt(base, path);
  if (bytes === undefined || sha256(bytes) !== expected)
    return [at(PLAN_FILE, `is not ${path} at the base commit ${base}`)];
  const parsed = parsePlan({
    path,
    bytes,
    trackedFiles: new Set(await repository.listFilesAt(base)),
    ...surroundingsOf(config),
  });
  const same = parsed.plan !== undefined && canonicalJson(parsed.plan) === canonicalJson(plan);
  const moved = await repository.readFileAt(state.baseCommit, path);
  return [
    ...(same ? [] : [at("normalized_plan.json", "is not what the plan parses to")]),
    ...(moved !== undefined && sha256(moved) === expected
      ? []
      : [at(PLAN_FILE, `is not ${path} at the base commit ${state.baseCommit} that the run was moved to`)]),
  ];
}

async function judgePolicy({ state, config }: SavedRun, { repository, configPath }: VerifyPorts): Promise<Mismatch[]> {
  const { policy_sha256: expected, config: source } = state.created;
  if (policyDigest(config) !== expected) return [at(POLICY_FILE, "is not the policy that the run was started with")];
  // One that was given with --config is in no commit; its bytes are gone.
  if (source.authority === "local") return [];
  const readAt = async (base: string): Promise<Config | undefined> => {
    const bytes = await repository.readFileAt(base, configPath);
    return bytes === undefined ? defaultConfig() : parseConfig(configPath, new TextDecoder().decode(bytes)).config;
  };
  const base = state.created.base_commit;
  const committed = await readAt(base);
  const same = committed !== undefined && canonicalJson(committed) === canonicalJson(config);
  if (!same) return [at(POLICY_FILE, `is not the configuration at the base commit ${base}`)];
  // A run that was moved keeps its configuration; at the new base the policy alone has to be the same.
  const moved = await readAt(state.baseCommit);
  return moved !== undefined && policyDigest(moved) === expected
    ? []
    : [at(POLICY_FILE, `is not the policy at the base commit ${state.baseCommit} that the run was moved to`)];
}

async function judgeObjects({ repository }: VerifyPorts): Promise<Mismatch[]> {
  const forged = await repository.findForgedObjects();
  return forged.map((object) => at(`repo.git object ${object}`, "its bytes are not those its name promises"));
}

async function judgePayloads({ journal }: SavedRun, ports: VerifyPorts): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const event of eventsOf(journal.events, "session_finished")) {
    const file = event.details.files.find((candidate) => candidate.path.endsWith("/result.json"));
    const payload = parsePayload(file === undefined ? undefined : await ports.read(file.path));
    if (canonicalJson(payload) !== canonicalJson(event.details.payload)) {
      mismatches.push(
        at(file?.path ?? `run-events.jsonl:${event.seq}`, "the recorded payload is not what the file says"),
      );
    }
  }
  return mismatches;
}

async function judgeCommits({ state, journal }: SavedRun, { repository }: VerifyPorts): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const event of eventsOf(journal.events, "item_commit_prepared")) {
    const { commit, tree, parent } = event.details;
    if (!(await isCommitOf(repository, commit, tree, parent))) {
      mismatches.push(at(`repo.git commit ${commit}`, `is not a commit of the verified tree ${tree} on ${parent}`));
    }
  }
  const branch = await repository.readRef(`refs/heads/${state.created.run_branch}`);
  if (!mayBranchBe(state, branch)) {
    mismatches.push(
      at(
        `repo.git refs/heads/${state.created.run_branch}`,
        `names ${branch ?? "nothing"}, the journal says ${state.tip}`,
      ),
    );
  }
  return mismatches;
}
