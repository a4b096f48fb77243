import { z } from "zod";
import type { SandboxFacts, SandboxTier } from "./sandbox.ts";

/**
 * `enforced`: it cannot happen. `detected`: it can, and the orchestrator finds it and acts on it. `advisory`: it can,
 * and nobody may notice.
 */
export const STRENGTHS = ["enforced", "detected", "advisory"] as const;
export type Strength = (typeof STRENGTHS)[number];

export const SANDBOX_LAYERS = [
  "environment",
  "git_metadata",
  "audit_checkout",
  "file_writes",
  "file_reads",
  "orchestrator_secrets",
  "process_lifetime",
  "privileges",
  "network",
  "model_keys",
  "allowed_hosts_content",
  "file_size",
  "process_count",
  "disk_and_memory",
] as const;
export type SandboxLayer = (typeof SANDBOX_LAYERS)[number];

export const layerReportSchema = z.strictObject({
  layer: z.enum(SANDBOX_LAYERS),
  strength: z.enum(STRENGTHS),
  detail: z.string(),
});
/** One protection, how strong it is in this run, and what that means. */
export type LayerReport = z.infer<typeof layerReportSchema>;

type Claim = readonly [Strength, string];

/**
 * What each protection is worth at a tier. Whatever only a tool of the machine can do is advisory without that tool.
 */
export function judgeLayers(tier: SandboxTier, facts: SandboxFacts, heldKeys: readonly string[]): LayerReport[] {
  const inside = tier === 3;
  const claims: Record<SandboxLayer, Claim> = {
    environment: ["enforced", "programs get the variables that are allowed by name"],
    git_metadata: inside
      ? ["enforced", "refs, configuration, hooks and objects are mounted read-only"]
      : ["detected", "refs, configuration, hooks and objects are compared before and after"],
    audit_checkout: inside
      ? ["enforced", "auditors read a checkout that is mounted read-only"]
      : ["detected", "a checkout that an auditor changed voids every answer over it"],
    file_writes: inside
      ? ["enforced", "worktree, result, home and temporary folder are all that can be written"]
      : ["advisory", "a program can write whatever the user can"],
    file_reads: inside
      ? ["enforced", "homes, checkout, run folder and temporary folders are hidden; the rest of the system is readable"]
      : ["advisory", "a program can read whatever the user can"],
    orchestrator_secrets: inside
      ? ["enforced", "other processes and their environment cannot be seen"]
      : ["advisory", "a program of the same user can read the orchestrator's environment"],
    process_lifetime: inside
      ? ["enforced", "everything a program started ends with it"]
      : ["detected", "what a program left running is looked for and ended; one that hides well enough is missed"],
    privileges: judgePrivileges(inside, facts),
    network: inside
      ? ["enforced", "no network but the allowed hosts, through the orchestrator's proxy"]
      : ["advisory", "a program can reach whatever the machine can"],
    model_keys: judgeKeys(inside, heldKeys),
    allowed_hosts_content: ["advisory", "what is sent to an allowed host is not looked at"],
    file_size: facts.prlimit
      ? ["enforced", "a file cannot grow beyond sandbox.file-bytes"]
      : ["advisory", "this machine has no prlimit"],
    process_count: judgeProcessCount(inside, facts),
    disk_and_memory: ["advisory", "many files, or much memory, are bounded by the time limit alone"],
  };
  return SANDBOX_LAYERS.map((layer) => ({ layer, strength: claims[layer][0], detail: claims[layer][1] }));
}

function judgePrivileges(inside: boolean, { setpriv }: SandboxFacts): Claim {
  if (inside) return ["enforced", "no capabilities, and none can be gained"];
  return setpriv
    ? ["enforced", "no privileges can be gained (no_new_privs)"]
    : ["advisory", "this machine has no setpriv"];
}

function judgeKeys(inside: boolean, heldKeys: readonly string[]): Claim {
  if (heldKeys.length === 0) return ["advisory", "no key is held by the proxy: a program sees the keys it is given"];
  return inside
    ? ["enforced", `held by the proxy and never given to a program: ${heldKeys.join(", ")}`]
    : ["advisory", `given to programs, because only tier 3 has a proxy: ${heldKeys.join(", ")}`];
}

function judgeProcessCount(inside: boolean, { root, prlimit }: SandboxFacts): Claim {
  if (inside && prlimit && !root) return ["enforced", "more processes than sandbox.processes cannot be started"];
  return ["detected", "a program with more processes than sandbox.processes is ended, once a second is looked"];
}
