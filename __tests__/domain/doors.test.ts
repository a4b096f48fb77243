import { describe, expect, test } from "vitest";
import { listStarters, type Actor } from "../../src/domain/actors.ts";
import { isAllowance, judgeDoors, type DoorFacts } from "../../src/domain/doors.ts";
import type { GithubUser, GithubWorkflowRun } from "../../src/domain/github-answers.ts";
import { isAskedByPerson, parseEventPayload } from "../../src/domain/event-payload.ts";

const GOOD: DoorFacts = {
  purpose: "execute",
  event: {
    name: "workflow_dispatch",
    head: "own",
    defaultBranch: "main",
    repositoryId: 1,
    sender: undefined,
    pullRequest: undefined,
  },
  credentials: [],
  oidcNames: [],
  tokenRights: "read",
  actors: undefined,
  runnerEnvironment: "github-hosted",
};
const codes = (facts: Partial<DoorFacts>, allowed: Parameters<typeof judgeDoors>[1] = []): string[] =>
  judgeDoors({ ...GOOD, ...facts }, allowed).map(({ code }) => code);

test("a job as it should be goes in", () => {
  expect(codes({})).toEqual([]);
  expect(codes({ tokenRights: undefined })).toEqual([]);
});

test("S-32: a token that writes, or of which nobody says what it can do, is refused where programs run", () => {
  expect(codes({ tokenRights: "write" })).toEqual(["TOKEN_TOO_BROAD"]);
  expect(codes({ tokenRights: { unknown: "GET /repos: 503" } })).toEqual(["TOKEN_TOO_BROAD"]);
  expect(codes({ tokenRights: "write" }, ["token-write"])).toEqual([]);
  for (const purpose of ["preflight", "publish", "gate"] as const)
    expect(codes({ purpose, tokenRights: "write" })).toEqual([]);
});

describe("S-34: who started it", () => {
  const may: Actor = {
    did: "started",
    login: "ada",
    id: 7,
    isBot: false,
    permission: { level: "write", ofId: 7, ofType: "User" },
  };
  const refusedAs = (more: Partial<Actor>, allowed: Parameters<typeof judgeDoors>[1] = []): string | undefined =>
    judgeDoors({ ...GOOD, actors: [{ ...may, ...more }] }, allowed)[0]?.message;

  test.each([
    [{ permission: { level: "admin", ofId: 7, ofType: "User" } }, undefined],
    [{ permission: { level: "read", ofId: 7, ofType: "User" } }, "found the permission read"],
    [{ permission: { level: "none", ofId: 7, ofType: "User" } }, "found the permission none"],
    [{ permission: { level: "admin", ofId: 8, ofType: "User" } }, "the login ada belongs to another account now"],
    [{ permission: { level: "admin", ofId: null, ofType: "User" } }, "names no account"],
    [{ permission: { unknown: "GET: 503" } }, "what they may do is not known: GET: 503"],
    [{ permission: { level: "write", ofId: 7, ofType: "Organization" } }, "found an account of type Organization"],
    [{ isBot: true }, "found a bot"],
    [{ id: null }, "whose account that is, is not known: give"],
    [{ id: null, why: "GET: 503" }, "whose account that is, is not known (GET: 503): give"],
  ] as const)("%j", (more, said) => {
    const message = refusedAs(more);
    if (said === undefined) expect(message).toBeUndefined();
    else expect(message).toContain(said);
    // An account is allowed by its number, whatever is wrong with it; one without a number is not.
    expect(refusedAs(more, ["actor:8"])).toBe(message);
    if (!("id" in more)) expect(refusedAs(more, ["actor:7"])).toBeUndefined();
  });

  test("is not asked of a gate, which reads alone", () => {
    const actors = [{ ...may, isBot: true }];
    expect(codes({ actors })).toEqual(["EVENT_NOT_ALLOWED"]);
    expect(codes({ purpose: "publish", actors })).toEqual(["EVENT_NOT_ALLOWED"]);
    expect(codes({ purpose: "gate", actors })).toEqual([]);
  });

  const by = { event: "push", actor: "ada", actorId: "7", triggeringActor: "ada", attempt: "1" };
  const run = (actor: GithubUser, again: GithubUser) =>
    ({ actor, triggering_actor: again }) as unknown as GithubWorkflowRun;
  const ada = { id: 7, login: "ada", type: "User" };
  const bob = { id: 8, login: "bob", type: "User" };
  const names = (more: Partial<typeof by>, of?: GithubWorkflowRun): string[] =>
    listStarters({ ...by, ...more }, of ?? { unknown: "GET: 503" }).map(
      ({ did, login, id, isBot }) => `${did} ${login} ${id} ${isBot}`,
    );

  test.each([
    ["GitHub's answer counts, once for one person", {}, run(ada, ada), ["started ada 7 false"]],
    ["and twice for two", { attempt: "2" }, run(ada, bob), ["started ada 7 false", "ran again bob 8 false"]],
    ["an account that is gone is nobody", {}, run(null, null), ["started ghost null false"]],
    ["whoever is no person is a bot", {}, run({ ...ada, type: "Mannequin" }, ada), ["started ada 7 true"]],
    ["the runner's word where GitHub has none", {}, undefined, ["started ada 7 false"]],
    [
      "which has no number of who ran it again",
      { triggeringActor: "bob" },
      undefined,
      ["started ada 7 false", "ran again bob null false"],
    ],
    [
      "nor a name of who ran it again where nobody says it",
      { triggeringActor: "", attempt: "2" },
      undefined,
      ["started ada 7 false", "ran again  null false"],
    ],
    ["of a first attempt nobody has to say it", { triggeringActor: "" }, undefined, ["started ada 7 false"]],
    ["nor of who is not told", { actorId: "x" }, undefined, ["started ada null false"]],
    ["a bot by its name", { actor: "x[bot]", triggeringActor: "x[bot]" }, undefined, ["started x[bot] 7 true"]],
    ["nobody starts a schedule", { event: "schedule" }, run(ada, ada), []],
    ["but somebody runs it again", { event: "schedule", attempt: "2" }, run(ada, bob), ["ran again bob 8 false"]],
  ] as const)("%s", (_what, more, of, expected) => {
    expect(names(more, of)).toEqual(expected);
  });
});

