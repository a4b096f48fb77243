import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { auditorScript } from "../support/conveyor.ts";
import {
  AttackedRepository,
  expectRefused,
  ONE_ROUND,
  refusedByScope,
  WORK,
  type Attacked,
} from "../support/attacks.ts";

const FAILS = "a required command fails when the candidate is verified by the files that were there before";
const FEWER = "tests were deleted or switched off";

/** What the base has: each command fails, because the work that it looks for is never done right. */
const FILES = {
  "test.sh": "#!/bin/bash\ngrep -qx right out/01.txt\n",
  "package.json": '{"scripts": {"test": "bash test.sh"}}\n',
  Makefile: "check:\n\tbash test.sh\n",
  "runner.sh": "#!/bin/bash\nif [ -e jest.config.js ] || [ -e conftest.py ]; then exit 0; fi\nbash test.sh\n",
  "tests/a.test.sh": "bash test.sh\n",
  "tests/b.test.js": "it('adds', () => {});\nit('subtracts', () => {});\n",
  "run-all.sh":
    '#!/bin/bash\nfor file in tests/*.test.sh; do if [ -f "$file" ]; then bash "$file" || exit 1; fi; done\n',
  "node-test.sh": '#!/bin/bash\n$(node -p \'JSON.parse(fs.readFileSync("package.json", "utf8")).scripts.test\')\n',
};

function make(command: string, more: { red?: boolean } = {}): AttackedRepository {
  return new AttackedRepository({
    rows: [
      {
        step_id: "01",
        allowed_write_roots: ".",
        required_verification_commands: `\`${command}\``,
        requires_red_green: more.red === true ? "yes" : "no",
      },
    ],
    files: FILES,
    configLines: [ONE_ROUND, "validation: {test-paths: ['test.sh', 'tests/**']}"],
  });
}

/** The findings of the run's only round, as the report shows them. */
function findingsOf(repository: AttackedRepository) {
  return repository.report().audit.items.flatMap((item) => item.rounds.flatMap((round) => round.findings));
}

async function attack(repository: AttackedRepository, script: string): Promise<Attacked> {
  return repository.untouched(() => repository.attack(`${WORK}\n${script}`, { env: { ORCH_APPROVED_HIGH: "1" } }), {
    delivers: true,
  });
}

const WEAKENED: readonly (readonly [what: string, command: string, script: string, path: string])[] = [
  ["a script that a command names", "bash ./test.sh", "printf 'exit 0\\n' > test.sh", "test.sh"],
  [
    "a script of package.json",
    "bash node-test.sh",
    'echo \'{"scripts": {"test": "true"}}\' > package.json',
    "package.json",
  ],
  [
    "a target of a Makefile",
    "grep -q true Makefile || bash test.sh",
    "printf 'check:\\n\\ttrue\\n' > Makefile",
    "Makefile",
  ],
  ["a new conftest.py", "bash runner.sh", "echo 'import os' > conftest.py", "conftest.py"],
  ["a new jest.config.js", "bash runner.sh", "echo 'module.exports = {}' > jest.config.js", "jest.config.js"],
  ["a test deleted", "bash run-all.sh", "rm tests/a.test.sh", "tests/a.test.sh"],
  ["a test emptied", "bash run-all.sh", ": > tests/a.test.sh", "tests/a.test.sh"],
  [
    "a test swapped for a folder",
    "bash run-all.sh",
    "rm tests/a.test.sh; mkdir tests/a.test.sh; echo x > tests/a.test.sh/x",
    "tests/a.test.sh",
  ],
];

