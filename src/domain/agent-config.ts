import { z } from "zod";

/** Coding agents that a lane can name besides a command of the user's own. */
export const AGENTS = ["codex", "claude"] as const;
export type AgentName = (typeof AGENTS)[number];

/** How hard an agent is to think, in its own words. */
const EFFORTS: Record<AgentName, readonly [string, ...string[]]> = {
  codex: ["minimal", "low", "medium", "high", "xhigh"],
  claude: ["low", "medium", "high", "xhigh", "max"],
};

/**
 * What `args` must not bring: it would change what an agent may do, where it works, or how it answers. A word without
 * `-` is the key of a `-c` setting, any other is an option.
 */
const FIXED: Record<AgentName, readonly string[]> = {
  codex: [
    "-s",
    "--sandbox",
    "-C",
    "--cd",
    "-o",
    "--output-last-message",
    "-p",
    "--profile",
    "-m",
    "--model",
    "--json",
    "--output-schema",
    "--worktree",
    "--trust",
    "--approve-for-me",
    "--oss",
    "--dangerously",
    "--yolo",
    "--full-auto",
    "--ask-for-approval",
    "--search",
    "--",
    "approval_policy",
    "sandbox_mode",
    "sandbox_workspace_write.network_access",
    "sandbox_workspace_write.exclude_slash_tmp",
    "default_permissions",
    "permissions",
    "profile",
    "web_search",
    "tools.web_search",
    "model",
    "model_reasoning_effort",
    "model_provider",
    "model_providers.conveyor",
    "project_doc_max_bytes",
    "allow_login_shell",
    "shell_environment_policy",
    "features.unbounded_connection_retries",
    "features.multi_agent",
    "features.web_search_request",
  ],
  claude: [
    "-p",
    "--print",
    "-c",
    "--continue",
    "-r",
    "--resume",
    "-w",
    "--worktree",
    "--bare",
    "--output-format",
    "--input-format",
    "--json-schema",
    "--permission",
    "--setting-sources",
    "--settings",
    "--strict-mcp-config",
    "--tools",
    "--allowedTools",
    "--allowed-tools",
    "--model",
    "--effort",
    "--max-budget-usd",
    "--dangerously",
    "--allow-dangerously",
    "--bg",
    "--background",
    "--cloud",
    "--agent",
    "--agents",
    "--plugin-dir",
    "--chrome",
    "--",
  ],
};

const usdPerMillion = z.number().nonnegative().max(100_000);

/** USD for a million tokens, for an agent that reports tokens and no cost. */
export const priceSchema = z.strictObject({
  input: usdPerMillion,
  "cached-input": usdPerMillion,
  output: usdPerMillion,
});
export type Price = z.infer<typeof priceSchema>;

/** Keys that every place has which can name an agent; `env` is of the place, because it is the same for commands. */
export function agentKeys<T extends AgentName>(name: T, env: z.ZodType<string[]>) {
  return {
    use: z.literal(name),
    model: z
      .string()
      .min(1)
      .refine((model) => !model.startsWith("-"), { error: "expected the name of a model, found an option" })
      .optional(),
    effort: z.enum(EFFORTS[name]).optional(),
    "base-url": z
      .url({ protocol: /^https?$/, error: "expected a URL, for example https://models.example.com" })
      .optional(),
    args: z
      .array(z.string().min(1))
      .default([])
      .refine((words) => findFixed(name, words) === undefined, {
        error: (issue) =>
          `${findFixed(name, issue.input as string[]) ?? ""} is set by conveyor; expected arguments that change neither rights nor answer`,
      }),
    env,
    ...(name === "codex"
      ? { price: priceSchema.optional() }
      : {
          "budget-usd": z.number().positive().max(10_000).optional(),
          "max-turns": z.int().min(1).max(10_000).optional(),
        }),
  };
}

/** What configuration says of an agent, wherever it stands. */
export interface AgentSettings {
  readonly use: AgentName;
  readonly model?: string | undefined;
  readonly effort?: string | undefined;
  readonly "base-url"?: string | undefined;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly price?: Price | undefined;
  /** The most that one session may cost. */
  readonly "budget-usd"?: number | undefined;
  readonly "max-turns"?: number | undefined;
}

/** The first word that would take back what is fixed. */
function findFixed(name: AgentName, words: readonly string[]): string | undefined {
  return words.find((word, index) =>
    FIXED[name].some((fixed) => {
      if (!fixed.startsWith("-")) return isSetBy(fixed, keyOf(word, words[index - 1]));
      // Short options take their value without a space, long ones after `=`; some stand for a family.
      if (fixed.startsWith("--dangerously") || fixed === "--permission" || fixed === "--allow-dangerously")
        return word.startsWith(fixed);
      return fixed.startsWith("--")
        ? word === fixed || word.startsWith(`${fixed}=`)
        : word.startsWith(fixed) && !word.startsWith("--");
    }),
  );
}

/** The key of a `-c` setting as codex reads it, which takes blanks around it; empty for a word that is none. */
function keyOf(word: string, before: string | undefined): string {
  const feature = before === "--enable" || before === "--disable" ? word : /^--(?:en|dis)able=(.*)$/s.exec(word)?.[1];
  if (feature !== undefined) return `features.${feature.trim()}`;
  const setting = word.replace(/^(-c|--config)=?/, "");
  return setting.includes("=") ? (setting.split("=")[0] ?? "").replaceAll(/["'\s]/g, "") : "";
}

/** A table is set by what is in it, and all that is in it by the table. */
function isSetBy(fixed: string, key: string): boolean {
  return key === fixed || key.startsWith(`${fixed}.`) || fixed.startsWith(`${key}.`);
}

/** Where an agent is named that reports no cost and has no price: `executor`, lanes by their name, `triage`. */
export function listUnpriced(
  config: {
    readonly audits: { readonly lanes: readonly Priced[] };
    readonly executor?: Priced | undefined;
    readonly triage: Priced;
  },
  executor: string,
): string[] {
  const isUnpriced = (place: Priced): boolean => place.use === "codex" && place.price === undefined;
  return [
    ...(config.executor !== undefined && executor !== "command" && isUnpriced(config.executor) ? ["executor"] : []),
    ...config.audits.lanes.filter(isUnpriced).map((lane) => `audit lane ${lane.name ?? ""}`),
    ...(isUnpriced(config.triage) ? ["triage"] : []),
  ];
}

interface Priced {
  readonly use: string;
  readonly name?: string;
  readonly price?: Price | undefined;
}
