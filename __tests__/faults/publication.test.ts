import { beforeAll, describe, expect, test } from "vitest";
import { TestRepository } from "../support/conveyor.ts";
import { FaultProxy, FAULTS, type FaultKind } from "../support/github/faults.ts";
import type { EmulatedGithub } from "../support/github/github.ts";
import { publish, startGithub } from "../support/publishing.ts";

/**
 * every call of a publication meets every fault. A tenth of them here, all in `npm run test:long`. Whatever
 * happens, there is one branch, one pull request and the right head in the end, and nothing is claimed before that.
 */
const isLong = process.env["CONVEYOR_LONG"] === "1";
const EVERY = isLong ? 1 : 10;

const repository = new TestRepository({
  rows: [{ step_id: "01", manual_gate: "approval" }],
});

/** Patience for tests: what a real network is given thirty seconds for. */
const IMPATIENT = { limits: { requests: { requestMs: 5000 }, remote: { stallSeconds: 4, timeoutMs: 30_000 } } };

let calls: readonly string[] = [];

async function begin(): Promise<{ github: EmulatedGithub; proxy: FaultProxy }> {
  const { github } = await startGithub(repository);
  return { github, proxy: await FaultProxy.start(github.url) };
}

const publishThrough = (proxy: FaultProxy) => publish(repository, repository.runFolder(), proxy.url, {}, IMPATIENT);

/** One branch, one pull request, the right head, and nobody but the bot pushed once. */
function expectOnce(github: EmulatedGithub): void {
  const head = String(repository.events().find(({ type }) => type === "gate_requested")?.details["commit"]);
  const { branch } = repository.report();
  expect([...github.bare.branches().keys()].sort()).toEqual([branch, "main"].sort());
  expect(github.bare.tip(branch)).toBe(head);
  expect(github.state.pulls).toMatchObject([{ headRef: branch, baseRef: "main", draft: true, state: "open" }]);
  expect(github.state.pushes.filter(({ ref }) => ref === `refs/heads/${branch}`)).toHaveLength(1);
}

beforeAll(async () => {
  const ended = await repository.run(["--deliver", "none"]);
  expect(ended.code, ended.stderr).toBe(3);
  const { github, proxy } = await begin();
  expect(await publishThrough(proxy)).toMatchObject({ kind: "published" });
  expectOnce(github);
  calls = [...proxy.seen];
});

describe("a publication whose calls meet faults", () => {
  test("asks git and API what it must and no more", () => {
    expect(
      calls.map((call) =>
        call
          .replace(/\?.*$/, "")
          .replace(/compare.*/, "compare")
          .replace(/conveyor(\/|%2F).*/, "BRANCH"),
      ),
    ).toMatchSnapshot();
  });

  test(
    "one fault at one call: one branch, one pull request, and no claim that is not so",
    { timeout: 1_800_000 },
    async () => {
      const cells = calls.flatMap((_, call) => FAULTS.map((kind) => ({ call: call + 1, kind })));
      const chosen = cells.filter((_, index) => index % EVERY === 4 % EVERY);
      for (const { call, kind } of chosen)
        await meet((at) => (at === call ? kind : undefined), `${kind} at call ${call}`);
    },
  );

  test("GitHub that never comes back is told of, and nothing is claimed", async () => {
    const { github, proxy } = await begin();
    proxy.plan = () => "503";
    expect(await publishThrough(proxy)).toMatchObject({ kind: "unavailable" });
    expect(github.state.pulls).toEqual([]);
  });

  /** Publishes through the fault, then again without, as the next try of a job does. */
  async function meet(plan: (call: number) => FaultKind | undefined, what: string): Promise<void> {
    const { github, proxy } = await begin();
    proxy.plan = plan;
    const first = await publishThrough(proxy);
    expect(["published", "unavailable"], `${what}: ${JSON.stringify(first)}`).toContain(first.kind);
    if (first.kind === "published") expectOnce(github);
    proxy.plan = () => undefined;
    expect(await publishThrough(proxy), what).toMatchObject({ kind: "published", pull: { number: 1 } });
    expectOnce(github);
    github.close();
  }
});
