import { z } from "zod";
import { agentKeys } from "./agent-config.ts";
import { approvalPolicySchema, machineUsersSchema, onBaseMoveSchema, reviewPolicySchema } from "./approval-policy.ts";
import { requiredChecksSchema } from "./ci-gate.ts";
import { consentSchema } from "./consent.ts";
import { canonicalJson, digestOf, sha256, type Json } from "./digest.ts";
import { isForbiddenEnvName } from "./env-names.ts";
import { globProblem } from "./globs.ts";
import { parseHostEntry } from "./network-hosts.ts";
import type { LocatedProblem } from "./plan.ts";
import { COST_USD_MAX, MINUTES_PER_RUN_MAX, MODES, SANDBOX_LEVELS, type SandboxLevel } from "./run-choices.ts";
import type { SandboxWish } from "./sandbox.ts";
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
  "findings_path",
  "mode",
  "risk_tier",
] as const;

/** Placeholders of the manager's command: it plans, so there is no item and no session yet. */
const MANAGER_PLACEHOLDERS = ["stage", "run_id", "plan_id", "plan_file", "mode", "risk_tier"] as const;

/** Placeholders of an audit lane's command, beside those of every program. */
const AUDIT_PLACEHOLDERS = ["lane", "packet_path", "packet_sha256", "nonce"] as const;

const argv = z.array(z.string().min(1, "expected a word, found an empty one, for example npm")).min(1);
const commands = z.array(argv).default([]);
const minutes = (fallback: number) => z.number().positive().max(1440).default(fallback);
const relativePath = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith("/") && !path.split("/").includes(".."), {
    message: "expected a path inside the repository, for example docs/exec-plans/active",
  });
const pathGlobs = z
  .array(
    z.string().refine((glob) => globProblem(glob) === undefined, {
      error: (issue) => `${globProblem(issue.input as string) ?? ""}; expected a glob, for example src/auth/**`,
    }),
  )
  .default([]);
const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of an environment variable, for example JAVA_HOME")
  .refine((name) => !isForbiddenEnvName(name), {
    message: "this variable is never handed to a program; expected another name, for example JAVA_HOME",
  });
const envNames = z.array(envName).default([]);

const hosts = (fallback: string[]) =>
  z
    .array(
      z.string().refine((entry) => parseHostEntry(entry) !== undefined, {
        message: "expected a host, with its port unless that is 443, for example api.example.com",
      }),
    )
    .default(fallback);

const headerWord = z.string().regex(/^[A-Za-z0-9-]+$/, "expected the name of a header, for example authorization");

/** Plain HTTP would show the key to the network; on loopback there is none. */
const keyUrl = z.string().refine(
  (url) => {
    const parsed = URL.parse(url);
    if (parsed === null || parsed.username !== "" || parsed.search !== "" || parsed.hash !== "") return false;
    return (
      parsed.protocol === "https:" ||
      (parsed.protocol === "http:" && /^(127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname))
    );
  },
  { message: "expected an https URL without user and query, for example https://api.example.com" },
);

const heldKeySchema = z.strictObject({
  env: envName,
  url: keyUrl,
  header: headerWord,
  scheme: z
    .string()
    .regex(/^[A-Za-z]*$/, "expected a word such as Bearer, or nothing")
    .default(""),
  "url-env": envName,
  "requests-per-run": z.int().min(1).max(1_000_000).default(10_000),
});

const sandboxSchema = z.strictObject({
  level: z.enum(SANDBOX_LEVELS).default("auto"),
  "minimum-tier": z.int().min(1).max(3).default(1),
  env: envNames,
  network: hosts(["api.openai.com", "api.anthropic.com"]),
  keys: z
    .array(heldKeySchema)
    .default([])
    .refine((keys) => new Set(keys.map((key) => key.env)).size === keys.length, {
      message: "expected keys of different variables",
    }),
  "file-bytes": z.int().min(4096).default(2_147_483_648),
  processes: z.int().min(8).max(1_000_000).default(1024),
});

