import type { ChainCommit, Deliverable } from "../../domain/publication.ts";
import type { TreeEntryDraft, WrittenCommit } from "../../ports/github.ts";
import { faultOf, refuseDelivery, waitForNext, type DeliveryPorts, type Step } from "./publish-ports.ts";

/** A commit as it was verified, and the id under which it stands on GitHub. */
export interface PublishedCommit {
  readonly verified: ChainCommit;
  readonly published: string;
}

/**
 * Makes the commits of a run again through the API, where only signed ones are let in: GitHub signs what the App or
 * the bot of a workflow makes. Each has the very tree that was verified, compared by its id, which is the digest of all
 * that lies below it. What an earlier try made is found by tree and message and built upon. Reason code:
 * DELIVERY_REFUSED.
 */
export async function recreateBranch(
  ports: DeliveryPorts,
  chain: readonly ChainCommit[],
  publication: Deliverable,
  ownTrees: ReadonlySet<string>,
): Promise<Step<readonly PublishedCommit[]>> {
  const ref = `refs/heads/${publication.branch}`;
  let last = "";
  for (let tries = 1; ; tries += 1) {
    const seen = await ports.remote.readRef(ref);
    if (seen.kind === "forbidden") return refuseDelivery(seen.message);
    if (seen.kind === "read") {
      const there = await readBranch(ports, seen.commit, publication.base, chain.length);
      if (there.kind !== "done") return there;
      const kept = countKept(chain, there.value);
      if (there.value.slice(kept).some(({ tree }) => !ownTrees.has(tree))) {
        return refuseDelivery(`${publication.branch} names ${seen.commit} on GitHub, which this run did not make`);
      }
      const made = await makeCommits(ports, chain, there.value.slice(0, kept), publication.base);
      if (made.kind !== "done") return made;
      const head = made.value.at(-1)?.published;
      if (head === undefined || head === seen.commit) return made;
      const swapped = await ports.writes.swapRef({ ref, expected: seen.commit, commit: head });
      if (swapped.ok && tries === 1) continue;
      if (!swapped.ok && (swapped.error.kind === "forbidden" || swapped.error.kind === "unauthorised")) {
        return faultOf(swapped.error);
      }
      last = swapped.ok ? `${ref} does not show what it was moved to` : swapped.error.message;
    } else {
      last = seen.message;
    }
    if (!(await waitForNext(ports, tries))) return { kind: "unavailable", message: last };
  }
}

/** The commits of the branch on GitHub after the base, oldest first; more than the run could have made is foreign. */
async function readBranch(
  { writes }: DeliveryPorts,
  head: string | undefined,
  base: string,
  lengthMax: number,
): Promise<Step<readonly WrittenCommit[]>> {
  const found: WrittenCommit[] = [];
  for (let at = head; at !== undefined && at !== base;) {
    if (found.length > lengthMax) return refuseDelivery(`the branch on GitHub has more commits than the run`);
    const commit = await writes.readCommit(at);
    if (!commit.ok) return faultOf(commit.error);
    if (commit.value.parents.length !== 1) return refuseDelivery(`${at} on GitHub is no commit of this run`);
    found.unshift(commit.value);
    at = commit.value.parents[0];
  }
  return { kind: "done", value: found };
}

/** How many commits of the branch are those of the chain already. */
function countKept(chain: readonly ChainCommit[], there: readonly WrittenCommit[]): number {
  const differs = chain.findIndex((commit, index) => {
    const found = there[index];
    return found?.verified !== true || found.tree !== commit.tree || !isMessage(found.message, commit.message);
  });
  return differs === -1 ? chain.length : differs;
}

/** GitHub leaves out the line feeds at the end of a message. */
function isMessage(found: string, expected: string): boolean {
  return found.trimEnd() === expected.trimEnd();
}

async function makeCommits(
  ports: DeliveryPorts,
  chain: readonly ChainCommit[],
  kept: readonly WrittenCommit[],
  base: string,
): Promise<Step<readonly PublishedCommit[]>> {
  const published: PublishedCommit[] = [];
  let parent = base;
  for (const [index, verified] of chain.entries()) {
    const found = kept[index];
    if (found === undefined) {
      const made = await makeCommit(ports, verified, parent);
      if (made.kind !== "done") return made;
      parent = made.value;
    } else {
      parent = found.sha;
    }
    published.push({ verified, published: parent });
  }
  return { kind: "done", value: published };
}

async function makeCommit(ports: DeliveryPorts, verified: ChainCommit, parent: string): Promise<Step<string>> {
  const { writes } = ports;
  const tree = await makeTree(ports, verified);
  if (tree.kind !== "done") return tree;
  const made = await writes.createCommit({ message: verified.message, tree: tree.value, parent });
  if (!made.ok) return faultOf(made.error);
  const { sha, parents, message } = made.value;
  const same = made.value.tree === verified.tree && parents.length === 1 && parents[0] === parent;
  if (!same || !isMessage(message, verified.message))
    return refuseDelivery(`GitHub made another commit than was asked for: ${sha}`);
  if (!made.value.verified) {
    return refuseDelivery("signed commits are demanded here, and GitHub does not sign what this token makes");
  }
  return { kind: "done", value: sha };
}

/** Stores what the commit changes and has GitHub make the tree of it; both must get the ids that were verified. */
async function makeTree({ repository, writes }: DeliveryPorts, verified: ChainCommit): Promise<Step<string>> {
  const baseTree = await repository.readTreeOf(verified.parent);
  if (baseTree === undefined) throw new Error(`commit ${verified.parent} was verified and cannot be read`);
  if (baseTree === verified.tree) return { kind: "done", value: baseTree };
  const entries: TreeEntryDraft[] = [];
  for (const { path, new_mode: mode, new_oid: oid, status } of await repository.listChanges(baseTree, verified.tree)) {
    if (status === "deleted") {
      entries.push({ path, mode: "100644", type: "blob", sha: null });
      continue;
    }
    const bytes = await repository.readFileAt(verified.commit, path);
    if (bytes === undefined) throw new Error(`${path} of ${verified.commit} was verified and cannot be read`);
    const blob = await writes.createBlob(bytes);
    if (!blob.ok) return faultOf(blob.error);
    if (blob.value !== oid) return refuseDelivery(`GitHub stored ${path} as ${blob.value}, verified was ${oid}`);
    entries.push({ path, mode, type: "blob", sha: oid });
  }
  const tree = await writes.createTree(baseTree, entries);
  if (!tree.ok) return faultOf(tree.error);
  return tree.value === verified.tree
    ? { kind: "done", value: tree.value }
    : refuseDelivery(`GitHub made tree ${tree.value}, verified was ${verified.tree}`);
}
