import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/domain/config.ts";
import { judgeSandbox } from "../../src/domain/doctor.ts";
import { isAllowedHost, isForeignAddress, keyTarget, parseHostEntry } from "../../src/domain/network-hosts.ts";
import { SANDBOX_LEVELS } from "../../src/domain/run-choices.ts";
import { decideSandbox, SANDBOX_PROBES, type SandboxFacts, type SandboxWish } from "../../src/domain/sandbox.ts";
import { judgeLayers, SANDBOX_LAYERS, type SandboxLayer } from "../../src/domain/sandbox-layers.ts";
import {
  buildBubblewrapArgs,
  buildPrlimitArgs,
  isWithin,
  mayShow,
  outermost,
} from "../../src/domain/sandbox-mounts.ts";

const HELD = SANDBOX_PROBES.map((probe) => ({ probe, outcome: "held" as const, detail: "refused" }));
const PROVEN: SandboxFacts = {
  platform: "linux",
  bubblewrap: "/usr/bin/bwrap",
  setpriv: true,
  prlimit: true,
  root: false,
  trial: { kind: "ran", probes: HELD },
};
const NOTHING: SandboxFacts = {
  ...PROVEN,
  bubblewrap: null,
  setpriv: false,
  prlimit: false,
  trial: { kind: "not_tried", why: "bubblewrap not found; install it" },
};
const wish = (input: Partial<SandboxWish> = {}): SandboxWish => ({
  level: "auto",
  minimum_tier: 1,
  held_keys: [],
  ...input,
});

describe("the tier", () => {
  it("is 3 when every probe held, and the highest there is", () => {
    expect(decideSandbox(PROVEN, wish())).toEqual({ tier: 3, why: "every probe held", refusal: undefined });
  });

  it.each(SANDBOX_PROBES)("is 1 when %s is open, and says so", (name) => {
    const probes = HELD.map((each) =>
      each.probe === name ? { ...each, outcome: "open" as const, detail: "it worked" } : each,
    );
    const { tier, why } = decideSandbox({ ...PROVEN, trial: { kind: "ran", probes } }, wish());
    expect([tier, why]).toEqual([1, `the sandbox did not hold: ${name} (it worked)`]);
  });

  it.each(SANDBOX_PROBES)("is 1 when %s was never tried: what is missing did not hold", (name) => {
    const probes = HELD.filter(({ probe }) => probe !== name);
    expect(decideSandbox({ ...PROVEN, trial: { kind: "ran", probes } }, wish()).tier).toBe(1);
  });

  it.each(["not_tried", "not_started"] as const)("is 1 when the trial was %s", (kind) => {
    const decided = decideSandbox({ ...PROVEN, trial: { kind, why: "no user namespaces" } }, wish());
    expect(decided).toMatchObject({ tier: 1, why: "no user namespaces" });
  });

  it("is 1 when the sandbox is off, whatever the machine has", () => {
    expect(decideSandbox(PROVEN, wish({ level: "off" })).tier).toBe(1);
  });
});

describe("a run", () => {
  it.each(SANDBOX_LEVELS.flatMap((level) => [1, 2, 3].map((least) => [level, least] as const)))(
    "at level %s with minimum tier %i is refused only when required and not proven",
    (level, minimum_tier) => {
      expect(decideSandbox(PROVEN, wish({ level, minimum_tier })).refusal).toBeUndefined();
      const { refusal } = decideSandbox(NOTHING, wish({ level, minimum_tier }));
      expect(refusal === undefined).toBe(level !== "required");
      if (refusal !== undefined) expect(refusal).toContain(`tier ${Math.max(2, minimum_tier)} or higher, found tier 1`);
    },
  );
});

describe("the strength of a layer", () => {
  const strengths = (tier: 1 | 3, facts: SandboxFacts, keys: readonly string[] = []) =>
    Object.fromEntries(judgeLayers(tier, facts, keys).map(({ layer, strength }) => [layer, strength]));

  /** What docs/sandbox.md says, at tier 1 and at tier 3, on a machine that has every tool and runs it as a user. */
  const TABLE: Record<SandboxLayer, readonly [string, string]> = {
    environment: ["enforced", "enforced"],
    git_metadata: ["detected", "enforced"],
    audit_checkout: ["detected", "enforced"],
    file_writes: ["advisory", "enforced"],
    file_reads: ["advisory", "enforced"],
    orchestrator_secrets: ["advisory", "enforced"],
    process_lifetime: ["detected", "enforced"],
    privileges: ["enforced", "enforced"],
    network: ["advisory", "enforced"],
    model_keys: ["advisory", "enforced"],
    allowed_hosts_content: ["advisory", "advisory"],
    file_size: ["enforced", "enforced"],
    process_count: ["detected", "enforced"],
    disk_and_memory: ["advisory", "advisory"],
  };

  it.each(SANDBOX_LAYERS)("of %s is what the table says", (layer) => {
    const keys = ["MODEL_KEY"];
    expect([strengths(1, PROVEN, keys)[layer], strengths(3, PROVEN, keys)[layer]]).toEqual(TABLE[layer]);
  });

  it("is less where the tool for it is missing, where root runs it, where nothing is held", () => {
    expect(strengths(1, NOTHING)).toMatchObject({ privileges: "advisory", file_size: "advisory" });
    expect(strengths(3, { ...PROVEN, root: true })).toMatchObject({
      process_count: "detected",
      model_keys: "advisory",
    });
  });
});

