import type { InvocationOptions } from "../invocation/settings.ts";
import type { AdmittedCall } from "./call.ts";

/** What the inputs ask of an invocation, in the words that the command line has for it. */
export function listOptions({ inputs }: AdmittedCall): InvocationOptions {
  const { gates, signals, mode, maxMinutes, maxCostUsd, sandbox, deliver } = inputs;
  return {
    gates,
    ...(gates === "github" ? {} : { policyStatus: signals.policy, ciStatus: signals.ci, reviewStatus: signals.review }),
    deliver: deliver === "branch" ? "branch" : "none",
    ...(mode === undefined ? {} : { mode }),
    ...(maxMinutes === undefined ? {} : { maxMinutes }),
    ...(maxCostUsd === undefined ? {} : { maxCostUsd }),
    ...(sandbox === undefined ? {} : { sandbox }),
  };
}
