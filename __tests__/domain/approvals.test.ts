import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { approvalFactsSchema, type ApprovalFacts } from "../../src/domain/approval-facts.ts";
import { APPROVAL_RULES, type ApprovalRules } from "../../src/domain/approvals.ts";
import { answer, ask, buildFacts, decide, GESTURES, user, wordsOf } from "./approval-fixtures.ts";
import {
  buildRow,
  CALL_ROWS,
  DIMENSIONS,
  HAND_ROWS,
  isAdmitted,
  listPairs,
  listProduct,
  PLAIN_ROW,
} from "./approval-table.ts";

const PAIRS = listPairs();
const RULES = [...APPROVAL_RULES.each, ...APPROVAL_RULES.together].map(({ name }) => name);

describe("the decision table", () => {
  it("makes a record of exactly the admitted pairs", () => {
    expect(PAIRS).toHaveLength(394);
    const wrong = PAIRS.filter((row) => (decide(buildRow(row)).records.length === 1) !== isAdmitted(row));
    expect(wrong).toEqual([]);
    expect(PAIRS.filter((row) => isAdmitted(row)).length).toBeGreaterThan(20);
  });

  it("makes a record of exactly the admitted combinations of all values", () => {
    const rows = listProduct();
    expect(rows).toHaveLength(13 * 4 * 3 * 2 * 2 * 5 * 3);
    const wrong = rows.filter((row) => {
      const { records, verdict } = decide(buildRow(row));
      return (records.length === 1) !== isAdmitted(row) || (verdict === "approved") !== isAdmitted(row);
    });
    expect(wrong).toEqual([]);
  });

  it("names a rule for each value that refuses alone", () => {
    const alone = (Object.keys(DIMENSIONS) as (keyof typeof DIMENSIONS)[]).flatMap((name) =>
      DIMENSIONS[name].map((value) => ({ ...PLAIN_ROW, [name]: value })),
    );
    const silent = alone.filter((row) => !isAdmitted(row) && wordsOf(decide(buildRow(row))).length === 0);
    expect(silent).toEqual([]);
  });

  it.each(HAND_ROWS)("%s", (_what, build, words) => {
    const facts = build();
    // What a hand built is what the edge lets through.
    expect(approvalFactsSchema.safeParse(facts).error).toBeUndefined();
    expect(wordsOf(decide(facts))).toEqual(words);
  });

  it.each(CALL_ROWS)("%s", (_what, build, words) => {
    const decision = answer(build());
    expect(decision.records).toEqual([]);
    if (words[0] === "nobody asked") {
      // Every rule that looks at GitHub refuses, rather than one of them.
      expect(decision.verdict).toBe("not_approved");
      expect(wordsOf(decision).length).toBeGreaterThan(30);
    } else expect(wordsOf(decision)).toEqual(words);
  });

  it("has the rows that a hand wrote", () => {
    expect(HAND_ROWS.length).toBeGreaterThanOrEqual(60);
  });
});

describe("a decision", () => {
  it.each([
    ["plan", "medium", "RISK_MEDIUM_NOT_APPROVED"],
    ["plan", "high", "RISK_HIGH_NOT_APPROVED"],
    ["delivery", "low", "GATE_REVIEW_NOT_APPROVED"],
    ["manual_gate", "low", "ITEM_AWAITING_HUMAN_GATE"],
  ] as const)("that a %s at %s risk is not approved gives %s", (kind, risk, code) => {
    expect(decide(buildFacts({ kind, risk }))).toMatchObject({ verdict: "not_approved", reasonCode: code });
  });

  it("says so when one of those who approve had a hand in it, and not otherwise", () => {
    const medium = { count: 2, self: true };
    const facts = buildFacts({ risk: "medium", policy: { approvals: { medium } } });
    GESTURES.review(facts, { by: user("maintain") });
    GESTURES.review(facts, { by: user("second") });
    expect(decide(facts)).toMatchObject({ verdict: "approved", selfApproved: false });
    GESTURES.review(facts, { by: user("author") });
    const decision = decide(facts);
    expect(decision.selfApproved).toBe(true);
    expect(decision.records.map((record) => record.self_approved)).toEqual([false, false, true]);
  });

  it("of a rejection is a record without an end", () => {
    const facts = buildFacts({ kind: "manual_gate" });
    GESTURES.button(facts, { id: "reject_gate" });
    expect(decide(facts)).toMatchObject({
      verdict: "rejected",
      reasonCode: "ITEM_GATE_REJECTED",
      records: [{ decision: "reject", expires_at: null }],
    });
  });
});