describe("what doctor says of the sandbox", () => {
  const levels = (facts: SandboxFacts, level: SandboxWish["level"]) =>
    judgeSandbox(facts, wish({ level })).map((finding) => [finding.level, finding.code]);

  it("is an error only when a run would be refused", () => {
    expect(levels(PROVEN, "required")[0]).toEqual(["ok", null]);
    expect(levels(NOTHING, "required")[0]).toEqual(["error", "SANDBOX_UNAVAILABLE"]);
    expect(levels(NOTHING, "auto")[0]).toEqual(["warning", null]);
    expect(levels(NOTHING, "off")[0]).toEqual(["ok", null]);
  });

  it("names every layer once, by its strength", () => {
    const said = judgeSandbox(PROVEN, wish()).slice(1);
    const named = said.flatMap(({ message }) => message.split(": ")[1]?.split(", ") ?? []);
    expect(named.sort()).toEqual([...SANDBOX_LAYERS].sort());
  });
});

describe("the arguments of bubblewrap", () => {
  it("show the system, hide what is somebody's, and end with nothing that could be written outside", () => {
    const same = (path: string) => ({ source: path, target: path });
    const args = buildBubblewrapArgs({
      hidden: ["/u", "/tmp", "/srv/checkout"],
      readable: [same("/u/run/repo.git"), { source: "/opt/x/inside.js", target: "/tmp/conveyor/inside.js" }],
      writable: [same("/u/cache/worktrees/01-1-work"), same("/u/cache/homes/01")],
      guarded: [same("/u/cache/worktrees/01-1-work/.git")],
      cwd: "/u/cache/worktrees/01-1-work",
    });
    expect(`${args.join(" ").replaceAll(" --", "\n--")}\n`).toBe(
      [
        "--unshare-all",
        "--cap-drop ALL",
        "--die-with-parent",
        "--ro-bind / /",
        "--dev /dev",
        "--proc /proc",
        "--size 536870912",
        "--tmpfs /tmp",
        "--size 1048576",
        "--tmpfs /u",
        "--size 1048576",
        "--tmpfs /srv/checkout",
        "--ro-bind /opt/x/inside.js /tmp/conveyor/inside.js",
        "--ro-bind /u/run/repo.git /u/run/repo.git",
        "--bind /u/cache/homes/01 /u/cache/homes/01",
        "--bind /u/cache/worktrees/01-1-work /u/cache/worktrees/01-1-work",
        "--ro-bind /u/cache/worktrees/01-1-work/.git /u/cache/worktrees/01-1-work/.git",
        "--remount-ro /u",
        "--remount-ro /srv/checkout",
        "--chdir /u/cache/worktrees/01-1-work",
        "",
      ].join("\n"),
    );
  });

  it("never hide the root of everything, and let what is writable win over what is only readable", () => {
    const path = "/u/scratch";
    const view = { hidden: ["/", "/u"], guarded: [], cwd: "/" };
    const mounts = [{ source: path, target: path }];
    const args = buildBubblewrapArgs({ ...view, readable: mounts, writable: mounts }).join(" ");
    expect(args).not.toContain("--tmpfs / ");
    expect(args).toContain(`--bind ${path} ${path}`);
    expect(args).not.toContain(`--ro-bind ${path}`);
  });

  it("hold the limits of a program", () => {
    const limits = { fileBytes: 100, openFiles: 20 };
    expect(buildPrlimitArgs({ ...limits, processes: 7 })).toEqual([
      "--fsize=100",
      "--nofile=20",
      "--core=0",
      "--nproc=7",
      "--",
    ]);
    expect(buildPrlimitArgs({ ...limits, processes: undefined }).join(" ")).not.toContain("nproc");
  });
});

