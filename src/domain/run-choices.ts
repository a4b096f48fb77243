/** How much a run may do by itself; `full` needs ORCH_ALLOW_FULL_AUTONOMY=1 as well. */
export const MODES = ["guarded", "full"] as const;
export type Mode = (typeof MODES)[number];

/**
 * `auto`: the strongest tier that this machine proves; `required`: the run is refused without one; `off`: tier 1,
 * which is never left out.
 */
export const SANDBOX_LEVELS = ["auto", "required", "off"] as const;
export type SandboxLevel = (typeof SANDBOX_LEVELS)[number];

/** The longest that one invocation may go on: a week, in minutes. */
export const MINUTES_PER_RUN_MAX = 10_080;

/** The most that a run can be allowed to cost, in USD. */
export const COST_USD_MAX = 1_000_000;

/** Where a run leaves itself: nowhere, in the user's repository, or on GitHub as well. */
export const DELIVERIES = ["none", "branch", "pull-request"] as const;
export type Delivery = (typeof DELIVERIES)[number];

/** Where the configuration of a repository lies. */
export const DEFAULT_CONFIG_PATH = ".github/conveyor.yml";
