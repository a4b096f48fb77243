import { DEFAULT_CONFIG_PATH } from "./run-choices.ts";
import { buildStarter } from "./plan-starter.ts";
import {
  buildStarterWorkflow,
  keyVariableOf,
  listStarterAgents,
  type StarterAgents,
  type WorkflowSource,
} from "./starter-workflow.ts";

/** Who maintains a repository: one person, or several who look at one another's work. */
export const STARTER_PROFILES = ["solo", "team"] as const;
export type StarterProfile = (typeof STARTER_PROFILES)[number];

/** What `conveyor init` was asked for. */
export interface StarterWish {
  readonly profile: StarterProfile;
  readonly agents: StarterAgents;
  readonly source: WorkflowSource;
}

/** One file that a repository begins with, and what it is for. */
export interface StarterFile {
  readonly path: string;
  readonly text: string;
  readonly purpose: string;
}

/** The plan that a new repository can run at once: it changes one document, so its risk is low. */
export const FIRST_PLAN_PATH = "docs/exec-plans/active/first-run.md";
const BLUEPRINT_PATH = "docs/future/next-plan.md";

/** Builds every file of a starter, in the order in which a person would read them. */
export function buildStarterFiles({ profile, agents, source }: StarterWish): readonly StarterFile[] {
  return [
    {
      path: DEFAULT_CONFIG_PATH,
      text: buildConfig(profile, agents),
      purpose: "who does the work, who judges it, what a run may cost, whose approval counts",
    },
    {
      path: ".github/workflows/conveyor.yml",
      text: buildStarterWorkflow(agents, source),
      purpose: "runs one plan on GitHub, by hand",
    },
    { path: FIRST_PLAN_PATH, text: FIRST_PLAN, purpose: "a plan to try it with: one document, low risk" },
    {
      path: BLUEPRINT_PATH,
      text: buildStarter("yaml", { planId: "next-plan", title: "Next plan" }, "draft"),
      purpose: "a blueprint: a plan that is not ready yet, and is not run",
    },
  ];
}

/** Lines that `.gitignore` has to have: where runs on a laptop keep their state. */
const IGNORED = [".conveyor/"] as const;

/** What has to be appended to a `.gitignore`; undefined when it has all. */
export function extendGitignore(text: string): string | undefined {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const missing = IGNORED.filter((line) => ![line, `/${line}`, line.slice(0, -1)].some((form) => lines.includes(form)));
  if (missing.length === 0) return undefined;
  return `${text === "" || text.endsWith("\n") ? "" : "\n"}${missing.join("\n")}\n`;
}

function buildConfig(profile: StarterProfile, agents: StarterAgents): string {
  const names = listStarterAgents(agents);
  const [first, second = first] = names;
  const lanes = [
    { name: `${first ?? ""}${first === second ? "-1" : ""}`, use: first },
    { name: `${second ?? ""}${first === second ? "-2" : ""}`, use: second },
  ];
  const env = (use: (typeof names)[number] | undefined): string => (use === undefined ? "" : keyVariableOf(use));
  return [
    "# How plans are run here. It is read from the default branch alone, so no plan changes it for itself.",
    "version: 1",
    "",
    "# Who does the work, and who judges it: at least two lanes, which see nothing of each other.",
    `executor: { use: ${first ?? ""}, env: [${env(first)}] }`,
    "audits:",
    "  lanes:",
    ...lanes.map(({ name, use }) => `    - { name: ${name}, use: ${use ?? ""}, env: [${env(use)}] }`),
    "",
    "# What makes a fresh worktree ready, and what must succeed on the run branch in the end. For example:",
    "# prepare: {commands: [[npm, ci, --ignore-scripts]], inputs: [package-lock.json], network: [packages.example.com]}",
    "# validation: {commands: [[npm, test]]}",
    "",
    "# No session of an agent starts when so much is known to be spent; a run that is out of time hands off.",
    "limits: { cost-usd-per-run: 5, minutes-per-run: 120 }",
    "",
    "policy:",
    "  mode: guarded",
    "  # Paths that make a plan which touches them high risk. For example: ['**/auth/**', '**/migrations/**']",
    "  sensitive-paths: []",
    ...(profile === "solo" ? SOLO_APPROVALS : TEAM_APPROVALS),
    "",
  ].join("\n");
}

const SOLO_APPROVALS = [
  "  approvals:",
  "    # One maintainer: your own approval counts for medium risk, and every verdict then says self-approved.",
  "    medium: { count: 1, self: true }",
];

const TEAM_APPROVALS = [
  "  # A delivery needs a review; whoever took part in the work does not count.",
  "  reviews: { count: 1 }",
  "  approvals:",
  "    medium: { count: 1, self: false }",
  "    # High risk: a maintainer by label, and another person's review.",
  "    high: { count: 2, second-person-review: true }",
  "  # An approval must come from GitHub: variables and the command line's word do not count.",
  "  require-github-identity: true",
];

const FIRST_DOCUMENT = "docs/how-plans-run.md";

const FIRST_PLAN = [
  "---",
  "plan-id: first-run",
  "status: queued",
  "priority: p2",
  "owner: name who answers for this plan",
  `acceptance-criteria: ${FIRST_DOCUMENT} tells a newcomer how plans are run in this repository`,
  "risk: low",
  "phase: first",
  "why: to see a plan go through every stage before one that matters does",
  "items:",
  "  - id: '01'",
  "    title: Describe how plans are run here",
  `    exit-criteria: ${FIRST_DOCUMENT} says where plans lie, who judges them and what has to be true before a merge`,
  `    write-roots: [${FIRST_DOCUMENT}]`,
  `    deliverables: [${FIRST_DOCUMENT}]`,
  `    verify: ["grep -q '^# ' ${FIRST_DOCUMENT}", "grep -q 'docs/exec-plans/active' ${FIRST_DOCUMENT}"]`,
  "---",
  "# First run",
  "",
  "This repository has just been set up for plans. This one changes one document and nothing else.",
  "",
  "## 01 Describe how plans are run here",
  "",
  `Write \`${FIRST_DOCUMENT}\`, at most forty lines, for somebody who sees this repository for the first time. Read`,
  "`.github/conveyor.yml` and `.github/workflows/conveyor.yml` and say from them: where active plans lie",
  "(`docs/exec-plans/active`), which program does the work, which lanes judge it, and what has to be true before the pull",
  "request of a run may be merged. Say nothing that these files do not say.",
  "",
].join("\n");
