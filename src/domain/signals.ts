/** The signals a gate reads, and their values (source document 001). Everything but one value blocks. */
export const POLICY_SIGNALS = ["allow", "deny", "unknown"] as const;
export const CI_SIGNALS = ["success", "pending", "failure", "missing"] as const;
export const REVIEW_SIGNALS = ["approved", "changes_requested", "missing"] as const;

/** What holds when nobody said anything: every gate blocks. */
export const NO_SIGNALS = { policy: "unknown", ci: "missing", review: "missing" } as const;

/** Where the signals come from: what the call says, or what GitHub does. */
export const GATE_SOURCES = ["inputs", "github"] as const;
export type GateSource = (typeof GATE_SOURCES)[number];
