/** One invocation of the orchestrator over a run: it ran from the one instant to the other; null while it runs. */
export interface Invocation {
  readonly started_at: string;
  readonly ended_at: string | null;
}

/**
 * Another invocation begins. One before it that was killed ended, as far as anybody knows, with the last event that it
 * wrote: at `lastAt`.
 */
export function beginInvocation(before: readonly Invocation[], lastAt: string, at: string): readonly Invocation[] {
  return [...endInvocation(before, lastAt), { started_at: at, ended_at: null }];
}

/** The invocation that runs has ended; one that ended before stays as it is. */
export function endInvocation(invocations: readonly Invocation[], at: string): readonly Invocation[] {
  return invocations.map((each) => (each.ended_at === null ? { ...each, ended_at: at } : each));
}
