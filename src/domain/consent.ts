import { z } from "zod";
import { parseJsonBytes } from "./json-bytes.ts";
import type { ReasonCode } from "./reason-codes.ts";

/** `consent`: what the repository allows to happen when no person asked for it. Nobody wrote it: nothing. */
export const consentSchema = z.strictObject({
  "auto-enabled": z.boolean().default(false),
  continuous: z.boolean().default(false),
  "require-execute": z.boolean().default(true),
  "allow-apply": z.boolean().default(false),
  "max-iterations": z.int().min(1, "expected at least 1: no iterations are no loop").max(1000).default(3),
  expires: z.iso.date({ error: "expected a day, for example 2026-12-31" }).optional(),
});
export type Consent = z.infer<typeof consentSchema>;

/** Where consent stands when the configuration has none (source document 004). */
export const CONSENT_PATH = "docs/automation/autonomy-consent.json";

const consentFileSchema = z.strictObject({
  auto_enabled: z.boolean(),
  continuous: z.boolean().default(false),
  require_execute: z.boolean().default(true),
  allow_apply: z.boolean().default(false),
  max_iterations: z.int().min(1).max(1000).default(3),
  expires: z.iso.date().optional(),
});

/** The consent that holds, or why none does. */
export const foundConsentSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("given"), consent: consentSchema, from: z.enum(["configuration", "file"]) }),
  z.strictObject({ kind: z.literal("absent") }),
  z.strictObject({ kind: z.literal("unreadable"), why: z.string() }),
]);
export type FoundConsent = z.infer<typeof foundConsentSchema>;

/** Finds consent in the configuration or in its own file; in both is in neither, for one of them is forgotten. */
export function findConsent(configured: Consent | undefined, file: string | null): FoundConsent {
  if (file === null) {
    return configured === undefined
      ? { kind: "absent" }
      : { kind: "given", consent: configured, from: "configuration" };
  }
  if (configured !== undefined) {
    return { kind: "unreadable", why: `consent stands both in the configuration and in ${CONSENT_PATH}` };
  }
  const value = parseJsonBytes(new TextEncoder().encode(file));
  if (!value.ok) return { kind: "unreadable", why: `${CONSENT_PATH}: ${value.error}` };
  const parsed = consentFileSchema.safeParse(value.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { kind: "unreadable", why: `${CONSENT_PATH}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}` };
  }
  const { auto_enabled, continuous, require_execute, allow_apply, max_iterations, expires } = parsed.data;
  const consent = {
    "auto-enabled": auto_enabled,
    continuous,
    "require-execute": require_execute,
    "allow-apply": allow_apply,
    "max-iterations": max_iterations,
    ...(expires === undefined ? {} : { expires }),
  };
  return { kind: "given", consent, from: "file" };
}

/** What is about to happen, and who wants it. */
export interface ConsentAsked {
  /** True when a person asked for this very plan: then no consent is needed. */
  readonly byPerson: boolean;
  /** Day in UTC, as 2026-12-31. */
  readonly today: string;
  /** Which plan of a loop this is, from 1. */
  readonly iteration: number;
  readonly dryRun: boolean;
  /** True when a branch or a pull request is to be made of it. */
  readonly delivers: boolean;
}

/** A code and why it was given. */
export interface Refusal {
  readonly code: ReasonCode;
  readonly text: string;
}

/**
 * Decides whether something may happen that no person asked for (source document 004, *Consent policy*); empty when it
 * may. Reason codes: CONSENT_NOT_ENABLED, CONSENT_EXPIRED, CONSENT_NOT_CONTINUOUS, CONSENT_APPLY_NOT_ALLOWED.
 */
export function decideConsent(found: FoundConsent, asked: ConsentAsked): readonly Refusal[] {
  if (asked.byPerson) return [];
  if (found.kind === "absent") return [refuse("CONSENT_NOT_ENABLED", "no person asked, and nobody gave consent")];
  if (found.kind === "unreadable") return [refuse("CONSENT_NOT_ENABLED", found.why)];
  const { consent } = found;
  const { expires } = consent;
  return [
    ...(consent["auto-enabled"] ? [] : [refuse("CONSENT_NOT_ENABLED", "no person asked, and auto-enabled is false")]),
    ...(consent["require-execute"] && asked.dryRun && asked.iteration > 1
      ? [refuse("CONSENT_NOT_ENABLED", "require-execute is true, and this loop would only try")]
      : []),
    ...(expires === undefined
      ? [refuse("CONSENT_EXPIRED", "the consent has no expires, so nobody knows whether it still holds")]
      : []),
    ...(expires !== undefined && expires < asked.today
      ? [refuse("CONSENT_EXPIRED", `the consent ended with ${expires}`)]
      : []),
    ...(asked.iteration > 1 && !consent.continuous
      ? [refuse("CONSENT_NOT_CONTINUOUS", "continuous is false, and one plan was run")]
      : []),
    ...(asked.iteration > consent["max-iterations"]
      ? [refuse("CONSENT_NOT_CONTINUOUS", `max-iterations is ${consent["max-iterations"]}`)]
      : []),
    ...(asked.delivers && !consent["allow-apply"]
      ? [refuse("CONSENT_APPLY_NOT_ALLOWED", "no person asked, and allow-apply is false")]
      : []),
  ];
}

function refuse(code: ReasonCode, text: string): Refusal {
  return { code, text };
}
