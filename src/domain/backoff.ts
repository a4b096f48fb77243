/** The longest wait before a program is asked again, in milliseconds. */
const BACKOFF_MAX_MS = 60_000;

/** Decides how long to wait before asking again something that has failed `failures` times: nothing, 1 s, 2 s, 4 s … */
export function decideBackoffMs(failures: number): number {
  return failures <= 0 ? 0 : Math.min(BACKOFF_MAX_MS, 1000 * 2 ** (failures - 1));
}
