import type { Config } from "./config.ts";
import type { Finding } from "./findings.ts";
import { dropHiddenLine, dropHiddenText } from "./hidden-text.ts";
import type { InstructionFiles } from "./instruction-files.ts";
import type { SessionKind } from "./item.ts";
import type { Plan, PlanItem } from "./plan.ts";
import { listProtectedPaths } from "./scope.ts";
import { showText } from "./visible-text.ts";

/** The longest finding that a prompt repeats, in characters; the file of the findings has the rest. */
const FINDING_LENGTH_MAX = 4000;
/** The most findings that a prompt repeats. */
const FINDINGS_MAX = 100;

/** What a session or an auditor is told about an item, in words that people wrote. Nothing hidden is left in them. */
export interface PromptTask {
  readonly planId: string;
  readonly itemId: string;
  readonly action: string;
  readonly whyNow: string;
  readonly exitCriteria: string;
  readonly notes: string;
  readonly deliverables: readonly string[];
  readonly consult: readonly string[];
  /** What the plan says about everything, about the item's phase, and about the item alone. */
  readonly background: readonly { readonly title: string; readonly text: string }[];
}

/** What holds for the item whatever its words say: each as it is enforced. */
export interface Guardrails {
  readonly writeRoots: readonly string[];
  /** The built-in floor, in the words of its globs. */
  readonly protectedFloor: readonly string[];
  /** What configuration protects besides: its globs, its folders, the plan and the configuration itself. */
  readonly protectedByConfig: readonly string[];
  readonly diffLines: number;
  readonly diffFiles: number;
  readonly diffBytes: number;
  readonly requiredCommands: readonly string[];
  readonly requiredArtifacts: readonly string[];
  /** Globs of test files when the item must prove red and green; nothing when it need not. */
  readonly redGreenTests: readonly string[] | undefined;
}

/** How a program answers: with a file at a path, or, as coding agents do, with its last message in the form of a schema. */
export type AnswerForm = { readonly kind: "file"; readonly path: string } | { readonly kind: "message" };

/** What the prompt of an executor's session says. Paths are absolute unless they are paths of the repository. */
export interface SessionPrompt {
  readonly role: SessionKind;
  readonly round: number;
  readonly task: PromptTask;
  readonly guardrails: Guardrails;
  readonly findings: readonly string[];
  /** Where all findings stand in full. */
  readonly findingsFile: string | undefined;
  readonly handoffFile: string | undefined;
  /** Folder of the evidence that a person supplied. */
  readonly evidenceFolder: string | undefined;
  readonly instructions: InstructionFiles;
  readonly answer: AnswerForm;
}

/** What an auditor's prompt says. */
export interface AuditPrompt {
  readonly role: "audit";
  readonly task: PromptTask;
  readonly guardrails: Guardrails;
  readonly attempt: number;
  readonly lane: string;
  readonly packetPath: string;
  readonly packetSha256: string;
  readonly nonce: string;
  readonly hasEvidence: boolean;
  /** What the candidate changed of its own verification, in lines. */
  readonly surface: readonly string[];
  readonly answer: AnswerForm;
}

/** What the prompt of a triage program says. */
export interface TriagePrompt {
  readonly role: "triage";
  readonly task: PromptTask;
  readonly attempt: number;
  readonly nonce: string;
  readonly findingsSha256: string;
  readonly findingsFile: string;
  readonly answer: AnswerForm;
}

/** What of a plan an item's programs are told, without what a reviewer could not see. */
export function buildTask(plan: Plan, item: PlanItem): PromptTask {
  const sections = [
    ...plan.shared_sections,
    ...plan.phase_sections.filter((section) => section.phase === item.phase),
    ...plan.item_sections.filter((section) => section.item_id === item.item_id),
  ];
  return {
    planId: showText(plan.plan_id),
    itemId: showText(item.item_id),
    action: dropHiddenLine(item.action),
    whyNow: dropHiddenLine(item.why_now),
    exitCriteria: dropHiddenLine(item.exit_criteria),
    notes: dropHiddenText(item.notes),
    deliverables: item.deliverables.map(showText),
    consult: [...new Set([...item.repo_surfaces, ...item.consult_paths])].map(showText),
    background: sections.map(({ title, text }) => ({ title: dropHiddenLine(title), text: dropHiddenText(text) })),
  };
}

/** What the item's candidate will be judged by. Commands and paths stay letter by letter; what hides in one is shown. */
export function buildGuardrails(input: {
  readonly plan: Plan;
  readonly item: PlanItem;
  readonly config: Pick<Config, "paths" | "policy" | "limits" | "validation">;
  readonly configPath: string;
}): Guardrails {
  const { plan, item, config } = input;
  const { floor, configured } = listProtectedPaths(config, [plan.path, input.configPath]);
  return {
    writeRoots: item.write_roots.map(showText),
    protectedFloor: floor,
    protectedByConfig: configured.map(showText),
    diffLines: config.limits["diff-lines"],
    diffFiles: config.limits["diff-files"],
    diffBytes: config.limits["diff-bytes"],
    requiredCommands: item.required_commands.map(showText),
    requiredArtifacts: item.required_artifacts.map(showText),
    redGreenTests: item.requires_red_green ? config.validation["test-paths"] : undefined,
  };
}

/**
 * What was found wrong, as far as a prompt repeats it. A finding may carry the words of an auditor, of a path or of a
 * command; they are data like the plan's.
 */
export function tellFindings(findings: readonly Finding[]): string[] {
  const told = findings.slice(0, FINDINGS_MAX).map(({ text }) => {
    const seen = dropHiddenText(text);
    return seen.length > FINDING_LENGTH_MAX ? `${seen.slice(0, FINDING_LENGTH_MAX).toWellFormed()}… (cut)` : seen;
  });
  const left = findings.length - told.length;
  return left === 0 ? told : [...told, `… and ${left} more`];
}
