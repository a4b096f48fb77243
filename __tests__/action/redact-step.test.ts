import { expect, test } from "vitest";
import { redactStep } from "../../src/action/redact-step.ts";
import type { Step } from "../../src/action/step.ts";
import { createRedactor } from "../../src/effects/redactor.ts";

const SECRET = "q7Rz-81mX.kfW2";

test("S-17: nothing that a step says has a secret in it, but what it tells the runner to mask", () => {
  const said: unknown[] = [];
  const note = (...words: readonly unknown[]): void => void said.push(...words);
  const spoken: Step = {
    log: note,
    write: note,
    annotate: note,
    mask: note,
    output: note,
    summarize: async (text) => note(text),
  };
  const step = redactStep(spoken, createRedactor({ API_TOKEN: SECRET }));
  step.log(`a ${SECRET}`);
  step.write(`b ${SECRET}`);
  step.annotate("warning", `c ${SECRET}`, { title: `d ${SECRET}`, file: `e/${SECRET}` });
  step.output("name", `f ${SECRET}`);
  void step.summarize(`g ${SECRET}`);
  expect(JSON.stringify(said)).not.toContain(SECRET);
  expect(JSON.stringify(said).match(/\[redacted\]/g)).toHaveLength(7);
  step.mask(SECRET);
  expect(said.at(-1)).toBe(SECRET);
});
