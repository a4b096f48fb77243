import { ok } from "../../domain/result.ts";
import type { GithubAnswer } from "../../ports/github.ts";

/** Waits for several answers; the first that failed, in the order they are named, fails all. */
export async function gather<T extends Record<string, unknown>>(asked: {
  readonly [K in keyof T]: Promise<GithubAnswer<T[K]>>;
}): Promise<GithubAnswer<T>> {
  const names = Object.keys(asked) as (keyof T)[];
  const answers = await Promise.all(names.map((name) => asked[name]));
  const gathered: Partial<T> = {};
  for (const [index, answer] of answers.entries()) {
    const name = names[index];
    if (!answer.ok) return answer;
    if (name !== undefined) gathered[name] = answer.value;
  }
  return ok(gathered as T);
}

/** Nothing in place of what is not there; every other failure stays one. */
export async function orNull<T>(asked: Promise<GithubAnswer<T>>): Promise<GithubAnswer<T | null>> {
  const answer = await asked;
  return answer.ok || answer.error.kind !== "not_found" ? answer : ok(null);
}

/** All of several answers of one kind, in their order. */
export async function gatherAll<T>(asked: readonly Promise<GithubAnswer<T>>[]): Promise<GithubAnswer<readonly T[]>> {
  const values: T[] = [];
  for (const answer of await Promise.all(asked)) {
    if (!answer.ok) return answer;
    values.push(answer.value);
  }
  return ok(values);
}
