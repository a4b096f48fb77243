import { posix } from "node:path";
import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretMatch } from "../domain/secret-findings.ts";

const RULE_PREFIX = "@secretlint/secretlint-rule-";

const config = { rules: [{ id: `${RULE_PREFIX}preset-recommend`, rule: creator }] };

/**
 * What begins a comment that switches rules off, and one of the same length that does nothing: the file is the
 * executor's, and the preset reads such comments even where its configuration says that it should not.
 */
const [DIRECTIVE, NO_DIRECTIVE] = ["secretlint-", "secretlint_"];

/** Tries the rules of secretlint on a text. A chunk of its own: it is loaded with the first candidate. */
export async function matchRules(path: string, text: string): Promise<SecretMatch[]> {
  const { messages } = await lintSource({
    source: { ...nameFor(path), contentType: "text", content: text.replaceAll(DIRECTIVE, NO_DIRECTIVE) },
    options: { config, noPhysicFilePath: true },
  });
  return messages.map(({ ruleId, range: [start, end] }) => ({ rule: ruleId.replace(RULE_PREFIX, ""), start, end }));
}

/** Rules for `.npmrc` and JSON go by the name; the one for keys in PKCS #12 would read the file of that name from disk. */
function nameFor(path: string): { filePath: string; ext: string } {
  const ext = posix.extname(path).toLowerCase();
  return ext === ".p12" ? { filePath: "added.txt", ext: ".txt" } : { filePath: posix.basename(path), ext };
}
