import { expect, test } from "vitest";
import { findGithubPlace } from "../../src/domain/github-repository.ts";

const at = (env: Readonly<Record<string, string>>): string => {
  const place = findGithubPlace({ GITHUB_REPOSITORY: "acme/widgets", ...env }, undefined);
  return place.ok ? place.value.graphqlUrl : place.error;
};

test.each([
  [{}, "https://api.github.com/graphql"],
  // A server of a company has GraphQL beside its REST API.
  [{ GITHUB_API_URL: "https://ghes.example.com/api/v3" }, "https://ghes.example.com/api/graphql"],
  [{ GITHUB_API_URL: "https://ghes.example.com/api/v3/" }, "https://ghes.example.com/api/graphql"],
  [
    { GITHUB_API_URL: "https://x.example.com/api/v3", GITHUB_GRAPHQL_URL: "https://y.example.com/graphql" },
    "https://y.example.com/graphql",
  ],
  [{ GITHUB_GRAPHQL_URL: "" }, "https://api.github.com/graphql"],
  [{ GITHUB_GRAPHQL_URL: "nowhere" }, "GITHUB_GRAPHQL_URL: expected a URL, for example https://api.github.com/graphql"],
])("with %j GraphQL is at %s", (env, expected) => {
  expect(at(env)).toBe(expected);
});
