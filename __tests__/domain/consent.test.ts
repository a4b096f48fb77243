import { describe, expect, it } from "vitest";
import { consentSchema, decideConsent, findConsent, type ConsentAsked } from "../../src/domain/consent.ts";

const ALLOWED = { "auto-enabled": true, "allow-apply": true, continuous: true, expires: "2026-12-31" };
const given = (more: object = {}) => findConsent(consentSchema.parse({ ...ALLOWED, ...more }), null);
const asked: ConsentAsked = { byPerson: false, today: "2026-12-31", iteration: 1, dryRun: false, delivers: true };

describe("consent, when no person asked", () => {
  it.each([
    ["everything is allowed, up to the last day", given(), {}, []],
    ["a person asked", findConsent(undefined, null), { byPerson: true }, []],
    ["nobody gave any", findConsent(undefined, null), {}, ["CONSENT_NOT_ENABLED"]],
    ["it is not enabled", given({ "auto-enabled": false }), {}, ["CONSENT_NOT_ENABLED"]],
    ["it ended yesterday", given({ expires: "2026-12-30" }), {}, ["CONSENT_EXPIRED"]],
    ["it names no end", given({ expires: undefined }), {}, ["CONSENT_EXPIRED"]],
    ["a second plan, not continuous", given({ continuous: false }), { iteration: 2 }, ["CONSENT_NOT_CONTINUOUS"]],
    ["a second plan, continuous", given(), { iteration: 2 }, []],
    ["a fourth plan of three", given(), { iteration: 4 }, ["CONSENT_NOT_CONTINUOUS"]],
    ["a loop that only tries", given(), { iteration: 2, dryRun: true }, ["CONSENT_NOT_ENABLED"]],
    ["a delivery that is not allowed", given({ "allow-apply": false }), {}, ["CONSENT_APPLY_NOT_ALLOWED"]],
    ["no delivery, and none is allowed", given({ "allow-apply": false }), { delivers: false }, []],
    [
      "everything is wrong",
      given({ "auto-enabled": false, expires: undefined, "allow-apply": false }),
      {},
      ["CONSENT_NOT_ENABLED", "CONSENT_EXPIRED", "CONSENT_APPLY_NOT_ALLOWED"],
    ],
  ] as const)("%s", (_what, found, more, codes) => {
    expect(decideConsent(found, { ...asked, ...more }).map(({ code }) => code)).toEqual(codes);
  });

  it("is read from its own file when the configuration has none", () => {
    const file = JSON.stringify({
      auto_enabled: true,
      continuous: false,
      require_execute: true,
      allow_apply: true,
      expires: "2027-01-01",
    });
    expect(decideConsent(findConsent(undefined, file), asked)).toEqual([]);
  });

  it.each([
    ["both hold one", consentSchema.parse(ALLOWED), "{}", "both in the configuration and in"],
    ["the file is not JSON", undefined, "yes", "expected one JSON object"],
    ["the file says one thing twice", undefined, '{"auto_enabled": false, "auto_\\u0065nabled": true}', "twice"],
    ["the file has another shape", undefined, '{"auto_enabled": "true"}', "auto_enabled"],
    ["the file has a key nobody knows", undefined, '{"auto_enabled": true, "x": 1}', "x"],
  ] as const)("is none when %s", (_what, configured, file, why) => {
    const refusals = decideConsent(findConsent(configured, file), asked);
    expect(refusals).toMatchObject([{ code: "CONSENT_NOT_ENABLED", text: expect.stringContaining(why) as string }]);
  });
});
