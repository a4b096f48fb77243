import { FILE_START, type ReportProblem } from "./plan-problems.ts";
import { quoteText } from "./visible-text.ts";

/** Run branches and folders are named after plan ids. */
const PLAN_ID_LENGTH_MAX = 80;

/** True for a plan id such as `rotate-session-keys`. */
export function isPlanId(text: string): boolean {
  return text.length <= PLAN_ID_LENGTH_MAX && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(text);
}

/**
 * Title and id of a plan. The id is the one that its metadata give, else the slug of the first H1 before section 2,
 * else of the file's name, else of its folder; the first that leaves a letter or digit.
 *
 * Codes: PLAN_ID_IMPOSSIBLE.
 */
export function parseIdentity(
  path: string,
  known: { readonly title: string | undefined; readonly planId: string | undefined },
  report: ReportProblem,
): { plan_id: string; title: string } {
  const { title: heading } = known;
  const segments = path.split("/");
  const fileName = withoutExtension(segments.at(-1) ?? "");
  const sources = [heading ?? "", fileName, segments.at(-2) ?? ""];
  const planId = known.planId ?? sources.map(buildSlug).find((slug) => slug !== "") ?? "";
  if (planId === "") {
    report("PLAN_ID_IMPOSSIBLE", FILE_START, {
      expected: "a letter from A to Z or a digit in the first H1, the file's name or its folder",
      found: quoteText(heading ?? fileName),
      example: "rename the file to `rotate-session-keys.md`",
    });
  }
  return { plan_id: planId, title: heading ?? fileName };
}

/** Lower-case words of a to z and digits, joined by dashes: `Rotate Schlüssel!` becomes `rotate-schlussel`. */
export function buildSlug(text: string): string {
  // No title is as long as this, and a megabyte of combining marks would be slow to normalize.
  const words =
    text
      .slice(0, 1000)
      .normalize("NFKD")
      .replaceAll(/\p{M}/gu, "")
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  const slug = words.join("-").slice(0, PLAN_ID_LENGTH_MAX);
  return slug.endsWith("-") ? slug.slice(0, -1) : slug;
}

function withoutExtension(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) : name;
}
