import { describe, expect, it } from "vitest";
import { whoAsked } from "../../src/action/access.ts";
import type { EventFacts } from "../../src/domain/event-payload.ts";
import { judgeAsker, listAskers } from "../../src/domain/askers.ts";

const ADA = { login: "ada", id: 7 };
const account = (more: object = {}) => ({ ...ADA, type: "User", ...more });

describe("S-34: who started a workflow run", () => {
  it("is the sender of the event and, by its variable, who started it again", () => {
    const event = { name: "workflow_dispatch", sender: { ...ADA, type: "User" } } as EventFacts;
    expect(whoAsked(event, { GITHUB_TRIGGERING_ACTOR: "robo[bot]" })).toEqual({
      byPerson: true,
      askedBy: "workflow_dispatch by ada",
      askers: [ADA, { login: "robo[bot]", id: null }],
    });
  });

  it.each([
    ["the sender alone", ADA, "Ada", [ADA]],
    ["somebody else started it again", ADA, "grace", [ADA, { login: "grace", id: null }]],
    ["nobody says who started it again", ADA, undefined, [ADA, { login: "", id: null }]],
    ["the event names no sender", undefined, "grace", [{ login: "grace", id: null }]],
  ])("%s", (_what, sender, again, expected) => {
    expect(listAskers(sender, again)).toEqual(expected);
  });

  it.each([
    ["a person who may write", ADA, { permission: "write", user: account() }, undefined],
    [
      "an administrator, whose number the event does not tell",
      { login: "ADA", id: null },
      { permission: "admin", user: account() },
      undefined,
    ],
    ["the login is another's now", ADA, { permission: "admin", user: account({ id: 8 }) }, "another account"],
    [
      "the answer is about another login",
      ADA,
      { permission: "admin", user: account({ login: "eve" }) },
      "another account",
    ],
    ["a bot", ADA, { permission: "write", user: account({ type: "Bot" }) }, "not a person"],
    ["a machine's account", ADA, { permission: "write", user: account({ id: 99, login: "ADA" }) }, "another account"],
    [
      "a machine, by its number",
      { login: "robo", id: 99 },
      { permission: "write", user: account({ login: "robo", id: 99 }) },
      "machine-users",
    ],
    ["who may read", ADA, { permission: "read", user: account() }, "cannot write"],
    ["nobody that the repository knows", ADA, null, "no access"],
    ["an account that is gone", ADA, { permission: "write", user: null }, "no access"],
    ["nobody", { login: "", id: null }, null, "unknown"],
  ])("%s", (_what, asker, answer, why) => {
    const given = answer === null ? null : { role_name: answer.permission, ...answer };
    const found = judgeAsker(asker, given, { "machine-users": [99] });
    if (why === undefined) expect(found).toBe(undefined);
    else expect(found).toContain(why);
  });
});
