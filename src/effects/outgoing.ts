import { readPatchLines } from "../domain/patch-lines.ts";
import { matchOwnRules } from "../domain/secret-findings.ts";
import type { SecretLook } from "../domain/packed-run.ts";
import type { Redactor } from "./redactor.ts";

/** Bytes that rules are tried on, of one file and of all together; exact values are looked for in all of them. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;
const ALL_BYTES_MAX = 64 * 1024 * 1024;

/** Looks through what leaves this machine before it does. */
export interface Outgoing {
  /** Variables whose values stand in a file or in its name: then it must stay. Else notes what looks like a secret. */
  judge(path: string, bytes: Uint8Array): Promise<readonly string[]>;
  /** Places that a rule takes for a secret, one for each file and rule. */
  readonly looks: readonly SecretLook[];
}

/**
 * Makes what looks through the files of one folder. Patches and what the trusted branch publishes are not tried by rules:
 * candidates were when they were built, by the exceptions of the policy. `standing` are variables whose values the
 * repository has had all along: whoever reads it has them.
 */
export function createOutgoing(redactor: Redactor, standing: ReadonlySet<string>): Outgoing {
  const looks: SecretLook[] = [];
  let left = ALL_BYTES_MAX;
  return {
    looks,
    async judge(path, bytes) {
      const found = new Set([...redactor.names(new TextEncoder().encode(path)), ...redactor.names(bytes)]);
      const names = [...found].filter((name) => !standing.has(name));
      if (names.length > 0) return names.sort();
      if (left <= 0 || RULELESS.test(path)) return [];
      const head = bytes.subarray(0, Math.min(left, FILE_BYTES_MAX));
      left -= head.length;
      const text = new TextDecoder().decode(head);
      const library = await import("./secret-rules.ts");
      for (const { rule, start } of [...matchOwnRules(text), ...(await library.matchRules(path, text))]) {
        if (looks.some((look) => look.path === path && look.rule === rule)) continue;
        looks.push({ path, rule, line: text.slice(0, start).split("\n").length });
      }
      return [];
    },
  };
}

/** Variables whose values a patch adds; what it takes away elsewhere, or leaves, stood in the repository before. */
export function listAdded(patch: Uint8Array, redactor: Redactor): readonly string[] {
  if (redactor.names(patch).length === 0) return [];
  const files = readPatchLines(patch);
  const before = files.map(({ removed }) => removed).join("\n");
  return files.flatMap(({ path, added }) => {
    const text = added.map((line) => line.text).join("\n");
    const isNew = redactor.find(text).some(({ start, end }) => !before.includes(text.slice(start, end)));
    return [path, ...(isNew ? [text] : [])].flatMap((found) => redactor.names(new TextEncoder().encode(found)));
  });
}

const RULELESS = /(\.patch|^plan\.md|^policy\.json|^normalized_plan\.json|(^|\/)manifest\.json)$/;