describe("each rule is needed", () => {
  const questions = [
    ...PAIRS.map((row) => ask(buildRow(row))),
    ...HAND_ROWS.map(([, build]) => ask(build())),
    ...CALL_ROWS.map(([, build]) => build()),
  ];
  const before = questions.map((each) => answer(each).verdict);

  it("and has a name of its own", () => {
    expect(new Set(RULES).size).toBe(RULES.length);
    expect(RULES.length).toBeGreaterThan(40);
  });

  it.each(RULES)("without %s something is approved that must not be", (name) => {
    const rules: ApprovalRules = {
      each: APPROVAL_RULES.each.filter((rule) => rule.name !== name),
      together: APPROVAL_RULES.together.filter((rule) => rule.name !== name),
    };
    const changed = questions
      .map((each) => answer(each, rules).verdict)
      .filter((verdict, index) => verdict !== before[index]);
    expect(changed).not.toEqual([]);
    expect(changed.filter((verdict) => verdict !== "approved" && verdict !== "rejected")).toEqual([]);
  });
});

/** Facts of the table and of the hand rows. */
const anyFacts = fc.oneof(
  fc.constantFrom(...listProduct()).map((row) => buildRow(row)),
  fc.constantFrom(...HAND_ROWS).map(([, build]) => build()),
);
const approvedFacts = fc
  .constantFrom(...HAND_ROWS.filter(([, , words]) => words[0] === "approved"))
  .map(([, build]) => build());

describe("whatever the facts", () => {
  it("their order does not matter", () => {
    fc.assert(
      fc.property(anyFacts, fc.infiniteStream(fc.nat()), (facts, numbers) => {
        const shuffled = shuffle(facts, numbers) as ApprovalFacts;
        expect(decide(shuffled)).toEqual(decide(facts));
      }),
      { numRuns: 400, seed: 1 },
    );
  });

  it("what is unknown never admits", () => {
    const rows = [...HAND_ROWS.map(([, build]) => build()), ...PAIRS.map((row) => buildRow(row))];
    const refused = rows.filter((facts) => decide(facts).reasonCode !== null);
    const admitted = refused.flatMap((facts) =>
      listLosses(facts).flatMap((loss) => {
        const less = structuredClone(facts);
        loss(less);
        return decide(less).reasonCode === null ? [{ less, loss: loss.toString() }] : [];
      }),
    );
    expect(refused.length).toBeGreaterThan(300);
    expect(admitted).toEqual([]);
  });

  it.each(REVOCATIONS())("%s wins over every approval that came before it", (_what, revoke) => {
    fc.assert(
      fc.property(approvedFacts, (facts) => {
        revoke(facts);
        expect(decide(facts).verdict).not.toBe("approved");
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it("a decision is made of the facts alone, and leaves them as they are", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const before = structuredClone(facts);
        expect(decide(facts)).toEqual(decide(structuredClone(facts)));
        expect(facts).toEqual(before);
      }),
      { numRuns: 200, seed: 4 },
    );
  });
});

describe("facts that are not whole", () => {
  const facts = (HAND_ROWS[0] ?? fail("no rows"))[1]();
  const without = (path: readonly string[]): unknown => {
    const copy = structuredClone(facts) as unknown;
    const last = path.at(-1) ?? "";
    const at = path.slice(0, -1).reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], copy);
    delete (at as Record<string, unknown>)[last];
    return copy;
  };

  it.each([
    ["kind"],
    ["triggered_at"],
    ["plan.sha256_at_tip"],
    ["installation.suspended_at"],
    ["pull_request.merged_at"],
    ["pull_request.head.repo"],
    ["pull_request.draft"],
    ["commits.0.author"],
    ["timeline.1.performed_via_github_app"],
    ["timeline.1.actor"],
    ["timeline.1.created_at"],
    ["timeline.1.label"],
    ["check_runs.0.app"],
    ["check_runs.0.completed_at"],
    ["permissions.0.answered_at"],
    ["permissions.0.answer"],
    ["pushes.0.actor"],
  ])("are refused without %s", (path) => {
    expect(approvalFactsSchema.safeParse(facts).success).toBe(true);
    expect(approvalFactsSchema.safeParse(without(path.split("."))).success).toBe(false);
  });
});

