/** Which coding agents a starter sets up. Two lanes have to judge; with one vendor both are the same program. */
export const STARTER_AGENTS = ["both", "codex", "claude"] as const;
export type StarterAgents = (typeof STARTER_AGENTS)[number];

/** Where the reusable workflow lies: `owner/name`, and the commit or tag that a caller pins. */
export interface WorkflowSource {
  readonly repository: string;
  readonly ref: string;
}

/** Stands where nothing is known of the source: the owner has to be put in by hand. */
export const UNKNOWN_SOURCE: WorkflowSource = { repository: "OWNER/plan-conveyor", ref: "v1" };

/** One vendor's agent: its package with the version that is proven, its key as variable and as secret. */
const AGENT_SETUP = {
  codex: { npm: "@openai/codex@0.169.0", env: "OPENAI_API_KEY", secret: "openai-api-key" },
  claude: { npm: "@anthropic-ai/claude-code@2.1.328", env: "ANTHROPIC_API_KEY", secret: "anthropic-api-key" },
} as const;

/** The agents behind a choice. */
export function listStarterAgents(agents: StarterAgents): readonly (keyof typeof AGENT_SETUP)[] {
  return agents === "both" ? ["codex", "claude"] : [agents];
}

/** The variable in which an agent finds its key. */
export function keyVariableOf(agent: keyof typeof AGENT_SETUP): string {
  return AGENT_SETUP[agent].env;
}

/** What the caller's job may do at most, each with its reason (source document: app-permissions). */
export const CALLER_PERMISSIONS = [
  ["contents: write", "publish pushes the run branch; every other job reads"],
  ["pull-requests: write", "publish opens or updates the one pull request of the run; preflight reads approvals"],
  ["actions: read", "preflight and publish read artifacts and where they come from"],
  ["checks: read", "preflight reads what CI says"],
] as const;

/** Reads `owner/name@ref`; undefined when it is not that. */
export function parseWorkflowSource(text: string): WorkflowSource | undefined {
  const [, repository, ref] = /^([A-Za-z0-9-]{1,39}\/[A-Za-z0-9._-]{1,100})@([A-Za-z0-9._/-]{1,255})$/.exec(text) ?? [];
  return repository === undefined || ref === undefined ? undefined : { repository, ref };
}

/** Reads the address of a remote on github.com, in any of the forms that git takes; undefined for any other. */
export function parseGithubRemote(url: string): string | undefined {
  const form =
    /^(?:https:\/\/github\.com\/|(?:ssh:\/\/)?git@github\.com[:/])([A-Za-z0-9-]+\/[A-Za-z0-9._-]+?)(?:\.git)?\/?$/;
  return form.exec(url)?.[1];
}

/** Builds the workflow that runs one plan by hand. It lints, and asks for nothing that its jobs do not use. */
export function buildStarterWorkflow(agents: StarterAgents, source: WorkflowSource): string {
  const setups = listStarterAgents(agents).map((name) => AGENT_SETUP[name]);
  return [
    "# Runs one approved plan with coding agents and opens a pull request with what was proven.",
    "# Start it under Actions, Run workflow; a run that handed off goes on when its id is given as resume-from.",
    "name: Plan Conveyor",
    "",
    "on:",
    "  workflow_dispatch:",
    "    inputs:",
    "      plan:",
    "        description: Path of the plan, for example docs/exec-plans/active/first-run.md",
    "        type: string",
    '        default: ""',
    "      resume-from:",
    "        description: Id of the workflow run to go on with; the plan is then left empty",
    "        type: string",
    '        default: ""',
    "",
    "permissions: {}",
    "",
    "# One run of a plan at a time. A waiting one is never cancelled: it would lose its place, not its work.",
    "concurrency:",
    "  group: conveyor-${{ inputs.plan || inputs.resume-from }}",
    "  cancel-in-progress: false",
    "",
    "jobs:",
    "  plan:",
    "    permissions:",
    ...CALLER_PERMISSIONS.map(([permission, reason]) => `      ${permission} # ${reason}`),
    `    uses: ${source.repository}/.github/workflows/run-plan.yml@${source.ref}`,
    "    with:",
    "      plan: ${{ inputs.plan }}",
    "      resume-from: ${{ inputs.resume-from }}",
    `      agents: "${setups.map(({ npm }) => npm).join(" ")}"`,
    "    secrets:",
    ...setups.map(({ secret, env }) => `      ${secret}: \${{ secrets.${env} }}`),
    "",
  ].join("\n");
}