describe("what is hidden", () => {
  it("is hidden once, and once more inside the folder that may be written", () => {
    expect(outermost(["/h", "/h/me", "/h", "/", "/tmp", "/tmp/run", "/tmp/run/cache"])).toEqual([
      "/h",
      "/tmp",
      "/tmp/run",
    ]);
  });

  it.each([
    ["/h/me/.nvm/bin", true],
    ["/h/me", false],
    ["/h", false],
    ["/", false],
    ["/h/me/.cache/run", false],
    ["/usr/bin", true],
  ])("is not shown by showing %s: %s", (path, shown) => {
    expect(mayShow(path, ["/h", "/h/me", "/h/me/.cache/run"])).toBe(shown);
  });

  it("is told from what only begins alike", () => {
    expect([isWithin("/a/b", "/a"), isWithin("/a", "/a"), isWithin("/ab", "/a"), isWithin("/x", "/")]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });
});

describe("hosts", () => {
  it.each([
    ["api.example.com", { host: "api.example.com", port: 443 }],
    ["API.Example.com:8443", { host: "api.example.com", port: 8443 }],
    ["127.0.0.1:80", { host: "127.0.0.1", port: 80 }],
    ["[2001:DB8::1]:443", { host: "2001:db8::1", port: 443 }],
    ["x", { host: "x", port: 443 }],
    ["https://example.com", undefined],
    ["example.com:0", undefined],
    ["example.com:65536", undefined],
    ["*.example.com", undefined],
    ["-x", undefined],
    ["a b", undefined],
    ["", undefined],
  ])("written as %j are %j", (entry, parsed) => {
    expect(parseHostEntry(entry)).toEqual(parsed);
  });

  it.each([
    ["api.example.com", 443, true],
    ["API.EXAMPLE.COM", 443, true],
    ["api.example.com.", 443, true],
    ["api.example.com", 80, false],
    ["evil-api.example.com", 443, false],
    ["api.example.com.evil.net", 443, false],
    ["example.com", 443, false],
    ["10.0.0.1", 8080, true],
    ["10.0.0.1", 443, false],
  ])("%s at port %i may be asked for: %s", (host, port, allowed) => {
    expect(isAllowedHost(host, port, ["api.example.com", "10.0.0.1:8080"])).toBe(allowed);
  });

  it.each([
    ["93.184.216.34", true],
    ["10.1.2.3", true],
    ["2001:db8::1", true],
    ["127.0.0.1", false],
    ["127.9.9.9", false],
    ["0.0.0.0", false],
    ["169.254.169.254", false],
    ["100.100.100.200", false],
    ["168.63.129.16", false],
    ["192.0.0.192", false],
    ["224.0.0.1", false],
    ["255.255.255.255", false],
    ["::1", false],
    ["::", false],
    ["fe80::1", false],
    ["ff02::1", false],
    ["fd00:ec2::254", false],
    ["fd20:ce::254", false],
    ["::ffff:169.254.169.254", false],
    ["::ffff:a9fe:a9fe", false],
    ["64:ff9b::a9fe:a9fe", false],
    ["1.2.3", false],
    ["1.2.3.999", false],
    ["name", false],
  ])("a name may lead to %s: %s", (address, may) => {
    expect(isForeignAddress(address)).toBe(may);
  });
});

describe("a key that the proxy is to hold", () => {
  it.each([
    ["/models/a..b/x%2Fy", true],
    ["/../admin", false],
    ["/%2e%2e/admin", false],
    ["/..%2fadmin", false],
    ["/x%2F%2E.%5cadmin", false],
    ["/..;/admin", false],
    ["/x%2f..", false],
  ])("goes along with %s: %s", (rest, goes) => {
    expect(keyTarget("https://api.example.com/v1", rest) !== undefined).toBe(goes);
  });

  const problems = (key: string) => parseConfig("c.yml", `version: 1\nsandbox: {keys: [${key}]}\n`).problems.length;
  const key = (url: string, more = "") => `{env: KEY, url: ${JSON.stringify(url)}, header: x-key, url-env: URL${more}}`;

  it.each([
    ["https://api.example.com", 0],
    ["https://api.example.com:8443/base", 0],
    ["http://127.0.0.1:8080", 0],
    ["http://[::1]:8080", 0],
    ["http://api.example.com", 1],
    ["http://localhost:8080", 1],
    ["ftp://api.example.com", 1],
    ["https://user:word@api.example.com", 1],
    ["https://api.example.com/?x=1", 1],
    ["api.example.com", 1],
  ])("goes to %s: %i problems", (url, count) => {
    expect(problems(key(url))).toBe(count);
  });

  it("is named once, by a variable that programs may get", () => {
    const url = "https://api.example.com";
    expect(problems(`${key(url)}, ${key(url)}`)).toBe(1);
    expect(problems(key(url).replace("KEY", "GITHUB_TOKEN"))).toBe(1);
    expect(problems(key(url).replace("x-key", "'x key'"))).toBe(1);
    expect(problems(key(url, ", scheme: 'a b'"))).toBe(1);
  });
});
