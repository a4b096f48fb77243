import type { ApprovalCase, GithubCase } from "./approval-case.ts";
import type { Gesture, GivenGesture } from "./approval-gesture.ts";

/** One rule of the table in docs/approvals.md. */
export interface ApprovalRule {
  /** The word by which a refusal is known; it never changes its meaning. */
  readonly name: string;
  /** Why the gesture does not count, in words; nothing when the rule holds. */
  readonly refuse: (gesture: Gesture, asked: ApprovalCase) => string | undefined;
}

/** Everything that a rule about a gesture on GitHub looks at. */
export interface GivenCase extends ApprovalCase, GithubCase {
  readonly github: GithubCase;
}

/** A rule of every gesture, whoever vouches for it. */
export function rule(name: string, refuse: ApprovalRule["refuse"]): ApprovalRule {
  return { name, refuse };
}

/** A rule of what somebody did on GitHub. */
export function givenRule(
  name: string,
  refuse: (gesture: GivenGesture, asked: GivenCase) => string | undefined,
): ApprovalRule {
  return {
    name,
    refuse: (gesture, asked) => {
      if (gesture.kind !== "given") return undefined;
      const { github } = asked;
      return github === null ? "nobody asked GitHub" : refuse(gesture, { ...asked, ...github, github });
    },
  };
}

/** A rule that a rejection does not have to keep: a no needs less than a yes. */
export function approvingRule(name: string, refuse: Parameters<typeof givenRule>[1]): ApprovalRule {
  return givenRule(name, (gesture, asked) => (gesture.decision === "approve" ? refuse(gesture, asked) : undefined));
}
