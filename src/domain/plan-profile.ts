import type { PlanItem } from "./plan.ts";

const TEXT_EXTENSIONS: readonly string[] = [".md", ".mdx", ".rst", ".adoc", ".txt"];

/**
 * What kind of change an item makes: `behavioral_code` with red/green proof, `docs_only` when nothing but text
 * documents can come out of it, else `mixed`.
 */
export function buildChangeProfile(
  requiresRedGreen: boolean,
  deliverables: readonly string[],
  writeRoots: readonly string[],
): PlanItem["change_profile"] {
  if (requiresRedGreen) {
    return "behavioral_code";
  }
  const delivers = deliverables.every((path) => isTextFile(path) || path.split("/").slice(0, -1).includes("docs"));
  const writes = writeRoots.every((root) => isTextFile(root) || root.split("/").includes("docs"));
  return delivers && writes ? "docs_only" : "mixed";
}

function isTextFile(path: string): boolean {
  const lower = path.toLowerCase();
  return TEXT_EXTENSIONS.some((extension) => lower.endsWith(extension));
}
