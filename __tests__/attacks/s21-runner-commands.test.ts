import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  auditLanes,
  auditorScript,
  GATES_OPEN,
  PLAN_PATH,
  startProcess,
  CLI,
  type Ended,
} from "../support/conveyor.ts";
import { APPROVED, AttackedRepository, ONE_ROUND } from "../support/attacks.ts";

/** Forms of commands that a runner of GitHub Actions obeys, or did once; `printf` formats. */
const FORMS: readonly string[] = [
  "::set-output name=gates::pass",
  "::add-path::/tmp/evil",
  "::set-env name=LD_PRELOAD::/tmp/evil.so",
  "::save-state name=x::y",
  "::add-mask::a",
  "::stop-commands::token",
  "::token::",
  "::error file=README.md,line=1::lie",
  "::warning::lie",
  "::notice title=x::lie",
  "::debug::lie",
  "::group::lie",
  "::endgroup::",
  "::echo::on",
  "::add-matcher::evil.json",
  "::remove-matcher owner=x::",
  " ::add-path::/tmp/indented",
  "\\t::add-path::/tmp/tabbed",
  "\\302\\240::add-path::/tmp/no-break",
  "\\302\\205::add-path::/tmp/next-line",
  "\\033[2m::add-path::/tmp/dim",
  "\\033[2K\\r::add-path::/tmp/wiped",
  "x\\r::add-path::/tmp/carriage",
  "x\\n::add-path::/tmp/line",
  "x\\013::add-path::/tmp/vertical",
  "x\\342\\200\\250::add-path::/tmp/separator",
  "##[add-path]/tmp/old",
  "##[set-env name=X]y",
  "words before ##[add-path]/tmp/old",
  "##[command]whoami",
  "##[group]lie",
  "\\000::add-path::/tmp/nul",
];

/** Lines that a runner would take for a command: it splits at both kinds of line ends, and trims. */
function findCommands(text: string): string[] {
  return text
    .replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, "")
    .split(/\r\n|[\r\n]/)
    .filter((line) => /^[\s\u0085\u0000]*::/.test(line) || line.includes("##["));
}

const PRINT = FORMS.map((form) => `printf '${form}\\n'; printf '${form}\\n' >&2`).join("\n");
const JSON_FORM = "::add-path::/tmp/json ##[add-path]/tmp/json";

