/** Part of an invocation's time that is kept for sealing, and its most: programs are ended in it and reports written. */
const SEALING_SHARE = 0.1;
const SEALING_MS_MAX = 15_000;

/** The time of one invocation; disposing it stops the clock. */
export interface Deadline extends Disposable {
  /** Aborted by a person, a runner, or with the reason `DEADLINE` when the time is nearly up. */
  readonly interrupt: AbortSignal;
}

/**
 * Joins the interrupt with the limit of an invocation, in minutes: so long before it that the run can still end its
 * programs and seal. A run that ends at it hands off (exit 75); what it had proven stays proven.
 */
export function startDeadline(interrupt: AbortSignal, minutes: number): Deadline {
  const limitMs = minutes * 60_000;
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort("DEADLINE"),
    limitMs - Math.min(SEALING_MS_MAX, limitMs * SEALING_SHARE),
  );
  // The run keeps the process alive, not its limit.
  timer.unref();
  return {
    interrupt: AbortSignal.any([interrupt, controller.signal]),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
