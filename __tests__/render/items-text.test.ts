import { describe, expect, it } from "vitest";
import type { PlanItem } from "../../src/domain/plan.ts";
import { renderItem, renderItemsTable } from "../../src/render/items-text.ts";
import { parseText, readFixture } from "../domain/plan-fixtures.ts";

const items: readonly PlanItem[] = parseText(readFixture("full.md")).plan?.items ?? [];

describe("renderItemsTable", () => {
  it("aligns its columns", () => {
    expect(renderItemsTable(items)).toMatchInlineSnapshot(`
      "ITEM        PHASE     AFTER     GATE             PROFILE          ACTION
      01          Phase 1   -         none             behavioral_code  Key ring with \`a|b\` and \`\`c\`|\`d\`\`
      02          Phase 1   01        none             mixed            Verify with both keys
      03          2         01,02     security_review  docs_only        Runbook
      04.b:c_d-e  Roll-out  01,02,03  none             docs_only        Switch
      "
    `);
  });

  it("has a header even for no items, cuts what is long, and steers no terminal", () => {
    expect(renderItemsTable([])).toBe("ITEM  PHASE  AFTER  GATE  PROFILE  ACTION\n");
    const [item] = items;
    const rendered = renderItemsTable(
      item === undefined ? [] : [{ ...item, phase: "𝒮\u001B[2J", action: "x".repeat(61) }],
    );
    expect(rendered).toContain("𝒮\\u{1B}[2J  -      none  behavioral_code  ");
    expect(rendered).toContain(`  ${"x".repeat(59)}…\n`);
  });
});

describe("renderItem", () => {
  it("shows every field", () => {
    expect(renderItem(items[0] ?? fail())).toMatchInlineSnapshot(`
      "item 01
        phase           Phase 1
        action          Key ring with \`a|b\` and \`\`c\`|\`d\`\`
        why now         Keys leak
        owner           developer
        exit criteria   Both keys verify | the newer signs
        after           -
        write roots     src/session
                        __tests__/session
        surfaces        src/session
                        README.md
        consult         docs/security.md
        deliverables    src/session/key-ring.ts
                        __tests__/session/key-ring.test.ts
        artifacts       src/session/key-ring.ts
                        __tests__/session/key-ring.test.ts
        commands        npm test -- session
                        node -e "a; b"
                        echo \`date\`; true
        suggested       npm run bench
        red/green       yes
        profile         behavioral_code
        manual gate     none
        gate reason     Both keys verify | the newer signs
        gate evidence   decision record
        external check  none
        dependencies    -
        notes           A note with a backslash \\d.
        line            37
      "
    `);
  });

  it("shows what cannot be seen", () => {
    expect(renderItem({ ...(items[0] ?? fail()), notes: "a\u202Eb" })).toContain("notes           a\\u{202E}b\n");
  });
});

function fail(): never {
  throw new Error("the fixture has no items");
}