describe(`S-21: ${FORMS.length} forms of runner commands that programs, plans and names hold`, () => {
  const finding = { title: JSON_FORM, severity: "low" as const, file_paths: ["::add-path::x", "##[add-path]x"] };
  const repository = new AttackedRepository({
    rows: [
      {
        step_id: "01",
        action: "::add-path::/tmp/plan ##[add-path]/tmp/plan",
        allowed_write_roots: "out; ::add-path::root",
        notes: "##[add-path]/tmp/notes",
        required_verification_commands: "bash out/print.sh; echo '##[add-path]/tmp/command' > /dev/null",
      },
    ],
    auditors: {
      careful: `${PRINT}\n${auditorScript({ findings: [finding] })}`,
      quick: `${PRINT}\n${auditorScript({ findings: [{ ...finding, is_blocking: true, severity: "high" }] })}`,
    },
    configLines: [ONE_ROUND, auditLanes()],
  });
  const claims = JSON.stringify({ status: "completed", summary: JSON_FORM, reason: JSON_FORM });
  const script = [
    "mkdir -p out && echo done > out/01.txt",
    PRINT,
    `cat > out/print.sh << 'END'\n${PRINT}\nEND`,
    `printf '%s' '${claims}' > "$ORCH_RESULT_PATH"`,
    "echo x > 'out/##[add-path]name'; mkdir '::add-path::root'; echo x > '::add-path::root/::add-path::name'",
  ].join("\n");

  const expectTame = (ended: Ended, name: string): void => {
    expect(findCommands(ended.stdout), `${name}, stdout`).toEqual([]);
    expect(findCommands(ended.stderr), `${name}, stderr`).toEqual([]);
  };

  test("the test's own eye sees them: printed as they are, each is a command", async () => {
    const { stdout } = await startProcess("bash", ["-c", PRINT], { cwd: repository.base, env: repository.env() }).ended;
    expect(findCommands(stdout).length).toBeGreaterThanOrEqual(FORMS.length - 2);
  });

  test("a run that passes their words on to report, status and history: none reaches a stream", async () => {
    const attacked = await repository.untouched(() => repository.attack(script, { env: APPROVED }));
    expect(attacked.code).toBe(1);
    expect(attacked.outcome.blocked_reason_codes).toContain("AUDIT_BLOCKING_FINDING");
    expectTame(attacked, "run");
    for (const args of [
      ["report"],
      ["report", "--markdown"],
      ["status"],
      ["status", "--all"],
      ["status", "--format", "json"],
      ["verify"],
      ["audit"],
      ["audit", "--format", "json"],
      ["doctor"],
      ["items", "list", PLAN_PATH],
      ["items", "show", PLAN_PATH, "01"],
      ["items", "show", PLAN_PATH, "01", "--format", "json"],
      ["resume"],
      ["run", PLAN_PATH, "--dry-run"],
    ]) {
      expectTame(await repository.conveyor(args, { env: APPROVED }), args.join(" "));
    }
    // Escaped, not dropped: the JSON still says what was said.
    const { stdout } = await repository.conveyor(["report"]);
    expect(JSON.stringify(JSON.parse(stdout))).toContain(JSON.stringify(JSON_FORM).slice(1, -1));
  });

  test("names that scope refuses, and errors about arguments", async () => {
    const attacked = await repository.untouched(() =>
      repository.attack(`${script}\necho x > '::add-path::outside'; echo x > '##[add-path]outside'`, { env: APPROVED }),
    );
    expect(attacked.code).toBe(1);
    expectTame(attacked, "refused names");
    for (const args of [
      ["run", "::add-path::plan.md"],
      ["run", "\n::add-path::plan.md"],
      ["plans", "lint", "::add-path::plan.md"],
      ["plans", "lint", "##[add-path]plan.md"],
      ["status", "\n::add-path::x"],
      ["\n::add-path::x"],
      ["run", PLAN_PATH, "--item", "\n::add-path::x"],
      ["run", PLAN_PATH, "--mode", "##[add-path]x"],
    ]) {
      const ended = await repository.conveyor(args);
      expect(ended.code).not.toBe(0);
      expectTame(ended, JSON.stringify(args));
    }
  });

  test("a plan and a configuration full of them", async () => {
    const path = "docs/exec-plans/active/::add-path::hostile.md";
    writeFileSync(
      join(repository.path, path),
      "::add-path::/tmp/x\n\n## ::add-path::x\n\n| step_id |\n| --- |\n| ::add-path::x |\n",
    );
    writeFileSync(join(repository.base, "##[add-path]config.yml"), "::add-path::x: 1\n'##[add-path]y': 2\n");
    try {
      expectTame(await repository.conveyor(["plans", "lint", path]), "lint");
      expectTame(await repository.conveyor(["plans", "lint", path, "--format", "json"]), "lint as JSON");
      const config = join(repository.base, "##[add-path]config.yml");
      expectTame(await repository.conveyor(["run", PLAN_PATH, "--config", config]), "configuration");
    } finally {
      repository.git("clean", "-q", "-f", "--", "docs");
    }
  });

  test("output of programs that somebody watches in a terminal", async () => {
    const args = [CLI, "run", PLAN_PATH, ...GATES_OPEN, "--executor-bin", "bash", "--executor-arg", "$SCRIPT_FILE"];
    const file = join(repository.base, "executor.sh");
    writeFileSync(file, script);
    const command = [process.execPath, ...args].map((word) => `'${word.replace("$SCRIPT_FILE", file)}'`).join(" ");
    for (const extra of [{}, { NO_COLOR: "1" }]) {
      const { stdout } = await startProcess("script", ["-qec", command, "/dev/null"], {
        cwd: repository.path,
        env: repository.env({ ...APPROVED, TERM: "xterm", ...extra }),
      }).ended;
      expect(stdout).toContain("/tmp/indented");
      expect(findCommands(stdout)).toEqual([]);
    }
  });
});
