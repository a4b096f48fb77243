import { readPatchLines, type PatchedFile } from "../domain/patch-lines.ts";
import {
  addedText,
  ENVIRONMENT_RULE,
  matchOwnRules,
  type SecretFinding,
  type SecretMatch,
} from "../domain/secret-findings.ts";
import type { Secrets } from "../ports.ts";
import type { Redactor } from "./redactor.ts";

/** Characters of a file that rules are tried on; what stands behind is looked through for exact values alone. */
const RULES_LENGTH_MAX = 4 * 1024 * 1024;

/** Looks for secrets in what a patch adds, with what is known of the environment and the rules of secretlint. */
export function createSecrets(redactor: Redactor): Secrets {
  return {
    redact: (value) => redactor.value(value),
    facts: () => redactor.facts(),
    async scan(patch) {
      const files = readPatchLines(patch);
      // What stood in the change before, in whatever file, is not new: it moved.
      const before = files.map(({ removed }) => removed).join("\n");
      const found: SecretFinding[] = [];
      for (const file of files) found.push(...(await scanFile(file, before, redactor)));
      return found;
    },
  };
}

async function scanFile(file: PatchedFile, before: string, redactor: Redactor): Promise<SecretFinding[]> {
  const { path } = file;
  const { text, lineAt } = addedText(file);
  const isNew = ({ start, end }: SecretMatch): boolean => !before.includes(text.slice(start, end));
  const exact = redactor.find(text).map(({ start, end }) => ({ rule: ENVIRONMENT_RULE, start, end }));
  const head = text.slice(0, RULES_LENGTH_MAX);
  const matches = [...exact, ...matchOwnRules(head), ...(await matchRules(path, head))];
  const found = matches.filter(isNew).map(({ rule, start }) => ({ path, rule, line: lineAt(start) }));
  return redactor.find(path).length === 0 ? found : [{ path, rule: ENVIRONMENT_RULE, line: 0 }, ...found];
}

/** The rules of the library, loaded with the first candidate: nobody else waits for them. */
async function matchRules(path: string, text: string): Promise<SecretMatch[]> {
  if (text.trim() === "") return [];
  const library = await import("./secret-rules.ts");
  return library.matchRules(path, text);
}
