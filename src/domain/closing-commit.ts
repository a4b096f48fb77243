import type { Config } from "./config.ts";
import { splitFrontMatter } from "./front-matter.ts";
import { setFrontMatterValues } from "./front-matter-edit.ts";
import { type MetadataBullet, type MetadataKey, parseMetadataBullets } from "./metadata-bullets.ts";
import { normalizePath } from "./paths.ts";
import type { Plan, PlanItem } from "./plan.ts";
import { findMissingCloser, parseOutline } from "./plan-outline.ts";
import { showText } from "./visible-text.ts";

/** What a finished run says about itself: every item passed and validation succeeded. */
export interface ClosingFacts {
  readonly plan: Plan;
  /** The plan file's text as the run took it, decoded with its byte order mark kept. */
  readonly planText: string;
  readonly paths: Pick<Config["paths"], "completed" | "evidence">;
  readonly runId: string;
  /** Day of the closure in UTC, `2026-03-25`. */
  readonly date: string;
  /** Digest of the audit packet that each item passed with. */
  readonly packets: readonly { readonly itemId: string; readonly sha256: string }[];
  /** Digest of the journal's last line before this commit. */
  readonly journalHead: string;
  /** The commit on the run branch that each item became. */
  readonly items: readonly { readonly itemId: string; readonly commit: string; readonly attempts: number }[];
}

/** A file of the closing commit; null deletes it. */
export interface ClosingFile {
  readonly path: string;
  readonly text: string | null;
}

/**
 * Builds what the closing commit changes. A plan with metadata moves to `completed/<date>-<plan-id>.md` with
 * `Status: completed`, `Done-Evidence` (in its front matter or its bullets) and the sections *Validation evidence* and *Closure*; the rest of its text stays
 * as it is, byte for byte. Every plan gets `evidence-index/<plan-id>.md`. It names plan, run, packets and the journal's
 * head, never gate decisions: those come after it.
 */
export function buildClosing(facts: ClosingFacts): { readonly files: ClosingFile[] } {
  const { plan } = facts;
  const proofs = joinProofs(facts);
  const evidence = joinPath(facts.paths.evidence, `${plan.plan_id}.md`);
  if (plan.metadata === null) {
    return { files: [{ path: evidence, text: buildEvidence(facts, proofs, plan.path) }] };
  }
  const completed = joinPath(facts.paths.completed, `${facts.date}-${plan.plan_id}.md`);
  return {
    files: [
      { path: completed, text: closePlanText(facts, proofs, evidence) },
      ...(completed === plan.path ? [] : [{ path: plan.path, text: null }]),
      { path: evidence, text: buildEvidence(facts, proofs, completed) },
    ],
  };
}

/** Builds the message of the closing commit, with the trailers that say what it rests on. */
export function buildClosingMessage(facts: Pick<ClosingFacts, "plan" | "runId" | "packets" | "journalHead" | "items">) {
  const packets = joinProofs(facts).map(({ packet }) => `Packet: ${packet}\n`);
  const { plan, runId, journalHead } = facts;
  return (
    `Close plan ${plan.plan_id}\n\n` +
    `Plan: ${plan.plan_id}\nRun: ${runId}\n${packets.join("")}Journal-Head: ${journalHead}\n`
  );
}

interface ItemProof {
  readonly item: PlanItem;
  readonly commit: string;
  readonly attempts: number;
  readonly packet: string;
}

/** The proof of every item in the plan's order. Closing a plan with an item that has none is a bug of ours. */
function joinProofs({ plan, packets, items }: Pick<ClosingFacts, "plan" | "packets" | "items">): ItemProof[] {
  const digests = new Map(packets.map(({ itemId, sha256 }) => [itemId, sha256]));
  const passed = new Map(items.map((item) => [item.itemId, item]));
  if (passed.size !== plan.items.length || passed.size !== items.length || digests.size !== packets.length) {
    throw new Error(`closing ${plan.plan_id}: the items are not those of the plan, each once`);
  }
  return plan.items.map((item) => {
    const proof = passed.get(item.item_id);
    const packet = digests.get(item.item_id);
    if (proof === undefined || packet === undefined) {
      throw new Error(`closing ${plan.plan_id}: item ${item.item_id} has no ${proof ? "packet" : "commit"}`);
    }
    return { item, commit: proof.commit, attempts: proof.attempts, packet };
  });
}