const USE_HINT = 'expected "command", "codex" or "claude", for example {use: command, command: [node, agent.mjs]}';

const executorCommand = z.strictObject({
  use: z.literal("command"),
  command: argv.refine((words) => unknownPlaceholders(words).length === 0, {
    error: (issue) =>
      `unknown placeholder ${unknownPlaceholders(issue.input as string[]).join(", ")}; expected one of ` +
      COMMAND_PLACEHOLDERS.map((name) => `{${name}}`).join(" "),
  }),
  "expected-artifacts": z.array(relativePath).default([]),
  "timeout-minutes": minutes(30),
  env: envNames,
});

const executorRest = {
  "expected-artifacts": z.array(relativePath).default([]),
  "timeout-minutes": minutes(30),
  retries: z.int().min(0).max(10).default(2),
};
const executorSchema = z.discriminatedUnion(
  "use",
  [
    executorCommand,
    z.strictObject({ ...agentKeys("codex", envNames), ...executorRest }),
    z.strictObject({ ...agentKeys("claude", envNames), ...executorRest }),
  ],
  { error: USE_HINT },
);

const managerSchema = z.strictObject({
  command: argv.refine((words) => findUnknown(words, MANAGER_PLACEHOLDERS).length === 0, {
    error: (issue) =>
      `unknown placeholder ${findUnknown(issue.input as string[], MANAGER_PLACEHOLDERS).join(", ")}; expected one of ` +
      MANAGER_PLACEHOLDERS.map((name) => `{${name}}`).join(" "),
  }),
  "expected-artifacts": z.array(relativePath).default([]),
  "timeout-minutes": minutes(30),
  env: envNames,
});

const judgeCommand = argv.refine((words) => unknownPlaceholders(words, AUDIT_PLACEHOLDERS).length === 0, {
  error: (issue) =>
    `unknown placeholder ${unknownPlaceholders(issue.input as string[], AUDIT_PLACEHOLDERS).join(", ")}; expected one of ` +
    [...COMMAND_PLACEHOLDERS, ...AUDIT_PLACEHOLDERS].map((name) => `{${name}}`).join(" "),
});

const laneName = {
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "expected a short lower-case name, for example first-reader"),
};
const laneSchema = z.discriminatedUnion(
  "use",
  [
    z.strictObject({ ...laneName, use: z.literal("command"), command: judgeCommand, env: envNames }),
    z.strictObject({ ...laneName, ...agentKeys("codex", envNames) }),
    z.strictObject({ ...laneName, ...agentKeys("claude", envNames) }),
  ],
  { error: 'expected "command", "codex" or "claude", for example {name: reader, use: command, command: [./audit]}' },
);

const auditsSchema = z.strictObject({
  lanes: z
    .array(laneSchema)
    .default([])
    .refine((lanes) => lanes.length === 0 || lanes.length >= 2, { message: "expected at least two lanes, found one" })
    .refine((lanes) => new Set(lanes.map((lane) => lane.name)).size === lanes.length, {
      message: "expected lanes of different names",
    }),
  "timeout-minutes": minutes(15),
  retries: z.int().min(0).max(10).default(2),
});

