import { z } from "zod";
import { canonicalJson, digestOf, sha256, type Json } from "./digest.ts";
import { isForbiddenEnvName } from "./env-names.ts";
import type { ItemRules } from "./item-evolve.ts";
import type { LocatedProblem } from "./plan.ts";
import { parseLocatedYaml } from "./yaml-text.ts";

/** Placeholders that `executor.command` may contain; each stands for the variable `ORCH_<NAME>`. */
export const COMMAND_PLACEHOLDERS = [
  "stage",
  "run_id",
  "plan_id",
  "plan_file",
  "item_id",
  "attempt",
  "session",
  "round",
  "prompt_path",
  "result_path",
  "handoff_path",
] as const;

const argv = z.array(z.string().min(1, "expected a word, found an empty one, for example npm")).min(1);
const commands = z.array(argv).default([]);
const minutes = (fallback: number) => z.number().positive().max(1440).default(fallback);
const relativePath = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith("/") && !path.split("/").includes(".."), {
    message: "expected a path inside the repository, for example docs/exec-plans/active",
  });
const envNames = z
  .array(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of an environment variable, for example JAVA_HOME")
      .refine((name) => !isForbiddenEnvName(name), {
        message: "this variable is never handed to a program; expected another name, for example JAVA_HOME",
      }),
  )
  .default([]);

const executorSchema = z.strictObject({
  use: z.literal("command", { error: 'expected "command", for example {use: command, command: [node, agent.mjs]}' }),
  command: argv.refine((words) => unknownPlaceholders(words).length === 0, {
    error: (issue) =>
      `unknown placeholder ${unknownPlaceholders(issue.input as string[]).join(", ")}; expected one of ` +
      COMMAND_PLACEHOLDERS.map((name) => `{${name}}`).join(" "),
  }),
  "expected-artifacts": z.array(relativePath).default([]),
  "timeout-minutes": minutes(30),
  env: envNames,
});

/** `.github/conveyor.yml`: what a user may write. Unknown keys are errors. */
export const configSchema = z.strictObject({
  version: z.literal(1, { error: "expected version: 1" }),
  paths: z
    .strictObject({
      future: relativePath.default("docs/future"),
      active: relativePath.default("docs/exec-plans/active"),
      completed: relativePath.default("docs/exec-plans/completed"),
      evidence: relativePath.default("docs/exec-plans/evidence-index"),
    })
    .prefault({}),
  prepare: z
    .strictObject({ commands, inputs: z.array(relativePath).default([]), "timeout-minutes": minutes(10) })
    .prefault({}),
  executor: executorSchema.optional(),
  validation: z.strictObject({ commands, "timeout-minutes": minutes(20) }).prefault({}),
  limits: z
    .strictObject({
      "fix-rounds": z.int().min(0).max(20).default(2),
      "sessions-per-item": z.int().min(1).max(1000).default(12),
      "context-remaining-floor": z.int().min(0).default(2000),
      "diff-lines": z.int().min(1).default(800),
      "diff-files": z.int().min(1).default(100),
      "diff-bytes": z.int().min(1).default(1_048_576),
      "output-bytes": z.int().min(1).default(1_073_741_824),
    })
    .prefault({}),
  policy: z.strictObject({ "protected-paths": z.array(z.string().min(1)).default([]) }).prefault({}),
  sandbox: z.strictObject({ env: envNames }).prefault({}),
});
/** The configuration with every default filled in. */
export type Config = z.infer<typeof configSchema>;

/** Where the configuration was read: the trust ref's tip, a file on disk (`--config`), or nowhere (defaults alone). */
export type ConfigAuthority = "trust_ref" | "local" | "none";

export const DEFAULT_CONFIG_PATH = ".github/conveyor.yml";

/** The configuration that holds when nobody wrote one: nothing is prepared, no executor, nothing validated. */
export function defaultConfig(): Config {
  return configSchema.parse({ version: 1 });
}

/** Parses a configuration file; every fault at once, each with its line and column. */
export function parseConfig(path: string, text: string): { config: Config | undefined; problems: LocatedProblem[] } {
  const yaml = parseLocatedYaml(path, text, "CONFIG_YAML");
  if (yaml.problems.length > 0) return { config: undefined, problems: yaml.problems };
  const parsed = configSchema.safeParse(yaml.value ?? {});
  if (parsed.success) return { config: parsed.data, problems: [] };
  const problems = parsed.error.issues.flatMap((issue): LocatedProblem[] =>
    (issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]).map(
      (where) => ({
        path,
        ...yaml.locate(where),
        severity: "error",
        code: issue.code === "unrecognized_keys" ? "CONFIG_UNKNOWN_KEY" : "CONFIG_INVALID",
        message: `${where.join(".") || "the file"}: ${
          issue.code === "unrecognized_keys"
            ? "unknown key; expected one that docs/configuration.md lists"
            : issue.message
        }`,
      }),
    ),
  );
  return { config: undefined, problems };
}

/** The part of the configuration that decides what may pass: what `policy.json` holds and `policy_sha256` covers. */
export function policyOf(config: Config): Json {
  const { policy, limits, validation, prepare, sandbox, executor } = config;
  return { policy, limits, validation, prepare, sandbox, executor };
}

/** SHA-256 over the canonical JSON of the policy, defaults filled in. */
export function policyDigest(config: Config): string {
  return digestOf(policyOf(config));
}

/** The effective configuration as it is kept in the run folder, and its digest. */
export function buildPolicyFile(config: Config): { text: string; sha256: string } {
  const text = `${canonicalJson(config)}\n`;
  return { text, sha256: sha256(text) };
}

function unknownPlaceholders(words: readonly string[]): string[] {
  return words
    .flatMap((word) => word.match(/\{[a-z_]+\}/g) ?? [])
    .filter((match) => !(COMMAND_PLACEHOLDERS as readonly string[]).includes(match.slice(1, -1)));
}

/** Reads the configuration back from `policy.json`; nothing when it is not one. */
export function readPolicyFile(text: string): Config | undefined {
  try {
    const parsed = configSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** The settings of the item machine. */
export function rulesOf(config: Config): ItemRules {
  return {
    fixRounds: config.limits["fix-rounds"],
    sessionsPerItem: config.limits["sessions-per-item"],
    contextRemainingFloor: config.limits["context-remaining-floor"],
  };
}
