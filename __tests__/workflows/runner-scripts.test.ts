import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolder, ROOT, startProcess, type Ended } from "../support/conveyor.ts";

/** The folder of the Node that runs the tests. */
const NODE = dirname(process.execPath);

/** A machine of which only these programs exist besides the shell's own: each is a line of bash. */
class Machine {
  readonly temp = makeFolder();
  readonly bin = join(this.temp, "bin");
  readonly calls = join(this.temp, "calls");

  constructor(programs: Readonly<Record<string, string>>) {
    mkdirSync(this.bin);
    writeFileSync(this.calls, "");
    for (const [name, body] of Object.entries(programs)) {
      writeFileSync(join(this.bin, name), `#!/bin/bash\necho "${name} $*" >>"${this.calls}"\n${body}\n`);
      chmodSync(join(this.bin, name), 0o755);
    }
    for (const name of ["mkdir", "rm", "bash", "cat"]) {
      writeFileSync(join(this.bin, name), `#!/bin/bash\nPATH=/usr/bin:/bin exec ${name} "$@"\n`);
      chmodSync(join(this.bin, name), 0o755);
    }
  }

  async run(script: string, env: Readonly<Record<string, string>> = {}, args: readonly string[] = []): Promise<Ended> {
    const variables = { PATH: this.bin, RUNNER_TEMP: this.temp, GITHUB_PATH: join(this.temp, "path"), ...env };
    return await startProcess("/bin/bash", [join(ROOT, ".github/run-plan", script), ...args], {
      cwd: this.temp,
      env: variables,
    }).ended;
  }

  called(): string[] {
    return readFileSync(this.calls, "utf8").split("\n").filter(Boolean);
  }
}

describe("hand-on-rerun.sh", () => {
  const handOn = async (report: object) => {
    const machine = new Machine({});
    writeFileSync(join(machine.temp, "rerun.json"), JSON.stringify(report, null, 2));
    const output = join(machine.temp, "output");
    const ended = await machine.run(
      "hand-on-rerun.sh",
      { GITHUB_OUTPUT: output, LANG: "C.UTF-8", PATH: `${machine.bin}:${NODE}` },
      [join(machine.temp, "rerun.json")],
    );
    return { ...ended, said: existsSync(output) ? readFileSync(output, "utf8") : "" };
  };

  it("says the report on one line, whatever stands in it", async () => {
    const report = { commands: ["a\nreport=forged\n", "::error::no"] };
    expect(await handOn(report)).toMatchObject({ code: 0, said: `report=${JSON.stringify(report)}\n` });
  });

  it("refuses by name what no process can be started with, counted in bytes", async () => {
    const long = await handOn({ commands: ["\u00e9".repeat(60_000)] });
    expect(long).toMatchObject({ code: 1, said: "" });
    expect(long.stdout).toMatch(
      /^::error title=Plan Conveyor::the report of the rerun has 1200\d\d bytes, expected at most 120000/,
    );
    expect((await handOn({ commands: ["x".repeat(119_900)] })).code).toBe(0);
  });
});

describe("install-agents.sh", () => {
  it("installs exact versions outside the checkout without install scripts, and puts them on the path", async () => {
    const machine = new Machine({ npm: "pwd" });
    const ended = await machine.run("install-agents.sh", {
      AGENTS: "@openai/codex@0.169.0\n  @anthropic-ai/claude-code@2.1.328",
    });
    expect(ended.code).toBe(0);
    const folder = join(machine.temp, "conveyor-agents");
    expect(machine.called()).toEqual([
      "npm install --ignore-scripts --no-audit --no-fund --no-package-lock -- @openai/codex@0.169.0 @anthropic-ai/claude-code@2.1.328",
    ]);
    expect(ended.stdout).toBe(`${folder}\n`);
    expect(readFileSync(join(machine.temp, "path"), "utf8")).toBe(`${folder}/node_modules/.bin\n`);
  });

  it("runs the one install script that is named", async () => {
    const machine = new Machine({
      npm: "mkdir -p node_modules/@anthropic-ai/claude-code; echo >node_modules/@anthropic-ai/claude-code/install.cjs",
      node: "pwd",
    });
    const ended = await machine.run("install-agents.sh", { AGENTS: "@anthropic-ai/claude-code@2.1.328" });
    expect(machine.called().at(-1)).toBe("node install.cjs");
    expect(ended.stdout).toContain("conveyor-agents/node_modules/@anthropic-ai/claude-code");
  });

  it.each([
    "@openai/codex",
    "@openai/codex@latest",
    "@openai/codex@^0.169.0",
    "--registry=http://x @openai/codex@0.169.0",
    "git+https://x/y@1.2.3",
    "$(touch x)@1.0.0",
    "../x@1.0.0",
    "x@1.0.0;y",
  ])("refuses %j, and installs nothing", async (agents) => {
    const machine = new Machine({ npm: "true" });
    const ended = await machine.run("install-agents.sh", { AGENTS: agents });
    expect(ended.code).toBe(2);
    expect(ended.stdout).toContain("::error title=Plan Conveyor::agents: expected npm packages with exact versions");
    expect(machine.called()).toEqual([]);
  });
});

describe("install-sandbox.sh", () => {
  const installed = (temp: string): string => `[[ $* != --unshare-all* || -e ${temp}/made ]]`;

  it("does nothing where bubblewrap works", async () => {
    const machine = new Machine({ bwrap: "true", sudo: "exit 1" });
    const ended = await machine.run("install-sandbox.sh");
    expect(ended.code).toBe(0);
    expect(machine.called().map((call) => call.split(" ")[0])).toEqual(["bwrap", "bwrap"]);
  });

  it("installs it where it may, tries it, and says that it works", async () => {
    const machine = new Machine({ sudo: '[[ $1 == -n ]] || "$@"' });
    const bwrap = join(machine.bin, "bwrap");
    const add = `echo '#!/bin/bash' >${bwrap}; echo 'echo bubblewrap 0.9' >>${bwrap}; PATH=/usr/bin:/bin chmod +x ${bwrap}`;
    const body = `#!/bin/bash\necho "apt-get $*" >>"${machine.calls}"\n[[ $1 != install ]] || { ${add}; }\n`;
    writeFileSync(join(machine.bin, "apt-get"), body);
    chmodSync(join(machine.bin, "apt-get"), 0o755);
    const ended = await machine.run("install-sandbox.sh");
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain("bubblewrap works: bubblewrap 0.9");
    expect(machine.called()).toContainEqual(
      expect.stringMatching(/^apt-get install --yes --quiet --no-install-recommends bubblewrap/),
    );
  });

  it("says that programs are held in tier 1 where it may not, or where it does not help", async () => {
    const refused = await new Machine({ sudo: "exit 1" }).run("install-sandbox.sh");
    expect(refused).toMatchObject({ code: 0 });
    expect(refused.stdout).toContain("cannot be installed: without it programs are held in tier 1");
    const machine = new Machine({ sudo: '[[ $1 == -n ]] || "$@"', "apt-get": "true", bwrap: "" });
    writeFileSync(join(machine.bin, "bwrap"), `#!/bin/bash\n${installed(machine.temp)}\n`);
    const useless = await machine.run("install-sandbox.sh");
    expect(useless).toMatchObject({ code: 0 });
    expect(useless.stdout).toContain("does not work here: programs are held in tier 1");
  });
});
