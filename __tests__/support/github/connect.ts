import { createGithub, createOctokit } from "../../../src/effects/github/client.ts";
import type { RequestLimits } from "../../../src/effects/github/requests.ts";
import type { Clock, Randomness } from "../../../src/ports.ts";
import type { Github } from "../../../src/ports/github.ts";
import type { EmulatedGithub } from "./github.ts";

/** A clock whose waits take no time and are written down; it shows the machine's time, so that gestures are in the past. */
export function impatientClock(start: number = Date.now()): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  let passed = 0;
  return {
    waits,
    now: () => new Date(start + passed).toISOString(),
    monotonicMs: () => passed,
    sleep: async (ms) => {
      waits.push(ms);
      passed += ms;
    },
  };
}

/** Randomness in the middle of every range. */
const middling: Randomness = { hex: (bytes) => "8".padEnd(bytes * 2, "0") };

/** The real client on an emulated GitHub. */
export async function connect(
  emulated: EmulatedGithub,
  limits: Partial<RequestLimits> = {},
  interrupt: AbortSignal = new AbortController().signal,
  clock = impatientClock(),
): Promise<{ readonly github: Github; readonly clock: ReturnType<typeof impatientClock> }> {
  const octokit = await createOctokit({
    token: "token-reader",
    apiUrl: emulated.url,
    graphqlUrl: `${emulated.url}/graphql`,
  });
  const { owner, name } = emulated.state;
  return {
    clock,
    github: createGithub({ octokit, owner, repo: name, clock, randomness: middling, interrupt, limits }),
  };
}
