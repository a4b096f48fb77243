import type { ReasonCode } from "../../domain/reason-codes.ts";
import type { GithubFailure } from "../../domain/github-failure.ts";
import { sayFailure } from "../../domain/github-failure.ts";
import type { Clock } from "../../ports.ts";
import type { Github, GithubWrites, Remote } from "../../ports/github.ts";
import type { VerifyPorts } from "../verify-run.ts";

/** What delivery to GitHub acts through. */
export interface DeliveryPorts {
  readonly github: Github;
  readonly writes: GithubWrites;
  readonly remote: Remote;
  readonly repository: VerifyPorts["repository"];
  readonly clock: Pick<Clock, "sleep">;
  /** Aborted when a person or a runner wants it to end. */
  readonly interrupt: AbortSignal;
}

/** Why a delivery did not come to its end. */
export type DeliveryFault =
  /** Not to be tried again as it is. */
  | { readonly kind: "refused"; readonly code: ReasonCode; readonly message: string }
  /** GitHub could not be reached, or kept refusing: what was done is found again by the next try. */
  | { readonly kind: "unavailable"; readonly message: string };

/** A step that either gave something or ended the delivery. */
export type Step<T> = { readonly kind: "done"; readonly value: T } | DeliveryFault;

/** Builds the fault of an answer of GitHub's that gives nothing. */
export function faultOf(failure: GithubFailure): DeliveryFault {
  const message = sayFailure(failure);
  return failure.kind === "unavailable" || failure.kind === "malformed"
    ? { kind: "unavailable", message }
    : { kind: "refused", code: "DELIVERY_REFUSED", message };
}

/** Refuses with `DELIVERY_REFUSED`, whose message says what stands in the way. */
export function refuseDelivery(message: string): DeliveryFault {
  return { kind: "refused", code: "DELIVERY_REFUSED", message };
}

/** How often a step is tried whose answer was lost, or which somebody else was in the way of. */
const TRIES_MAX = 6;

/** Waits before the next try: 1, 2, 4 … seconds. False when there is to be none. */
export async function waitForNext(
  { clock, interrupt }: Pick<DeliveryPorts, "clock" | "interrupt">,
  tries: number,
): Promise<boolean> {
  if (tries >= TRIES_MAX || interrupt.aborted) return false;
  await clock.sleep(1000 * 2 ** (tries - 1), interrupt);
  return !interrupt.aborted;
}
