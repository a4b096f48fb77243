import { describe, expect, it } from "vitest";
import { judgeQueue } from "../../src/domain/plan-queue.ts";
import { buildStarter, nameStarter, STARTER_FORMS } from "../../src/domain/plan-starter.ts";
import { parseText } from "./plan-fixtures.ts";

describe.each(STARTER_FORMS)("a starter in the form %s", (form) => {
  it.each(["rotate-session-keys", "Rotate: the | `keys` # 'now'", "true", "2026", "null", "# Überblick \u202E"])(
    "of %j lints without a word",
    (text) => {
      const name = nameStarter(text);
      if (name === undefined) throw new Error("expected a name");
      const { plan, problems } = parseText(buildStarter(form, name, "queued"), {
        path: "docs/exec-plans/active/x.md",
        forbiddenRoots: ["docs/exec-plans/active"],
      });
      expect(problems).toEqual([]);
      expect(plan).toMatchObject({ plan_id: name.planId, title: name.title });
      expect(plan === undefined ? [] : judgeQueue(plan, "active")).toEqual([]);
      expect(plan?.items[0]).toMatchObject({
        change_profile: "docs_only",
        required_commands: [`test -s docs/${name.planId}.md`],
      });
    },
  );
});

it.each([
  ["rotate-keys", { planId: "rotate-keys", title: "Rotate keys" }],
  ["Rotate  keys!", { planId: "rotate-keys", title: "Rotate keys!" }],
  ["鍵", undefined],
  ["", undefined],
])("the name %j", (text, name) => {
  expect(nameStarter(text)).toEqual(name);
});
