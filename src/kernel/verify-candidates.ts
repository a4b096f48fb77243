import { treeChangeSchema, type TreeChange } from "../domain/candidate.ts";
import { canonicalJson } from "../domain/digest.ts";
import { isInside } from "../domain/paths.ts";
import type { SavedRun } from "../domain/saved-run.ts";
import { rulesOf } from "../domain/item-rules.ts";
import type { JournalEvent } from "../domain/journal.ts";
import { isHighApproved } from "../domain/policy.ts";
import { classifyRisk } from "../domain/risk.ts";
import { evolveRun, newRun } from "../domain/run.ts";
import { findProtectedException, judgeScope, VIOLATIONS_MAX } from "../domain/scope.ts";
import { findSurface } from "../domain/verification-surface.ts";
import { judgeVerification } from "../domain/verification.ts";
import type { RunRepository } from "../ports/git.ts";
import { at, eventsOf, type Mismatch } from "./mismatch.ts";

/** Judges the scope of every candidate again, from its list of changes, and that list from its commit. */
export async function judgeCandidates(
  run: SavedRun,
  ports: {
    readonly repository: RunRepository;
    readonly configPath: string;
    read(path: string): Promise<Uint8Array | undefined>;
  },
): Promise<Mismatch[]> {
  const { plan, config } = run;
  const mismatches: Mismatch[] = [];
  const listed: ListedCandidate[] = [];
  const { tier } = classifyRisk({ plan, config });
  for (const { event, isHighApproved: isApproved } of listCandidates(run)) {
    const { base_commit: base, tree, commit, files, violations } = event.details;
    const item = plan.items.find((candidate) => candidate.item_id === event.item_id);
    const path = files.find((candidate) => candidate.path.endsWith("/changes.json"))?.path;
    const changes = path === undefined ? undefined : parseChanges(await ports.read(path));
    if (item === undefined || changes === undefined) {
      mismatches.push(
        at(path ?? `run-events.jsonl:${event.seq}`, "a candidate without its item or its list of changes"),
      );
      continue;
    }
    const judged = judgeScope(changes, {
      item,
      planPath: plan.path,
      configPath: ports.configPath,
      config,
      tier,
      protectedException: findProtectedException({
        item,
        planPath: plan.path,
        configPath: ports.configPath,
        config,
        tier,
        isHighApproved: isApproved,
      }),
      trackedPaths: await ports.repository.listFilesAt(base),
    });
    // Secrets are in no file that could be looked through again; what is left of the candidate is that it was refused.
    const ofScope = violations.filter(({ code }) => code !== "SECRET_IN_DIFF");
    if (canonicalJson(judged.slice(0, VIOLATIONS_MAX)) !== canonicalJson(ofScope)) {
      mismatches.push(at(`run-events.jsonl:${event.seq}`, "scope was judged otherwise than the changes give"));
    }
    if (commit === null) continue;
    if (!(await isCommitOf(ports.repository, commit, tree, base))) {
      mismatches.push(at(`repo.git commit ${commit}`, "is not a commit of the candidate's tree on its base"));
      continue;
    }
    listed.push({ base, tree, commit, changes, path: path ?? commit });
  }
  return [...mismatches, ...(await judgeLists(listed, ports.repository))];
}

/** A candidate whose commit is of its tree, and the list of changes that scope was judged by. */
interface ListedCandidate {
  readonly base: string;
  readonly tree: string;
  readonly commit: string;
  readonly changes: readonly TreeChange[];
  readonly path: string;
}

/** Compares the lists of changes with the trees, all at once: one question to git for each would cost a process each. */
async function judgeLists(listed: readonly ListedCandidate[], repository: RunRepository): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  const pairs: { from: string; to: string }[] = [];
  for (const { base, tree } of listed) pairs.push({ from: (await repository.readTreeOf(base)) ?? base, to: tree });
  const found = await repository.listChangesOfPairs(pairs);
  for (const [index, { commit, changes, path }] of listed.entries()) {
    const differing = found[index];
    if (differing === undefined) mismatches.push(at(`repo.git commit ${commit}`, "cannot be read whole"));
    else if (canonicalJson(differing) !== canonicalJson(changes)) {
      mismatches.push(at(path, "is not what differs between the base and the candidate"));
    }
  }
  return mismatches;
}

