import { z } from "zod";
import type { GithubFailure } from "../../domain/github-failure.ts";
import { parseInstant } from "../../domain/instants.ts";
import { readNextLink } from "../../domain/link-header.ts";
import { err, ok } from "../../domain/result.ts";
import type { Clock, Randomness } from "../../ports.ts";
import type { GithubAnswer } from "../../ports/github.ts";
import { fetchLimited, isOfApi } from "./fetch.ts";
import { decideRetry, isRateLimited, type AnswerFacts } from "./retry.ts";

/** The part of octokit that is needed: the Action and the command line each bring their own. */
export interface Octokit {
  readonly request: {
    (route: string, parameters?: Record<string, unknown>): Promise<OctokitResponse>;
    readonly endpoint: { readonly DEFAULTS: { readonly baseUrl: string } };
  };
}

interface OctokitResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
  readonly data: unknown;
}

/** Where requests go, and what they may take. */
export interface RequestsOptions {
  readonly octokit: Octokit;
  readonly owner: string;
  readonly repo: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly interrupt: AbortSignal;
  readonly limits?: Partial<RequestLimits>;
}

export interface RequestLimits {
  /** For one request, from its begin to the last byte of its answer. */
  readonly requestMs: number;
  /** For one question with all that is tried again; each page is one. */
  readonly questionMs: number;
  readonly bodyBytesMax: number;
  readonly pagesMax: number;
}

const LIMITS: RequestLimits = {
  requestMs: 30_000,
  questionMs: 300_000,
  bodyBytesMax: 64 * 1024 * 1024,
  pagesMax: 100,
};

const PER_PAGE = 100;

type Parameters = Readonly<Record<string, unknown>>;

/** Requests about one repository, each with its limits, retried where that does no harm; every failure is a value. */
export interface GithubRequests {
  readonly fullName: string;
  readonly owner: string;
  readonly clock: Clock;
  /** One answer. `{owner}` and `{repo}` of a route are filled in. */
  read<T>(route: string, parameters: Parameters, schema: z.ZodType<T>): Promise<GithubAnswer<T>>;
  /**
   * All pages of a list; `key` names it where the answer is an object that also counts it, and `sha` is the commit that
   * this object must say it is about.
   */
  readAll<T>(
    route: string,
    parameters: Parameters,
    schema: z.ZodType<T>,
    key?: string,
    sha?: string,
  ): Promise<GithubAnswer<readonly T[]>>;
  /** Something that changes GitHub. It is tried again only when it is idempotent, or certainly was not done. */
  write<T>(
    route: string,
    parameters: Parameters,
    schema: z.ZodType<T>,
    options?: { readonly idempotent?: boolean },
  ): Promise<GithubAnswer<T>>;
}

/** Makes the requests of one repository from whatever can send them. */
export function createRequests(options: RequestsOptions): GithubRequests {
  const { owner, repo, clock } = options;
  const limits = { ...LIMITS, ...options.limits };
  const ask = (route: string, parameters: Parameters, idempotent: boolean) =>
    askPatiently(options, limits, { route, parameters, idempotent });
  const one = async <T>(route: string, parameters: Parameters, schema: z.ZodType<T>, idempotent: boolean) => {
    const answer = await ask(route, parameters, idempotent);
    return answer.ok ? parse(answer.value.data, schema, nameRequest(route, parameters)) : answer;
  };
  return {
    fullName: `${owner}/${repo}`,
    owner,
    clock,
    read: (route, parameters, schema) => one(route, parameters, schema, true),
    write: (route, parameters, schema, { idempotent = false } = {}) => one(route, parameters, schema, idempotent),
    async readAll(route, parameters, schema, key, sha) {
      const name = nameRequest(route, parameters);
      const items: unknown[] = [];
      let total: number | undefined;
      let next: string | undefined;
      for (let page = 1; page <= limits.pagesMax; page += 1) {
        const answer = await (next === undefined
          ? ask(route, { ...parameters, per_page: PER_PAGE }, true)
          : ask(`GET ${next}`, {}, true));
        if (!answer.ok) return answer;
        const { data, headers } = answer.value;
        const list = key === undefined ? data : readKey(data, key);
        if (!Array.isArray(list)) return err(malformed(name, `page ${page} is not a list`));
        if (sha !== undefined && readKey(data, "sha") !== sha)
          return err(malformed(name, `page ${page} is about another commit than ${sha}`));
        items.push(...list);
        total = key === undefined ? undefined : readCount(data);
        if (key !== undefined && total === undefined)
          return err(malformed(name, `page ${page} does not count its list`));
        const link = readNextLink(String(headers["link"] ?? ""));
        if (!link.ok) return err(malformed(name, `the Link header of page ${page}: ${link.error}`));
        if (link.value === undefined) {
          // What moved between two pages was seen twice, and then something else not at all.
          if (key !== undefined && hasTwice(items)) return err(malformed(name, "the list changed while it was read"));
          return total !== undefined && items.length < total
            ? err(malformed(name, `${items.length} of ${total} entries; a page is missing`))
            : parse(items, z.array(schema), name);
        }
        next = URL.parse(link.value, answer.value.url)?.href ?? "";
        if (!isOfApi(next, options.octokit.request.endpoint.DEFAULTS.baseUrl))
          return err(malformed(name, "the next page is at another server, or not of its API"));
      }
      return err(malformed(name, `more than ${limits.pagesMax} pages`));
    },
  };
}

