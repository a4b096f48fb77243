import { expect, test } from "vitest";
import { chooseSecrets, isSecretName, type SecretFacts } from "../../src/domain/secrets.ts";

const facts = (input: Partial<SecretFacts>): SecretFacts => ({
  env: {},
  handedOn: [],
  held: [],
  places: new Set(),
  published: [],
  ...input,
});
const valuesOf = (input: Partial<SecretFacts>): string[] =>
  chooseSecrets(facts(input)).secrets.map(({ value }) => value);
const VALUE = "q7Rz-81mX.kfW2";

test.each([
  "GITHUB_TOKEN",
  "npm_config__authToken",
  "MY_SECRET",
  "OPENAI_API_KEY",
  "DB_PASSWORD",
  "PGPASSWORD",
  "AWS_CREDENTIALS",
  "GPG_PASSPHRASE",
  "BASIC_AUTH",
  "GH_PAT",
  "SESSION_COOKIE",
  "MYSQL_PWD",
])("%s has a secret by its name", (name) => {
  expect(valuesOf({ env: { [name]: VALUE } })).toEqual([VALUE]);
});

test.each(["PATH", "PWD", "OLDPWD", "SSH_AUTH_SOCK", "HOME", "CI", "LANG", "PATTERN", "COMPASS", "AUTHOR"])(
  "%s has none",
  (name) => {
    expect(isSecretName(name)).toBe(false);
    expect(valuesOf({ env: { [name]: VALUE } })).toEqual([]);
  },
);

test.each([
  ["short", "hunter2"],
  ["ordinary", "postgres"],
  ["ordinary", "20261201"],
  ["ordinary", "xxxxxxxxxxxxxxxx"],
  ["published", VALUE],
])("a value that is %s is left, and told of: %s", (why, value) => {
  const published = why === "published" ? [`| run | test ${VALUE} |`] : [];
  expect(chooseSecrets(facts({ env: { DB_PASSWORD: value }, published }))).toEqual({
    secrets: [],
    left: [{ name: "DB_PASSWORD", why }],
  });
});

test("places are no secrets, whatever their variables are called", () => {
  const env = { SSH_KEY_FILE: "/etc/keys/one", TOKEN_URL: "https://login.example.com/token", KEYS: "/a:/b" };
  expect(chooseSecrets(facts({ env, places: new Set(["/etc/keys/one", "/a:/b"]) }))).toEqual({ secrets: [], left: [] });
  // A key that only looks like a path is one.
  expect(valuesOf({ env: { AWS_SECRET_ACCESS_KEY: "/tEst/KEy+0000000000000000000000000000000" } })).toHaveLength(1);
  expect(valuesOf({ env: { WEBHOOK_SECRET: "https://hooks.example.com/services/T0/B0/xyz" } })).toHaveLength(1);
});

test.each([
  ["/opt/java", []],
  ["en_US.UTF-8", []],
  ["production", []],
  ["gpt-5.4-codex-max", []],
  ["eu-west-1", []],
  ["https://api.example.com/v1", []],
  ["localhost:8080", []],
  ["2f1c9e5a-7b1d-4c55-9d0e-6a1b2c3d4e5f", ["2f1c9e5a-7b1d-4c55-9d0e-6a1b2c3d4e5f"]],
  ["Tr0ub4dor&3xyz", ["Tr0ub4dor&3xyz"]],
  ["https://api.example.com/?key=q7Rz81mX", ["https://api.example.com/?key=q7Rz81mX"]],
])("what is handed on is a secret unless it is ordinary: %s", (value, expected) => {
  expect(valuesOf({ env: { SETTING: value }, handedOn: ["SETTING"], places: new Set(["/opt/java"]) })).toEqual(
    expected,
  );
  expect(valuesOf({ env: { SETTING: value } })).toEqual([]);
});

test("a held key, a value of a known form, the password in a URL and the parts of a long value are secrets", () => {
  expect(valuesOf({ env: { MODEL: "/q7Rz81mXkfW2" }, held: ["MODEL"] })).toEqual(["/q7Rz81mXkfW2"]);
  expect(valuesOf({ env: { X: "ghp_0123456789abcdef" } })).toEqual(["ghp_0123456789abcdef"]);
  expect(valuesOf({ env: { DATABASE_URL: `postgres://app:${VALUE}@db.example.com/app` } })).toEqual([VALUE]);
  expect(valuesOf({ env: { DATABASE_URL: "postgres://app:postgres@localhost/app" } })).toEqual([]);
  const line = "b3BlbnNzaC1rZXktdjEAAAAA";
  const pem = `-----BEGIN KEY-----\n${line}\n-----END KEY-----`;
  expect(valuesOf({ env: { SSH_KEY: `${pem}\n` } })).toEqual([pem, line]);
  const account = JSON.stringify({ type: "service_account", private_key: pem, client_email: "a@example.com" });
  expect(valuesOf({ env: { GCP_CREDENTIALS: account } })).toContain(line);
});
