import { describe, expect, it } from "vitest";
import { whoAsked } from "../../src/action/access.ts";
import { whyNotAsked, type Actor } from "../../src/domain/actors.ts";
import type { EventFacts } from "../../src/domain/event-payload.ts";

const ADA: Actor = {
  did: "started",
  login: "ada",
  id: 7,
  isBot: false,
  permission: { level: "write", ofId: 7, ofType: "User" },
};
const ROBO: Actor = { ...ADA, login: "Robo", id: 99, permission: { level: "write", ofId: 99, ofType: "User" } };

describe("S-34: who asked for a run", () => {
  it("is the sender of the event in words, and everybody who started the workflow run by number", () => {
    const event = { name: "workflow_dispatch", sender: { login: "ada", id: 7, type: "User" } } as EventFacts;
    expect(whoAsked({ event, starters: [ADA, ROBO] })).toEqual({
      byPerson: true,
      askedBy: "workflow_dispatch by ada",
      askers: [ADA, ROBO],
    });
    const schedule = { name: "schedule", sender: undefined } as EventFacts;
    expect(whoAsked({ event: schedule, starters: [] })).toEqual({ byPerson: false, askedBy: "schedule", askers: [] });
  });

  it.each([
    ["a person who may write", ADA, undefined],
    ["an administrator", { ...ADA, permission: { level: "admin", ofId: 7, ofType: "User" } }, undefined],
    ["who may read", { ...ADA, permission: { level: "read", ofId: 7, ofType: "User" } }, "found the permission read"],
    [
      "the login is another's now",
      { ...ADA, permission: { level: "admin", ofId: 8, ofType: "User" } },
      "another account",
    ],
    ["nobody knows whose account it is", { ...ADA, id: null }, "not known"],
    ["a bot", { ...ADA, isBot: true }, "a bot"],
    ["nobody knows what they may do", { ...ADA, permission: { unknown: "GET: 503" } }, "not known: GET: 503"],
    ["a machine by its number", { ...ROBO, login: "renamed" }, "policy.machine-users"],
    [
      "an account that is no person's",
      { ...ADA, permission: { level: "admin", ofId: 7, ofType: "Bot" } },
      "found an account of type Bot",
    ],
    [
      "a machine by its login",
      { ...ROBO, id: 5, permission: { level: "admin", ofId: 5, ofType: "User" } },
      "policy.machine-users",
    ],
  ])("%s", (_what, actor, why) => {
    const found = whyNotAsked(actor, { "machine-users": [99, "robo"] });
    if (why === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(why);
  });
});
