/** A pull request from the run branch, narrowed to what decides which is ours. */
export interface ListedPull {
  readonly number: number;
  readonly state: "open" | "closed";
  readonly mergedAt: string | null;
  readonly draft: boolean;
  readonly title: string;
  readonly url: string;
  /** True when the run's mark stands in its body. */
  readonly marked: boolean;
  readonly body: string;
  /** Login of whoever opened it; null when GitHub no longer knows. */
  readonly author: string | null;
  readonly baseBranch: string;
  readonly head: string;
}

/** Which pull request of the run branch is the run's own. */
export type PullDecision =
  | { readonly kind: "none" }
  | { readonly kind: "ours"; readonly pull: ListedPull }
  | { readonly kind: "merged"; readonly pull: ListedPull }
  /** DELIVERY_REFUSED. */
  | { readonly kind: "refused"; readonly message: string };

/**
 * Decides which pull request is the run's: from its branch, with its mark, opened by us where that is known (`self`).
 * One that a person closed or pointed elsewhere is not opened again behind their back. GitHub lists only those from the
 * branch of this very repository.
 */
export function decidePull(
  pulls: readonly ListedPull[],
  expected: { readonly self: string | undefined; readonly baseBranch: string },
): PullDecision {
  const open = pulls.filter(({ state }) => state === "open");
  const isOurs = ({ marked, author }: ListedPull): boolean =>
    marked && (expected.self === undefined || author === expected.self);
  const ours = pulls.filter(isOurs);
  const foreign = open.find((pull) => !isOurs(pull) && pull.baseBranch === expected.baseBranch);
  if (foreign !== undefined) {
    const who = foreign.author ?? "somebody unknown";
    return refuse(foreign, `was opened from the run branch by ${who} and is not the run's own`);
  }
  const own = ours.find(({ state }) => state === "open");
  if (own !== undefined) {
    return own.baseBranch === expected.baseBranch
      ? { kind: "ours", pull: own }
      : refuse(own, `is for ${own.baseBranch}, expected ${expected.baseBranch}`);
  }
  const merged = ours.find(({ mergedAt }) => mergedAt !== null);
  if (merged !== undefined) return { kind: "merged", pull: merged };
  const closed = ours[0];
  return closed === undefined ? { kind: "none" } : refuse(closed, "was closed without being merged");
}

function refuse({ number }: ListedPull, why: string): PullDecision {
  return { kind: "refused", message: `pull request ${number} ${why}` };
}