const triageSchema = z.discriminatedUnion("use", [
  z.strictObject({ use: z.literal("rules") }),
  z.strictObject({ use: z.literal("command"), command: judgeCommand, "timeout-minutes": minutes(15), env: envNames }),
  z.strictObject({ ...agentKeys("codex", envNames), "timeout-minutes": minutes(15) }),
  z.strictObject({ ...agentKeys("claude", envNames), "timeout-minutes": minutes(15) }),
]);

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
    .strictObject({
      commands,
      inputs: z.array(relativePath).default([]),
      network: hosts([]),
      "timeout-minutes": minutes(10),
    })
    .prefault({}),
  manager: managerSchema.optional(),
  executor: executorSchema.optional(),
  audits: auditsSchema.prefault({}),
  triage: triageSchema.default({ use: "rules" }),
  validation: z.strictObject({ commands, "timeout-minutes": minutes(20), "test-paths": pathGlobs }).prefault({}),
  limits: z
    .strictObject({
      "fix-rounds": z.int().min(0).max(20).default(2),
      "remediation-rounds": z.int().min(0).max(20).default(1),
      rollovers: z.int().min(0).max(1000).default(5),
      "stall-minutes": minutes(10),
      "minutes-per-run": z.number().positive().max(MINUTES_PER_RUN_MAX).default(300),
      "sessions-per-item": z.int().min(1).max(1000).default(12),
      "context-remaining-floor": z.int().min(0).default(2000),
      "diff-lines": z.int().min(1).default(800),
      "diff-files": z.int().min(1).default(100),
      "diff-bytes": z.int().min(1).default(1_048_576),
      "output-bytes": z.int().min(1).default(1_073_741_824),
      "cost-usd-per-run": z.number().positive().max(COST_USD_MAX).default(10),
    })
    .prefault({}),
  policy: z
    .strictObject({
      mode: z.enum(MODES).default("guarded"),
      "protected-paths": pathGlobs,
      "sensitive-paths": pathGlobs,
      reviews: reviewPolicySchema,
      approvals: approvalPolicySchema,
      "require-github-identity": z.boolean().default(false),
      "machine-users": machineUsersSchema,
      "on-base-move": onBaseMoveSchema,
      "secret-scan": z
        .strictObject({
          allow: z
            .array(
              z.strictObject({
                paths: pathGlobs.unwrap().min(1, "expected a glob, for example __tests__/fixtures/**"),
                rules: z
                  .array(
                    z
                      .string()
                      .regex(/^(?!environment$)[a-z0-9-]+$/, "expected the name of a rule, for example privatekey"),
                  )
                  .min(1, "expected the name of a rule, for example privatekey"),
              }),
            )
            .default([]),
        })
        .prefault({}),
      "required-checks": requiredChecksSchema,
      ci: z.literal("none").optional(),
      review: z.literal("none").optional(),
      "trusted-refs": z
        .array(
          z.string().regex(/^refs\/heads\/[^\s~^:?*[\\]+$/, "expected a whole ref, for example refs/heads/release"),
        )
        .default([]),
    })
    .refine((policy) => policy.ci === undefined || policy["required-checks"].length === 0, {
      path: ["ci"],
      message: "expected required-checks or ci: none, found both",
    })
    .prefault({}),
  consent: consentSchema.optional(),
  sandbox: sandboxSchema.prefault({}),
});
/** The configuration with every default filled in. */
export type Config = z.infer<typeof configSchema>;

/** Where the configuration was read: the trust ref's tip, a file on disk (`--config`), or nowhere (defaults alone). */
export type ConfigAuthority = "trust_ref" | "local" | "none";

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
  const { policy, limits, audits, triage, validation, prepare, sandbox, executor } = config;
  return { policy, limits, audits, triage, validation, prepare, sandbox, executor };
}

/** What a configuration and an invocation together ask of the sandbox. */
export function buildWish(sandbox: Config["sandbox"], level: SandboxLevel): SandboxWish {
  return { level, minimum_tier: sandbox["minimum-tier"], held_keys: sandbox.keys.map(({ env }) => env) };
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

function unknownPlaceholders(words: readonly string[], more: readonly string[] = []): string[] {
  return findUnknown(words, [...COMMAND_PLACEHOLDERS, ...more]);
}

function findUnknown(words: readonly string[], known: readonly string[]): string[] {
  return words
    .flatMap((word) => word.match(/\{[a-z_]+\}/g) ?? [])
    .filter((match) => !known.includes(match.slice(1, -1)));
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
