import { expect, test } from "vitest";
import { judgeSecrets } from "../../src/domain/secret-findings.ts";
import { createRedactor } from "../../src/effects/redactor.ts";
import { createSecrets } from "../../src/effects/secret-scan.ts";

const secrets = createSecrets(createRedactor({ API_TOKEN: "q7Rz-81mX.kfW2" }));

/** A patch that adds lines to a file, and takes others away from one. */
function patchOf(path: string, added: readonly string[], removed: readonly string[] = []): Uint8Array {
  const hunk = (sign: string, lines: readonly string[]): string => lines.map((line) => `${sign}${line}\n`).join("");
  return Buffer.from(
    [
      `diff --git a/old.txt b/old.txt\n--- a/old.txt\n+++ /dev/null\n@@ -1,${removed.length} +0,0 @@\n${hunk("-", removed)}`,
      `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1,${added.length} @@\n${hunk("+", added)}`,
    ].join(""),
  );
}

const scan = (lines: readonly string[], path = "a/file.ts", removed: readonly string[] = []) =>
  secrets.scan(patchOf(path, lines, removed));

/** Built here, so that no scanner takes this file for a leak. */
const GHS = `ghs_${"aB3".repeat(60)}`;

test.each([
  ["environment", "a/file.ts", "x = 'q7Rz-81mX.kfW2'"],
  ["environment", "a/file.ts", `x = '${Buffer.from("user:q7Rz-81mX.kfW2").toString("base64")}'`],
  ["github", "a/file.ts", `x = '${GHS}' // secretlint-disable-line`],
  ["github", "a/file.ts", `gho_${"x9".repeat(11)}`],
  ["npm", ".npmrc", `//packages.example.com/:_authToken=${"a1b2".repeat(9)}`],
  ["slack", "a/file.ts", `https://hooks.slack.com/services/T${"0A".repeat(4)}/B${"0B".repeat(4)}/${"aZ".repeat(12)}`],
  ["basicauth", "a/file.ts", ["https://robot:pa55", "w0rdx@example.com/"].join("")],
])("%s finds what %s adds in its second line: %s", async (rule, path, line) => {
  // The file is the executor's: what it says to a linter counts for nothing.
  expect(await scan(["// secretlint-disable", line], path)).toContainEqual({ path, line: 2, rule });
  // What stood there before, wherever, is not new.
  expect((await scan([`  ${line}`], path, [line])).filter((found) => found.rule === rule)).toEqual([]);
});

test("a value over two lines, and one in a name", async () => {
  expect(await scan(["x = 'q7Rz-8", "1mX.kfW2'"])).toEqual([{ path: "a/file.ts", line: 1, rule: "environment" }]);
  expect(await scan(["x"], "a/q7Rz-81mX.kfW2.ts")).toEqual([
    { path: "a/q7Rz-81mX.kfW2.ts", line: 0, rule: "environment" },
  ]);
});

test("a file that is called .p12 is not looked for on this machine", async () => {
  expect(await scan(["x"], "etc/key.p12")).toEqual([]);
});

test("a thousand lines of innocent text have no secret and are not redacted", async () => {
  const redactor = createRedactor({ API_TOKEN: "q7Rz-81mX.kfW2", OTHER_KEY: "0123456789abcdef0123456789abcdef" });
  const hex = (seed: number, length: number): string =>
    Array.from({ length }, (_unused, index) => ((seed * 31 + index * index * 7) % 16).toString(16)).join("");
  const lines = Array.from({ length: 200 }, (_unused, index) => [
    `commit ${hex(index, 40)}`,
    `${hex(index, 8)}-${hex(index + 1, 4)}-4${hex(index + 2, 3)}-a${hex(index + 3, 3)}-${hex(index + 4, 12)}`,
    `      "integrity": "sha512-${Buffer.from(hex(index, 64)).toString("base64")}",`,
    `      "resolved": "https://packages.example.com/package-${index}/-/package-${index}-1.${index}.0.tgz",`,
    `var a=function(t,e){return t&&e?t.map(n=>n+${index}):void 0},b="key",token=(0,c.d)(a),password=process.env.PASSWORD;`,
  ]).flat();
  expect(lines).toHaveLength(1000);
  expect(await scan(lines, "package-lock.json")).toEqual([]);
  const text = lines.join("\n");
  expect(redactor.text(text)).toBe(text);
});

test("what the policy allows is a rule at a path, and never a value of the environment", () => {
  const at = (path: string, rule: string) => ({ path, line: 3, rule });
  const allow = [{ paths: ["fixtures/**"], rules: ["privatekey", "environment"] }];
  const judged = judgeSecrets(
    [
      at("fixtures/key.pem", "privatekey"),
      at("src/key.pem", "privatekey"),
      at("fixtures/a", "environment"),
      at("src/a", "aws"),
      at("src/a", "aws"),
    ],
    allow,
  );
  expect(judged).toEqual([
    { code: "SECRET_IN_DIFF", path: "src/key.pem", detail: "a secret in line 3, by rule privatekey" },
    { code: "SECRET_IN_DIFF", path: "fixtures/a", detail: "a secret in line 3, by rule environment" },
    { code: "SECRET_IN_DIFF", path: "src/a", detail: "a secret in line 3, by rule aws" },
  ]);
});