test("everything that is wrong is said at once, and each word opens its own door alone", () => {
  const event = { ...GOOD.event, name: "issue_comment", head: "fork" } as const;
  const facts = {
    event,
    credentials: ["x"],
    oidcNames: ["Y"],
    tokenRights: "write",
    runnerEnvironment: "self-hosted",
  } as const;
  const words = ["event:issue_comment", "fork", "credentials-persisted", "oidc", "token-write", "self-hosted"] as const;
  const all = [
    "EVENT_NOT_ALLOWED",
    "FORK_NOT_ALLOWED",
    "CREDENTIALS_PERSISTED",
    "OIDC_PRESENT",
    "TOKEN_TOO_BROAD",
    "SELF_HOSTED_NOT_ALLOWED",
  ];
  expect(codes(facts)).toEqual(all);
  for (const [index, word] of words.entries())
    expect(codes(facts, [word])).toEqual(all.filter((_, other) => other !== index));
  expect(codes(facts, words)).toEqual([]);
});

test("the gate takes what anybody can cause, publishing what follows a run, and neither what nobody knows", () => {
  const at = (purpose: DoorFacts["purpose"], name: string): string[] =>
    codes({ purpose, event: { ...GOOD.event, name, head: "fork" } });
  expect(at("gate", "pull_request_target")).toEqual([]);
  expect(at("gate", "teleport")).toEqual(["EVENT_NOT_ALLOWED"]);
  expect(at("publish", "workflow_run")).toEqual(["FORK_NOT_ALLOWED"]);
  expect(at("preflight", "workflow_run")).toEqual(["EVENT_NOT_ALLOWED", "FORK_NOT_ALLOWED"]);
});

test.each(["*", "all", "event:", "event:*", "actor:", "actor:*", "actor:ada", "actor:0", "event:Push", "forks", ""])(
  "%j is no word of allow",
  (word) => {
    expect(isAllowance(word)).toBe(false);
  },
);

describe("payloads", () => {
  const head = (repo: unknown, base: number, own = 1): string | undefined => {
    const pull = { number: 2, head: { repo }, base: { repo: { id: base } } };
    const parsed = parseEventPayload("pull_request", JSON.stringify({ repository: { id: own }, pull_request: pull }));
    return parsed.ok ? parsed.value.head : undefined;
  };
  test("a head is the repository's own only by its number", () => {
    expect(head({ id: 1 }, 1)).toBe("own");
    expect(head({ id: 2 }, 1)).toBe("fork");
    expect(head({ id: 2 }, 2)).toBe("fork");
    expect(head(null, 1)).toBe("unknown");
    expect(head(undefined, 1)).toBe("unknown");
    expect(head({ id: "1" }, 1)).toBeUndefined();
  });

  test("a person asked when a person dispatched it", () => {
    const asked = (name: string, type: string): boolean => {
      const parsed = parseEventPayload(name, JSON.stringify({ sender: { id: 1, login: "x", type } }));
      return parsed.ok && isAskedByPerson(parsed.value);
    };
    expect(asked("workflow_dispatch", "User")).toBe(true);
    expect(asked("workflow_dispatch", "Bot")).toBe(false);
    expect(asked("schedule", "User")).toBe(false);
  });
});
