import { z } from "zod";
import { SANDBOX_LEVELS } from "./run-choices.ts";

/** Tier 2 (another user, cgroups) is not built; its number stays free. */
export type SandboxTier = 1 | 3;

/** The lowest tier that `required` can ask for: every machine has tier 1, so to require that would require nothing. */
const REQUIRED_TIER_MIN = 2;

/** What a program inside the sandbox tried, at the start of a run. */
export const SANDBOX_PROBES = [
  "git_file_write",
  "git_metadata_write",
  "outside_write",
  "outside_read",
  "home_read",
  "orchestrator_environment",
  "foreign_processes",
  "loopback_of_the_machine",
  "network_interfaces",
  "own_environment",
  "privileges",
  "file_size_limit",
] as const;
export type SandboxProbe = (typeof SANDBOX_PROBES)[number];

const probeResultSchema = z.strictObject({
  probe: z.enum(SANDBOX_PROBES),
  /** `held`: the forbidden act failed; `open`: it worked. */
  outcome: z.enum(["held", "open"]),
  detail: z.string(),
});
export type ProbeResult = z.infer<typeof probeResultSchema>;

/** What the machine was found to offer; the tier follows from it. */
export const sandboxFactsSchema = z.strictObject({
  platform: z.string(),
  /** Where bubblewrap is, or null where there is none. */
  bubblewrap: z.string().nullable(),
  /** Programs can be bound to the orchestrator's life, and cannot gain privileges. */
  setpriv: z.boolean(),
  /** Size and number of files can be limited. */
  prlimit: z.boolean(),
  /** True for root, whom the kernel does not hold to a number of processes. */
  root: z.boolean(),
  /** What happened when tier 3 was tried; `not_tried` without need or without bubblewrap. */
  trial: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("not_tried"), why: z.string() }),
    z.strictObject({ kind: z.literal("not_started"), why: z.string() }),
    z.strictObject({ kind: z.literal("ran"), probes: z.array(probeResultSchema) }),
  ]),
});
export type SandboxFacts = z.infer<typeof sandboxFactsSchema>;

/** What the configuration and the command line ask for. */
export const sandboxWishSchema = z.strictObject({
  level: z.enum(SANDBOX_LEVELS),
  minimum_tier: z.int().min(1).max(3),
  /** Names of the keys that the proxy holds in tier 3. */
  held_keys: z.array(z.string()),
});
export type SandboxWish = z.infer<typeof sandboxWishSchema>;

/** The tier of an invocation, and why it is not a higher one. */
export interface SandboxDecision {
  readonly tier: SandboxTier;
  readonly why: string;
  /** What the run is refused with; nothing when it may go on. Reason code: SANDBOX_UNAVAILABLE. */
  readonly refusal: string | undefined;
}

/**
 * Decides the tier from what was proven: tier 3 only when every probe held. A probe that is missing did not hold.
 * Reason code: SANDBOX_UNAVAILABLE, when a tier is required that this machine did not prove.
 */
export function decideSandbox(facts: SandboxFacts, wish: SandboxWish): SandboxDecision {
  const doubt = wish.level === "off" ? "tier 1 was asked for (sandbox off)" : doubtTier3(facts);
  const tier = doubt === undefined ? 3 : 1;
  const why = doubt ?? "every probe held";
  const least = Math.max(wish.minimum_tier, REQUIRED_TIER_MIN);
  const refused = wish.level === "required" && tier < least;
  const refusal = `expected a sandbox of tier ${least} or higher, found tier ${tier}: ${why}`;
  return { tier, why, refusal: refused ? refusal : undefined };
}

function doubtTier3({ trial }: SandboxFacts): string | undefined {
  if (trial.kind !== "ran") return trial.why;
  const failed = SANDBOX_PROBES.filter(
    (name) => !trial.probes.some(({ probe, outcome }) => probe === name && outcome === "held"),
  );
  if (failed.length === 0) return undefined;
  const details = trial.probes.filter(({ probe }) => failed.includes(probe)).map(({ detail }) => detail);
  return `the sandbox did not hold: ${failed.join(", ")}${details.length === 0 ? "" : ` (${details.join("; ")})`}`;
}
