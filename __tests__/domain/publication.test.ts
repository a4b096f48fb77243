import { describe, expect, test } from "vitest";
import { decidePublication, decidePush, isPublished, listChain } from "../../src/domain/publication.ts";
import { decidePull, type ListedPull } from "../../src/domain/publication-pull.ts";
import { buildPlan, draft } from "./run-fixtures.ts";
import { created, doneRun, fold, inStage } from "./run-story.ts";

const PLAN = buildPlan([{ item_id: "01" }]);

describe("what may leave a run", () => {
  test("a closed one, whatever stands at its gates", () => {
    const state = fold(doneRun());
    expect(decidePublication(state)).toEqual({
      kind: "complete",
      branch: state.created.run_branch,
      base: state.created.base_commit,
      head: state.tip,
    });
  });

  test.each([
    ["one that goes on", [created()], "the run has not stopped"],
    [
      "one that handed off",
      [
        created(),
        draft("run_stopped", { kind: "handoff", terminal_state: null, reason_codes: [], signal: null }, null),
      ],
      "the run is sealed and goes on later",
    ],
    [
      "one that failed",
      [
        created(),
        ...inStage("planning").slice(0, 1),
        draft("stage_failed", { stage: "planning", reason_code: "PREPARE_FAILED", message: "no" }, null),
        draft(
          "run_stopped",
          { kind: "terminal", terminal_state: "failed", reason_codes: ["PREPARE_FAILED"], signal: null },
          null,
        ),
      ],
      "the run is failed: PREPARE_FAILED",
    ],
  ] as const)("nothing of %s", (_what, events, why) => {
    expect(decidePublication(fold(events))).toEqual({ kind: "nothing", why });
  });

  test("commits that are no chain from the base to the head are refused", () => {
    const state = fold(doneRun());
    const publication = decidePublication(state);
    if (publication.kind === "nothing") throw new Error(publication.why);
    // Without the facts of the closing there is no commit that leads to the head.
    expect(listChain({ state, plan: PLAN }, publication, undefined)).toMatchObject({
      ok: false,
      error: { code: "GIT_TAMPERED" },
    });
  });
});

describe("what a push may replace", () => {
  const state = fold(doneRun());
  const publication = decidePublication(state);
  if (publication.kind === "nothing") throw new Error(publication.why);
  const item = state.items[0]?.settled?.commit ?? "";

  test.each([
    ["nothing there", undefined, { kind: "push", expected: undefined }],
    ["its own earlier commit", item, { kind: "push", expected: item }],
    ["the head", state.tip, { kind: "nothing_to_do" }],
    ["the base", state.created.base_commit, { kind: "refused" }],
    ["somebody else's commit", "f".repeat(40), { kind: "refused" }],
  ] as const)("%s", (_what, current, decision) => {
    expect(decidePush(state, publication, current)).toMatchObject(decision);
  });
});

describe("what is on GitHub already", () => {
  const state = fold(doneRun());
  const at = (head: string, status: "intended" | "published" | "merged" | "unavailable") => ({
    ...state,
    publication: { head, status, publishedHead: head, pullRequest: null, message: "" },
  });

  test.each([
    [state, false],
    [at(state.tip, "published"), true],
    [at("f".repeat(40), "published"), false],
    [at(state.tip, "merged"), true],
    // A draft that was merged before its time.
    [at("f".repeat(40), "merged"), false],
    [at(state.tip, "intended"), false],
    [at(state.tip, "unavailable"), false],
  ])("row %#", (given, published) => {
    expect(isPublished(given)).toBe(published);
  });
});

describe("which pull request is the run's own", () => {
  const pull = (more: Partial<ListedPull> = {}): ListedPull => ({
    number: 7,
    state: "open",
    mergedAt: null,
    draft: false,
    title: "",
    url: "",
    marked: true,
    body: "",
    author: "bot",
    baseBranch: "main",
    head: "head",
    ...more,
  });

  test.each([
    ["none", [], "none"],
    ["ours", [pull()], "ours"],
    [
      "ours beside one that is for another branch",
      [pull({ number: 6, author: "eve", baseBranch: "next" }), pull()],
      "ours",
    ],
    ["ours, when an older one was closed", [pull({ number: 6, state: "closed" }), pull()], "ours"],
    ["one without the mark", [pull({ marked: false })], "refused"],
    ["one with the mark that somebody else opened", [pull({ author: "eve" })], "refused"],
    ["one whose author is gone", [pull({ author: null })], "refused"],
    ["one that was pointed elsewhere", [pull({ baseBranch: "next" })], "refused"],
    ["one that was closed", [pull({ state: "closed" })], "refused"],
    ["one that was merged", [pull({ state: "closed", mergedAt: "2026-01-01T00:00:00Z" })], "merged"],
    ["somebody else's that was closed", [pull({ state: "closed", author: "eve" })], "none"],
  ] as const)("%s", (_what, pulls, kind) => {
    expect(decidePull(pulls, { self: "bot", baseBranch: "main" }).kind).toBe(kind);
  });

  test("where nobody knows who we are, the mark decides", () => {
    expect(decidePull([pull({ author: "eve" })], { self: undefined, baseBranch: "main" }).kind).toBe("ours");
  });
});