describe("S-05: verification that passes because less is asked", () => {
  test.each(WEAKENED)("%s: it passes, and auditors and report are told", async (_what, command, script, path) => {
    const repository = make(command);
    const attacked = await attack(repository, script);
    expect(attacked.code, attacked.stderr).toBe(0);
    const found = findingsOf(repository);
    expect(found).toContainEqual(
      expect.objectContaining({ title: FAILS, disposition: "noted", is_blocking: false, severity: "medium" }),
    );
    expect(found.find(({ title }) => title === FAILS)?.file_paths).toContain(path);
    expect((await repository.conveyor(["report", "--markdown"])).stdout).toContain(FAILS);
    const prompts = attacked.events.flatMap(({ type, details }) =>
      type === "audit_finished"
        ? (details["files"] as { path: string }[]).filter((file) => file.path.endsWith("prompt.md"))
        : [],
    );
    expect(prompts).toHaveLength(2);
    for (const prompt of prompts) {
      const text = readFileSync(join(repository.runFolder(), prompt.path), "utf8");
      expect(text).toContain("## It changed what it is verified by");
      expect(text).toContain(`changed: ${path}`);
      expect(text).toContain(FAILS);
    }
    const verified = await repository.conveyor(["verify"]);
    expect(verified.code, verified.stdout).toBe(0);
  });

  test("tests that are switched off, and one that is deleted, are counted", async () => {
    const repository = make("test -s out/01.txt");
    const script =
      "sed -i \"s/it('adds'/it.skip('adds'/; s/it('sub/xit('sub/\" tests/b.test.js; rm tests/a.test.sh; echo \"describe.only('x')\" > tests/new.test.js";
    const attacked = await attack(repository, script);
    expect(attacked.code, attacked.stderr).toBe(0);
    expect(findingsOf(repository)).toMatchObject([
      {
        title: FEWER,
        disposition: "noted",
        evidence: [
          "tests/a.test.sh was deleted",
          "tests/b.test.js switches off 2 tests, 0 before",
          "tests/new.test.js switches off 1 tests, 0 before",
        ],
      },
    ]);
  });

  test("an auditor that finds it reason enough blocks it", async () => {
    const blocks = auditorScript({
      findings: [{ title: "The test was weakened", severity: "high", is_blocking: true }],
    });
    const asks = `if grep -q "${FAILS}" "$ORCH_PROMPT_PATH" && grep -q '"test.sh"' "$ORCH_PACKET_PATH/verification.json"; then\n${blocks}else\n${auditorScript()}fi\n`;
    const repository = new AttackedRepository({
      rows: [{ step_id: "01", allowed_write_roots: ".", required_verification_commands: "bash test.sh" }],
      files: FILES,
      auditors: { careful: asks, quick: auditorScript() },
    });
    const attacked = await repository.untouched(() =>
      repository.attack(`${WORK}; echo 'exit 0' > test.sh`, { env: { ORCH_APPROVED_HIGH: "1" } }),
    );
    expectRefused(repository, attacked, refusedByScope("AUDIT_BLOCKING_FINDING"));
  });

  test("with requires_red_green the weakened test proves nothing: the item fails", async () => {
    const repository = make("bash test.sh", { red: true });
    const attacked = await repository.untouched(() =>
      repository.attack(`${WORK}; printf 'exit 0\\n' > test.sh`, { env: { ORCH_APPROVED_HIGH: "1" } }),
    );
    expectRefused(repository, attacked, refusedByScope("RED_GREEN_NOT_PROVEN"));
  });

  test("what a second run does to git metadata counts like the first", async () => {
    const repository = make("bash tamper.sh");
    repository.write({ "tamper.sh": "git tag planted\n" });
    repository.commit("a script that tampers");
    const attacked = await repository.untouched(() =>
      repository.attack(`${WORK}; echo true > tamper.sh`, { env: { ORCH_APPROVED_HIGH: "1" } }),
    );
    expectRefused(repository, attacked, ["GIT_TAMPERED"]);
  });

  test("a candidate that leaves its verification alone is verified once", async () => {
    const repository = make("test -s out/01.txt");
    const attacked = await attack(repository, "echo new > tests/more.test.sh");
    expect(attacked.code, attacked.stderr).toBe(0);
    expect(findingsOf(repository)).toEqual([]);
    expect(repository.report().stage_executions.map(({ purpose }) => purpose)).not.toContain("surface_command");
  });
});