type CandidateBuilt = JournalEvent & { type: "candidate_built" };

/** Every candidate, with whether high risk was approved when its scope was judged. */
function listCandidates({ journal, plan, config }: SavedRun): { event: CandidateBuilt; isHighApproved: boolean }[] {
  const rules = rulesOf(config, plan);
  const [first, ...rest] = journal.events;
  if (first?.type !== "run_created") return [];
  let state = newRun(first);
  const found: { event: CandidateBuilt; isHighApproved: boolean }[] = [];
  for (const event of rest) {
    if (event.type === "candidate_built") {
      found.push({ event, isHighApproved: state.policy !== undefined && isHighApproved(state.policy) });
    }
    state = evolveRun(state, event, rules);
  }
  return found;
}

/** Judges what was said of required artifacts again, from the commit that was verified: it has a path, or it has not. */
export async function judgeArtifacts({ journal }: SavedRun, repository: RunRepository): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  for (const event of eventsOf(journal.events, "verification_finished")) {
    const { artifacts, commit } = event.details;
    if (artifacts.length === 0) continue;
    const tracked = await repository.listFilesAt(commit);
    for (const { path, status } of artifacts) {
      const isThere = tracked.some((file) => isInside(path, file));
      if (isThere || status === "missing") continue;
      mismatches.push(at(`run-events.jsonl:${event.seq}`, `says ${status} of ${path}, which the commit does not have`));
    }
  }
  return mismatches;
}

/** Finds again what each verified candidate changed of its own verification: nobody is to be spared the second run. */
export async function judgeSurfaces(
  { journal, plan, config }: SavedRun,
  repository: RunRepository,
): Promise<Mismatch[]> {
  const builtOf = new Map(eventsOf(journal.events, "candidate_built").map(({ details }) => [details.commit, details]));
  const items = new Map(plan.items.map((item) => [item.item_id, item]));
  const asked = eventsOf(journal.events, "verification_finished").flatMap((event) => {
    const { commit, tamper } = event.details;
    const built = builtOf.get(commit);
    const item = items.get(event.item_id ?? "");
    if (tamper.length > 0 || built === undefined || item === undefined) return [];
    const passed = judgeVerification({ ...event.details, surface: null }).kind === "passed";
    return passed ? [{ event, item, base: built.base_commit, tree: built.tree }] : [];
  });
  const pairs: { from: string; to: string }[] = [];
  for (const { base, tree } of asked) pairs.push({ from: (await repository.readTreeOf(base)) ?? base, to: tree });
  const found = await repository.listChangesOfPairs(pairs);
  return asked.flatMap(({ event, item }, index) => {
    const changes = found[index];
    if (changes === undefined) return [];
    const { surface } = event.details;
    const { paths, deletedTests } = findSurface(changes, item.required_commands, config.validation["test-paths"]);
    const named = { paths: surface?.paths ?? [], deletedTests: surface?.deleted_tests ?? [] };
    return canonicalJson(named) === canonicalJson({ paths, deletedTests })
      ? []
      : [at(`run-events.jsonl:${event.seq}`, "what the candidate changed of its own verification is another")];
  });
}

/** Whether a commit has exactly that tree and that one parent. */
export async function isCommitOf(
  repository: RunRepository,
  commit: string,
  tree: string,
  parent: string,
): Promise<boolean> {
  const parents = await repository.readParentsOf(commit);
  return (await repository.readTreeOf(commit)) === tree && parents?.length === 1 && parents[0] === parent;
}

function parseChanges(bytes: Uint8Array | undefined): TreeChange[] | undefined {
  try {
    return treeChangeSchema.array().parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}