function closePlanText(facts: ClosingFacts, proofs: readonly ItemProof[], evidence: string): string {
  const { planText } = facts;
  const lineEnd = /\r\n|\r|\n/.exec(planText)?.[0] ?? "\n";
  // Lines at even places, their ends at odd ones: joined they are the text again.
  const pieces = planText.split(/(\r\n|\r|\n)/);
  const lines = pieces.filter((_, index) => index % 2 === 0);
  const mark = lines[0]?.startsWith("\uFEFF") === true ? "\uFEFF" : "";
  lines[0] = lines[0]?.slice(mark.length) ?? "";
  const values = { status: "completed", "done-evidence": evidence };
  const { yaml, body } = splitFrontMatter(lines, () => {});
  if (yaml === undefined) setValues(pieces, lines, values, lineEnd);
  else setFrontValues(pieces, values, lineEnd);
  const closer = findMissingCloser(body);
  const added = [
    ...(planText === "" || lines.at(-1) === "" ? [] : [""]),
    ...(closer === undefined ? [] : [closer]),
    "",
    "## Validation evidence",
    "",
    ...proofs.flatMap(proofLines),
    "",
    "## Closure",
    "",
    ...closureLines(facts),
    "",
  ];
  return pieces.join("") + added.join(lineEnd);
}

/** Sets values of the front matter, which stands between the first line and the next one like it. */
function setFrontValues(pieces: string[], values: Readonly<Record<string, string>>, lineEnd: string): void {
  const end = pieces.findIndex((piece, index) => index > 0 && index % 2 === 0 && /^---[ \t]*$/.test(piece));
  const yaml = pieces.slice(2, end).join("");
  pieces.splice(2, end - 2, setFrontMatterValues(yaml, values, lineEnd));
}

/** Sets values of metadata in place: an existing bullet keeps its key as written, a new one follows the last. */
function setValues(
  pieces: string[],
  lines: readonly string[],
  values: Partial<Record<MetadataKey, string>>,
  lineEnd: string,
): void {
  const section = parseOutline(lines, () => {}).metadata[0];
  if (section === undefined) throw new Error("closing a plan with metadata whose text has none");
  const bullets = parseMetadataBullets(section.lines, () => {});
  const lastLine = Math.max(section.line, ...bullets.map((bullet) => bullet.lastLine));
  const missing: string[] = [];
  for (const [key, value] of Object.entries(values)) {
    const bullet = bullets.find((candidate) => candidate.key === key);
    if (bullet === undefined) missing.push(`- ${TITLES[key] ?? key}: ${value}`);
    else setValue(pieces, bullet, value);
  }
  if (missing.length > 0) {
    const at = 2 * (lastLine - 1);
    const gap = bullets.length === 0 ? [""] : [];
    pieces[at] = [pieces[at] ?? "", ...gap, ...missing].join(lineEnd);
  }
}

const TITLES: Readonly<Record<string, string>> = { status: "Status", "done-evidence": "Done-Evidence" };

function setValue(pieces: string[], bullet: MetadataBullet, value: string): void {
  const first = 2 * (bullet.at.line - 1);
  const text = pieces[first] ?? "";
  const kept = text.slice(0, bullet.valueOffset);
  const blanks = /^[ \t]*/.exec(text.slice(kept.length))?.[0] ?? "";
  pieces[first] = `${kept}${blanks === "" ? " " : blanks}${value}`;
  // Continuation lines belong to the old value.
  for (let at = first + 1; at < 2 * bullet.lastLine - 1; at += 1) pieces[at] = "";
}

function buildEvidence(facts: ClosingFacts, proofs: readonly ItemProof[], planPath: string): string {
  return [
    `# Evidence: ${facts.plan.plan_id}`,
    "",
    `- Title: ${codeSpan(showText(facts.plan.title))}`,
    `- Plan: ${codeSpan(planPath)}`,
    ...closureLines(facts),
    "",
    "## Items",
    "",
    ...proofs.flatMap(proofLines),
    "",
  ].join("\n");
}

function closureLines({ runId, date, journalHead }: ClosingFacts): string[] {
  return [`- Run: \`${runId}\``, `- Date: ${date}`, `- Journal head before this commit: \`${journalHead}\``];
}

function proofLines({ item, commit, attempts, packet }: ItemProof): string[] {
  return [
    `- Item \`${item.item_id}\` passed in attempt ${attempts}: commit \`${commit}\`, packet \`${packet}\``,
    ...item.required_commands.map((command) => `  - exit code 0: ${codeSpan(command)}`),
  ];
}

/** A code span whose backticks are longer than any in the text, so that the text cannot end it. */
function codeSpan(text: string): string {
  const longest = (text.match(/`+/g) ?? []).reduce((length, run) => Math.max(length, run.length), 0);
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`;
}

function joinPath(folder: string, name: string): string {
  const base = normalizePath(folder);
  return base === "." ? name : `${base}/${name}`;
}