function REVOCATIONS(): [what: string, revoke: (facts: ApprovalFacts) => void][] {
  const open = (facts: ApprovalFacts): void => {
    facts.pull_request.state = "open";
    facts.pull_request.merged_at = null;
  };
  return [
    [
      "a request for changes",
      (facts) => {
        open(facts);
        const user = { id: 1, login: "admin", type: "User" };
        facts.reviews.push({
          id: 1e6,
          user,
          state: "CHANGES_REQUESTED",
          commit_id: "a".repeat(40),
          submitted_at: facts.asked_at,
        });
      },
    ],
    [
      "another base branch",
      (facts) => {
        open(facts);
        facts.timeline.push({ event: "base_ref_changed", actor: null, created_at: facts.asked_at });
      },
    ],
    [
      "a lost permission",
      (facts) => {
        for (const each of facts.permissions) each.answer = null;
      },
    ],
    [
      "a changed policy",
      (facts) => {
        facts.config.limits["diff-lines"] += 1;
      },
    ],
    [
      "another plan",
      (facts) => {
        facts.plan.sha256_at_tip = "9".repeat(64);
        facts.plan.sha256_at_head = "8".repeat(64);
        // Without the App the head itself says which plan it is.
        if (facts.installation === null) facts.pull_request.head.sha = "8".repeat(40);
      },
    ],
    [
      "a push",
      (facts) => {
        facts.pull_request.head.sha = "d".repeat(40);
      },
    ],
    [
      "time",
      (facts) => {
        facts.asked_at = "2027-03-25T12:00:00Z";
        for (const each of [...facts.permissions, ...facts.memberships]) each.answered_at = facts.asked_at;
      },
    ],
  ];
}

/** Every way to know less: all answers about somebody gone, a push gone, or one thing that GitHub may not know. */
function listLosses(facts: ApprovalFacts): ((facts: ApprovalFacts) => void)[] {
  const drop = (key: "identities" | "pushes"): ((of: ApprovalFacts) => void)[] =>
    facts[key].map((_each, index) => (of: ApprovalFacts) => {
      of[key].splice(index, 1);
    });
  const logins = [...new Set(facts.permissions.map(({ login }) => login))];
  return [
    ...logins.flatMap((login) => [
      (of: ApprovalFacts) => {
        of.permissions = of.permissions.filter((each) => each.login !== login);
      },
      (of: ApprovalFacts) => {
        of.memberships = of.memberships.filter((each) => each.login !== login);
      },
    ]),
    ...drop("identities"),
    ...drop("pushes"),
    (of) => {
      of.check_runs = [];
    },
    (of) => {
      of.compare = null;
      of.sealing_pulls = null;
    },
    (of) => {
      of.plan.sha256_at_head = null;
    },
    (of) => {
      of.plan.sha256_at_tip = null;
    },
    (of) => {
      of.pull_request.head.repo = null;
    },
    (of) => {
      of.pull_request.user = null;
    },
    (of) => {
      of.commits.splice(0, 1);
    },
    (of) => {
      for (const commit of of.commits) commit.author = null;
    },
    (of) => {
      for (const commit of of.commits) commit.committer = null;
    },
    (of) => {
      for (const run of of.check_runs) run.external_id = null;
    },
    (of) => {
      for (const run of of.check_runs) run.output.text = "";
    },
    (of) => {
      for (const run of of.check_runs) run.completed_at = null;
    },
    (of) => {
      for (const run of of.check_runs) run.app = null;
    },
    (of) => {
      for (const review of of.reviews) review.commit_id = null;
    },
    // Accounts that are gone cannot object either, so only those who approve are forgotten.
    (of) => {
      for (const review of of.reviews) if (review.state === "APPROVED") review.user = null;
    },
    (of) => {
      for (const comment of of.comments) if (comment.body.startsWith("/conveyor approve")) comment.user = null;
    },
    (of) => {
      for (const event of of.timeline) if ("actor" in event) event.actor = null;
    },
  ];
}

/** The same value with every list in another order. */
function shuffle(value: unknown, numbers: fc.Stream<number>): unknown {
  if (Array.isArray(value)) {
    const left = value.map((each) => shuffle(each, numbers));
    const out: unknown[] = [];
    for (const number of numbers.take(left.length)) out.push(...left.splice(number % left.length, 1));
    return out;
  }
  if (value === null || typeof value !== "object") return value;
  // The configuration is text that a digest covers, and not a list of facts.
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, key === "config" ? each : shuffle(each, numbers)]),
  );
}

function fail(message: string): never {
  throw new Error(message);
}
