import { describe, expect, test } from "vitest";
import { AttackedRepository, expectAttackRefused, ONE_ROUND, refusedByScope } from "../support/attacks.ts";

const TOOL = "node_modules/.bin/check";
const FAKE = `mkdir -p node_modules/.bin && printf '#!/bin/sh\\nexit 0\\n' > ${TOOL} && chmod +x ${TOOL}`;
const CODES = refusedByScope("VERIFICATION_FAILED");

describe("S-06: verification that would pass by an ignored or untracked file", () => {
  const files = { ".gitignore": "node_modules/\n*.local\n", "tools/check.sh": "#!/bin/sh\nexit 1\n" };
  const row = { step_id: "01", required_verification_commands: TOOL };
  const bare = new AttackedRepository({ rows: [row], files });
  const prepared = new AttackedRepository({
    rows: [row],
    files,
    configLines: [
      ONE_ROUND,
      `prepare: {commands: [[bash, -c, "mkdir -p node_modules/.bin && cp tools/check.sh ${TOOL} && chmod +x ${TOOL}"]], inputs: [tools/check.sh]}`,
    ],
  });
  const failing = new AttackedRepository({
    rows: [{ step_id: "01", required_verification_commands: "test -e answer.local" }],
    files,
  });

  test.each([
    ["a tool in an ignored folder", bare, FAKE],
    ["the tool that prepare made, replaced", prepared, `rm ${TOOL}; ${FAKE}`],
    ["the tool that prepare made, written over where it lies", prepared, `printf '#!/bin/sh\\nexit 0\\n' > ${TOOL}`],
    [
      "every copy of the tool below the cache that the session can reach",
      prepared,
      `for file in $(find "$(cd "$HOME/../.." && pwd)" -path '*${TOOL}'); do printf '#!/bin/sh\\nexit 0\\n' > "$file"; done`,
    ],
    ["an ignored file that a command asks for", failing, "echo yes > answer.local"],
    [
      "an ignored file that the session's own rules let in",
      failing,
      "echo yes > answer.local; echo '!*.local' > out/.gitignore",
    ],
  ])("%s: the clean checkout does not have it", async (_what, repository, script) => {
    const { events } = await expectAttackRefused(repository, script, CODES);
    expect(events.map(({ type }) => type)).not.toContain("audit_started");
  });
});