interface Question {
  readonly route: string;
  readonly parameters: Parameters;
  readonly idempotent: boolean;
}

async function askPatiently(
  options: RequestsOptions,
  limits: RequestLimits,
  { route, parameters, idempotent }: Question,
): Promise<GithubAnswer<OctokitResponse & { readonly url: string }>> {
  const { octokit, owner, repo, clock, randomness, interrupt } = options;
  const name = nameRequest(route, parameters);
  const until = clock.monotonicMs() + limits.questionMs;
  for (let tries = 1; ; tries += 1) {
    const signal = AbortSignal.any([interrupt, AbortSignal.timeout(limits.requestMs)]);
    let url = "";
    const { baseUrl } = octokit.request.endpoint.DEFAULTS;
    const fetch = fetchLimited({ ...limits, baseUrl }, (asked) => {
      url = asked;
    });
    let answer: AnswerFacts;
    try {
      const own = route.includes("{owner}") ? { owner, repo } : {};
      const response = await octokit.request(route, { ...own, ...parameters, request: { fetch, signal, retries: 0 } });
      return ok({ ...response, url });
    } catch (fault) {
      answer = readFault(fault);
    }
    if (interrupt.aborted) return err({ kind: "unavailable", status: null, request: name, message: "interrupted" });
    const delay = decideRetry(answer, {
      tries,
      idempotent,
      now: parseInstant(clock.now()),
      jitter: Number.parseInt(randomness.hex(4), 16) / 2 ** 32,
      leftMs: until - clock.monotonicMs(),
    });
    if (delay === undefined) return err(buildFailure(answer, name, tries));
    await clock.sleep(delay, interrupt);
  }
}

/** Reads what octokit throws; an answer that did not come whole is none. */
function readFault(fault: unknown): AnswerFacts {
  const parsed = faultSchema.safeParse(fault);
  const message = fault instanceof Error ? fault.message : String(fault);
  const response = parsed.success ? parsed.data.response : undefined;
  const header = (name: string): string | undefined => {
    const value = response?.headers[name];
    return value === undefined ? undefined : String(value);
  };
  return {
    status: response?.status ?? null,
    retryAfter: header("retry-after"),
    rateLimitRemaining: header("x-ratelimit-remaining"),
    rateLimitReset: header("x-ratelimit-reset"),
    neededPermissions: header("x-accepted-github-permissions"),
    message,
  };
}

const faultSchema = z.object({
  response: z.object({ status: z.int(), headers: z.record(z.string(), z.union([z.string(), z.number()]).optional()) }),
});

function buildFailure(answer: AnswerFacts, request: string, tries: number): GithubFailure {
  const { status, message, neededPermissions: needed } = answer;
  const kind = kindOf(answer);
  const told = kind === "unavailable" && tries > 1 ? `${message} (tried ${tries} times)` : message;
  return {
    kind,
    status,
    request,
    message: kind === "forbidden" && needed !== undefined ? `${told}; the token needs one of: ${needed}` : told,
  };
}

function kindOf(answer: AnswerFacts): GithubFailure["kind"] {
  if (isRateLimited(answer)) return "unavailable";
  switch (answer.status) {
    case 401:
      return "unauthorised";
    case 403:
      return "forbidden";
    case 404:
    case 410:
      return "not_found";
    case 409:
    case 422:
      return "conflict";
    default:
      return answer.status === null || answer.status >= 500 || answer.status === 408 ? "unavailable" : "malformed";
  }
}

function parse<T>(data: unknown, schema: z.ZodType<T>, request: string): GithubAnswer<T> {
  const parsed = schema.safeParse(data);
  if (parsed.success) return ok(parsed.data);
  const [first] = parsed.error.issues;
  return err(malformed(request, `unexpected answer at ${first?.path.join(".") || "the top"}: ${first?.message ?? ""}`));
}

function malformed(request: string, message: string): GithubFailure {
  return { kind: "malformed", status: 200, request, message };
}

/** The request for people; what is only asked for a page is left out. */
function nameRequest(route: string, parameters: Parameters): string {
  return route.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : whole;
  });
}

function readKey(data: unknown, key: string): unknown {
  return z.record(z.string(), z.unknown()).safeParse(data).data?.[key];
}

function readCount(data: unknown): number | undefined {
  return z.object({ total_count: z.int() }).safeParse(data).data?.total_count;
}

/** True when two entries of a list have one number. */
function hasTwice(items: readonly unknown[]): boolean {
  const ids = items.flatMap((item) => z.object({ id: z.int() }).safeParse(item).data?.id ?? []);
  return new Set(ids).size < ids.length;
}
