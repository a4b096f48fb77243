import { buildSlug, isPlanId } from "./plan-identity.ts";
import { cleanLine } from "./visible-text.ts";

/** The forms a starter can be written in. */
export const STARTER_FORMS = ["yaml", "table", "metadata"] as const;
export type StarterForm = (typeof STARTER_FORMS)[number];

/** What a new plan is called. */
export interface StarterName {
  readonly planId: string;
  readonly title: string;
}

/** Reads `rotate-session-keys` as an id and anything else as a title; undefined when no id can be made of it. */
export function nameStarter(text: string): StarterName | undefined {
  const title = cleanLine(text).replace(/^#+\s*/, "");
  if (isPlanId(title)) {
    const words = title.replaceAll("-", " ");
    return { planId: title, title: `${words.charAt(0).toUpperCase()}${words.slice(1)}` };
  }
  const planId = buildSlug(title);
  return planId === "" ? undefined : { planId, title };
}

/** Builds a plan to begin with. It has one item that writes one document, so it lints without a word and can be run. */
export function buildStarter(form: StarterForm, name: StarterName, status: "draft" | "queued"): string {
  const lines = form === "yaml" ? buildFrontMatter(name, status) : buildSections(form, name, status);
  return lines.concat("").join("\n");
}

const OWNER = "name who answers for this plan";
const CRITERIA = "say what has to be true in the end, so that somebody else can tell";
const CONTEXT = "What everybody has to know who works on this plan.";

function buildFrontMatter({ planId, title }: StarterName, status: string): string[] {
  const path = documentOf(planId);
  return [
    "---",
    `plan-id: ${quoteWord(planId)}`,
    `status: ${status}`,
    "priority: p2",
    `owner: ${OWNER}`,
    `acceptance-criteria: ${CRITERIA}`,
    "risk: low",
    "phase: first",
    "why: say why now",
    "items:",
    "  - id: '01'",
    "    title: Say what to do",
    "    exit-criteria: Say when it is done",
    `    write-roots: [${path}]`,
    `    deliverables: [${path}]`,
    `    verify: [test -s ${path}]`,
    "---",
    `# ${title}`,
    "",
    CONTEXT,
    "",
    "## 01 The first item",
    "",
    "What only this item needs: text under a heading that begins with an item's id travels with that item.",
  ];
}

function buildSections(form: "table" | "metadata", { planId, title }: StarterName, status: string): string[] {
  const path = documentOf(planId);
  const head = [
    `# ${title}`,
    "",
    "## Metadata",
    `- Plan-ID: ${planId}`,
    `- Status: ${status}`,
    "- Priority: p2",
    `- Owner: ${OWNER}`,
    `- Acceptance-Criteria: ${CRITERIA}`,
    "- Risk-Tier: low",
  ];
  if (form === "table") {
    return [
      ...head,
      "",
      "## 1. Context",
      "",
      CONTEXT,
      "",
      "## 2. Items",
      "",
      "| step_id | phase | action | why_now | owner_type | prerequisites | repo_surfaces | deliverable | exit_criteria | allowed_write_roots | requires_red_green | required_verification_commands |",
      "|---|---|---|---|---|---|---|---|---|---|---|---|",
      `| 01 | first | Say what to do | Say why now | writer | none | none | \`${path}\` | Say when it is done | \`${path}\` | no | \`test -s ${path}\` |`,
    ];
  }
  return [
    ...head,
    `- Implementation-Targets: ${path}`,
    `- Validation: test -s ${path}`,
    "",
    "## Context",
    "",
    CONTEXT,
    "",
    "## Must-Land Checklist",
    "",
    "- [ ] Say what has to be there in the end",
  ];
}

/** The one file that the starter's item writes: a document, so that the risk is low until somebody says more. */
function documentOf(planId: string): string {
  return `docs/${planId}.md`;
}

/** `2026` and `true` are ids, and no texts in YAML unless they are quoted. */
function quoteWord(word: string): string {
  return /^[a-z]/.test(word) && !/^(?:true|false|null)$/.test(word) ? word : `'${word}'`;
}
