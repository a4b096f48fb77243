import { decidePush, type Deliverable } from "../../domain/publication.ts";
import type { RunState } from "../../domain/run.ts";
import { refuseDelivery, waitForNext, type DeliveryPorts, type Step } from "./publish-ports.ts";

/** What a push came to: whether anything had to be moved. */
export interface PushedBranch {
  readonly pushed: boolean;
}

/**
 * Makes the run branch name the verified head on GitHub. It looks at what stands there, decides, pushes by id with a
 * lease on what it saw, and looks again: an answer that was lost is found out by looking, and nothing is claimed that
 * was not seen. Reason code: DELIVERY_REFUSED.
 */
export async function pushBranch(
  ports: DeliveryPorts,
  state: RunState,
  publication: Deliverable,
): Promise<Step<PushedBranch> | { readonly kind: "unsigned"; readonly message: string }> {
  const { remote } = ports;
  const ref = `refs/heads/${publication.branch}`;
  let pushed = false;
  let last = "";
  for (let tries = 1; ; tries += 1) {
    const seen = await remote.readRef(ref);
    if (seen.kind === "forbidden") return refuseDelivery(seen.message);
    if (seen.kind === "read") {
      const decision = decidePush(state, publication, seen.commit);
      if (decision.kind === "nothing_to_do") return { kind: "done", value: { pushed } };
      if (decision.kind === "refused") return refuseDelivery(decision.message);
      const answer = await remote.push({ ref, expected: decision.expected, commit: publication.head });
      // Whether the answer came or not, the next look says what is there.
      if (answer.kind === "pushed" || answer.kind === "unavailable") pushed = true;
      if (answer.kind === "refused" && /signature|signed/i.test(answer.message)) {
        return { kind: "unsigned", message: answer.message };
      }
      if (answer.kind === "refused" || answer.kind === "forbidden") return refuseDelivery(answer.message);
      if (answer.kind === "pushed" && tries === 1) continue;
      last = answer.kind === "pushed" ? `${ref} does not show what was pushed` : answer.message;
    } else {
      last = seen.message;
    }
    if (!(await waitForNext(ports, tries))) return { kind: "unavailable", message: last };
  }
}
