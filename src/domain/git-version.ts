/** Oldest git that a run works with. */
const GIT_MIN = [2, 38] as const;

export const GIT_MIN_TEXT = GIT_MIN.join(".");

/** The version in what `git version` prints, or nothing. */
export function parseGitVersion(text: string): string | undefined {
  return /\d+\.\d+(\.\d+)?/.exec(text)?.[0];
}

/** True when a run does not work with this git; asked this way round, a version that is no number is too old. */
export function isGitTooOld(version: string): boolean {
  const [minMajor, minMinor] = GIT_MIN;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return !(major > minMajor || (major === minMajor && minor >= minMinor));
}
