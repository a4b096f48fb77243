import { generateKeyPairSync, verify } from "node:crypto";
import { expect, test } from "vitest";
import { createAppToken } from "../../../src/effects/github/app-token.ts";
import { systemRandomness } from "../../../src/effects/ids.ts";
import { EmulatedGithub } from "../../support/github/github.ts";
import { found } from "../../support/github/routes.ts";
import { HastyClock } from "../../support/publishing.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PEM = privateKey.export({ type: "pkcs1", format: "pem" }).toString();

const ask = (apiUrl: string, pem = PEM) =>
  createAppToken(
    { clientId: "Iv1.0123456789abcdef", privateKey: pem },
    {
      apiUrl,
      graphqlUrl: `${apiUrl}/graphql`,
      owner: "acme",
      repo: "widgets",
      clock: new HastyClock(),
      randomness: systemRandomness,
      interrupt: new AbortController().signal,
    },
  );

test("an App's key gets a token for the one repository and for no more than delivery needs", async () => {
  const github = await EmulatedGithub.start({
    routes: {
      "GET /app": () => found({ slug: "conveyor" }),
      "GET /repos/:owner/:repo/installation": () => found({ id: 42 }),
      "POST /app/installations/:id/access_tokens": () => ({ status: 201, data: { token: "an-installation-token" } }),
    },
  });
  expect(await ask(github.url)).toEqual({
    ok: true,
    value: { token: "an-installation-token", login: "conveyor[bot]" },
  });
  const [first, , third] = github.requests;
  expect(third).toMatchObject({
    path: "/app/installations/42/access_tokens",
    body: { repositories: ["widgets"], permissions: { contents: "write", pull_requests: "write" } },
  });
  const [, word = ""] = /^bearer (.+)$/i.exec(first?.authorization ?? "") ?? [];
  const [head = "", claims = "", signature = ""] = word.split(".");
  const isSigned = verify(
    "RSA-SHA256",
    Buffer.from(`${head}.${claims}`),
    publicKey,
    Buffer.from(signature, "base64url"),
  );
  expect(isSigned).toBe(true);
  const said = JSON.parse(Buffer.from(claims, "base64url").toString()) as { iat: number; exp: number; iss: string };
  expect(said.iss).toBe("Iv1.0123456789abcdef");
  expect(said.exp - Date.now() / 1000).toBeLessThan(600);
  expect(said.iat).toBeLessThan(Date.now() / 1000);
});

test.each([
  ["no key", "nonsense", "app-private-key: the key cannot be used to sign"],
  ["an App that is not installed", PEM, "the App: Not Found"],
])("%s is said in one line, without the key", async (_what, pem, message) => {
  const github = await EmulatedGithub.start();
  const answer = await ask(github.url, pem);
  expect(answer).toMatchObject({ ok: false, error: expect.stringContaining(message) });
  expect(JSON.stringify(answer)).not.toContain(PEM.split("\n")[1]);
});
