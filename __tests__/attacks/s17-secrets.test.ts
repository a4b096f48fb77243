import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { AttackedRepository, expectRefused, ONE_ROUND, refusedByScope, WORK } from "../support/attacks.ts";
import { auditLanes, auditorScript, GATES_OPEN, makeFolder } from "../support/conveyor.ts";
import { git } from "../support/git-run.ts";
import type { PackAnswer } from "../support/packs.ts";

/** Ten secrets: seven known by their names, two because they are handed on, one that somebody typed. */
const CANARIES: Readonly<Record<string, string>> = {
  DEPLOY_TOKEN: "ghs_1canary1QwErTyUiOpAsDfGh.JkLzXcVbNm-0123456789_long",
  OPENAI_API_KEY: "sk-proj-2canary2AbCdEfGhIjKlMnOp",
  DATABASE_PASSWORD: '3canary3/p&ss w0rd+"quoted"=',
  CLIENT_SECRET: "4canary4-0a1b2c3d4e5f60718293",
  SIGNING_CREDENTIAL: "5canary5:Zm9vYmFy:xyzzy",
  SSH_PRIVATE_KEY:
    "-----BEGIN TEST KEY-----\n6canary6AAAAB3NzaC1yc2EAAAADAQABAAABgQ\n6canary6C7Zm9vYmFyYmF6cXV4Zm9vYmFy\n-----END TEST KEY-----",
  SESSION_COOKIE: "7canary7%3Dabcdef%2F012345",
  HANDED_ON: "8canary8Tr0ub4dor&3xyz",
  ALSO_HANDED_ON: "9canary9-q9w8e7r6t5y4",
};
const GIVEN = "0canary0zxcvbnmasdfgh12";
const VALUES = [...Object.values(CANARIES), GIVEN];
const NAMES = [...Object.keys(CANARIES), "GIVEN"];
const HANDED = `sandbox: {env: [${Object.keys(CANARIES).join(", ")}]}`;

/** Says each value in every form there is, on both streams, in lines that are long, cut and wrapped. */
const SAY = String.raw`
for (const name of ${JSON.stringify(NAMES)}) {
  const value = process.env[name];
  if (value === undefined) continue;
  const bytes = Buffer.from(value);
  const half = Math.floor(value.length / 2);
  const forms = [
    value, bytes.toString("base64"), Buffer.from("x" + value).toString("base64"), Buffer.from("xy" + value + "z").toString("base64"),
    Buffer.from("KEY=" + value + "\n").toString("base64").replace(/.{20}/g, "$&\n"), bytes.toString("base64url"),
    encodeURIComponent(value), bytes.toString("hex"), bytes.toString("hex").toUpperCase(), JSON.stringify(value),
    JSON.stringify({ log: JSON.stringify({ value }) }), value.slice(0, half) + "\n" + value.slice(half),
    JSON.stringify(value.slice(0, half) + "\n" + value.slice(half)), [...value].reverse().join(""),
    bytes.toString("hex").replace(/../g, "%$&"), value.slice(0, 3) + "\u001b[1;31m" + value.slice(3, half) + "\u001b[0m" + value.slice(half),
  ];
  for (const form of forms) { console.log("out " + form); console.error("err " + form); }
}
`;
const say = `node -e '${SAY.replaceAll("'", "'\\''")}'`;

/** Every form in which none of the values may stand anywhere. */
const TRACES = VALUES.flatMap((value) => {
  const bytes = Buffer.from(value);
  const shifted = [`x${value}`, `xy${value}`].map((text) => Buffer.from(text).toString("base64").slice(4, -4));
  const half = Math.floor(value.length / 2);
  return [
    value,
    bytes.toString("base64").slice(0, -4),
    ...shifted,
    encodeURIComponent(value),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    JSON.stringify(value).slice(1, -1),
    [...value].reverse().join(""),
    `${value.slice(0, half)}\n${value.slice(half)}`,
    bytes.toString("hex").replaceAll(/../g, "%$&"),
    value.slice(half),
  ];
});

function expectNoTrace(bytes: Uint8Array | string, where: string): void {
  const text = Buffer.from(bytes as Uint8Array).toString("latin1");
  const found = TRACES.filter((trace) => text.includes(Buffer.from(trace).toString("latin1")));
  expect(found, where).toEqual([]);
  // What marks each of them, so that no piece of a form goes unseen either.
  expect(text.match(/anary\d/g) ?? [], where).toEqual([]);
}

/** Every file of the run folder; of its repository what can be reached from the run branch, in one bundle. */
function expectCleanRun(repository: AttackedRepository): void {
  const folder = repository.runFolder();
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.includes("/repo.git/")) continue;
    expectNoTrace(relative(folder, path), "a name");
    expectNoTrace(readFileSync(path), relative(folder, path));
  }
}

const ENV = { ...CANARIES, CI: "true", NODE_ENV: "production" };
const OPTIONS = { env: ENV, given: { GIVEN } };

test("S-17: what programs print, answer and name of ten secrets is nowhere in the run, its output, or its bundle", async () => {
  const leak = `${say}\nprintf '%s' "$ORCH_RESULT_PATH" > /dev/null`;
  const answer = (name: string): string =>
    `${leak}\n${auditorScript({ findings: [{ severity: "low", title: `%${name}%` }] }).replace(`%${name}%`, `'"$${name}"'`)}`;
  const repository = new AttackedRepository({
    rows: [
      {
        step_id: "01",
        external_check: "human_supplied_evidence_required",
        required_verification_commands: `bash tools/say.sh; test -s out/01.txt; echo done in production`,
      },
    ],
    auditors: { careful: answer("DEPLOY_TOKEN"), quick: answer("CLIENT_SECRET") },
    files: { "tools/say.sh": `${say}\n` },
    configLines: [
      ONE_ROUND,
      auditLanes(["careful", "quick"]).replaceAll("sh]", "sh], env: [DEPLOY_TOKEN, CLIENT_SECRET]"),
      HANDED,
    ],
  });
  const payload = `node -e 'require("fs").writeFileSync(process.env.ORCH_RESULT_PATH, JSON.stringify({ status: "completed", summary: Object.values(process.env).filter((v) => /canary/.test(v)).join(" ; "), reason: Buffer.from(process.env.OPENAI_API_KEY).toString("base64") }).replace("canary" + 2, "\\u0063anary" + 2))'`;
  // What a person hands in has secrets too; with it a resume executes the item, which has to learn them itself.
  const evidence = makeFolder("conveyor-evidence-");
  const { CLIENT_SECRET: client = "", ALSO_HANDED_ON: also = "" } = CANARIES;
  writeFileSync(join(evidence, `${also}.(1).txt`), `found ${client} there\n`);
  writeFileSync(join(evidence, "as.json"), JSON.stringify({ value: client }).replace("c", "\\u0063"));
  const ended = await repository.untouched(
    async () => {
      const begun = await repository.attack(`${WORK}\n${leak}\n${payload}\n`, OPTIONS);
      expect(begun.code, begun.stderr).toBe(3);
      for (const said of [begun.stdout, begun.stderr]) expectNoTrace(said, "output of the first command");
      const given = { MARKS: repository.marks, USER_REPOSITORY: repository.path, GIVEN };
      const handed = Object.entries(given).flatMap(([name, value]) => ["--executor-env", `${name}=${value}`]);
      return repository.resume([...GATES_OPEN, "--evidence-dir", evidence, ...handed], { env: ENV });
    },
    { delivers: true },
  );
  expect(ended.code, ended.stderr.slice(-2000)).toBe(0);
  expectCleanRun(repository);
  for (const said of [ended.stdout, ended.stderr]) expectNoTrace(said, "output of the command");
  const bundle = join(repository.base, "run.bundle");
  git(join(repository.runFolder(), "repo.git"), "bundle", "create", "--quiet", bundle, "--branches");
  expectNoTrace(readFileSync(bundle), "bundle");
  const { redactions } = repository.report();
  expect(redactions.names).toEqual([...NAMES].sort());
  expect(redactions.count).toBeGreaterThan(NAMES.length * 10);
  // What is ordinary stays as it is: a person must be able to read a log.
  expect(readFileSync(join(repository.runFolder(), "report.md"), "utf8")).toContain("redacted");
  expect((await repository.conveyor(["verify"], { env: ENV })).code).toBe(0);
});

const COMMITTED: readonly (readonly [string, string])[] = [
  ["as it is", 'printf "%s" "$OPENAI_API_KEY" > out/leak.txt'],
  ["as base64 in lines", 'printf "key: %s" "$DATABASE_PASSWORD" | base64 -w 20 > out/leak.txt'],
  ["as hexadecimal", 'printf "%s" "$CLIENT_SECRET" | od -An -tx1 > out/leak.txt'],
  ["over two lines", 'printf "%s\\n%s" "${CLIENT_SECRET:0:12}" "${CLIENT_SECRET:12}" > out/leak.txt'],
  ["as UTF-16", 'printf "%s" "$OPENAI_API_KEY" | iconv -t UTF-16LE > out/leak.txt'],
  ["in a binary file", 'printf "\\0\\1\\2%s\\0" "$OPENAI_API_KEY" > out/leak.bin'],
  ["in a name", 'echo 1 > "out/$CLIENT_SECRET.txt"'],
  ["in the name of a folder", 'mkdir "out/$CLIENT_SECRET" && echo 1 > "out/$CLIENT_SECRET/file"'],
  // As they are kept the two names differ in case alone: whoever judges them again has to see what was seen here.
  ["in two names", 'echo 1 > "out/$CLIENT_SECRET-A"; echo 1 > "out/$SIGNING_CREDENTIAL-a"'],
];

test("S-17: a secret of the environment that is committed is refused, in whatever form, session after session", async () => {
  const limits = `limits: {fix-rounds: ${COMMITTED.length - 1}, remediation-rounds: 0}`;
  const repository = new AttackedRepository({ configLines: [limits, HANDED] });
  const rounds = COMMITTED.map(([how, script], round) => `${round + 1}) : ${how}; ${script} ;;`);
  const script = ['case "$ORCH_ROUND" in', ...rounds, "esac"].join("\n");
  const attacked = await repository.untouched(() => repository.attack(`${WORK}\n${script}`, OPTIONS));
  expectRefused(repository, attacked, refusedByScope("PATH_UNSAFE"));
  const codes = attacked.events
    .filter(({ type }) => type === "candidate_built")
    .map(({ details }) => (details["violations"] as { code: string }[]).map(({ code }) => code));
  expect(codes).toEqual(COMMITTED.map(([how]) => [how === "in two names" ? "PATH_UNSAFE" : "SECRET_IN_DIFF"]));
  expectCleanRun(repository);
  const verified = await repository.conveyor(["verify"], { env: ENV });
  expect(verified.code, verified.stdout + verified.stderr).toBe(0);
});

/** Put together here, so that no scanner takes this file for a leak. */
const GHS = `ghs_${"AbCdEfGhIj".repeat(13)}`;
const AWS = ["wJalrXUtnFEMIxK7MDENG", "bPxRfiCYQQQQKEYZZZQ"].join("");
const PEM = ["-----BEGIN RSA PRIVATE", ` KEY-----\n${"MIIEpAIBAAKCAQEAabcdefghijklmnop".repeat(4)}\n`].join("");

test.each([
  [
    "a token of GitHub of a new length",
    `echo 'const token = "${GHS}"; // secretlint-disable-line' > out/leak.ts`,
    "github",
  ],
  ["a private key without its end", `printf '%s' '${PEM}' > out/leak.pem`, "privatekey"],
  ["a key of AWS", `echo 'aws_secret_access_key = ${AWS}' > out/leak.txt`, "aws"],
])(
  "S-17: %s is refused though nobody knew it, and the next session is told where and never what",
  async (_what, script, rule) => {
    const repository = new AttackedRepository({ configLines: ["limits: {fix-rounds: 1, remediation-rounds: 0}"] });
    const kept = makeFolder("conveyor-prompts-");
    const keep = `cp "$ORCH_PROMPT_PATH" "${kept}/prompt-$ORCH_ROUND.md"`;
    const mend = `if [ "$ORCH_ROUND" = 1 ]; then ${script}; fi`;
    const ended = await repository.attack(`${WORK}\n${keep}\n${mend}`);
    expect(ended.violations.map(([code]) => code)).toEqual(["SECRET_IN_DIFF"]);
    expect(ended.code, ended.stderr).toBe(0);
    const prompt = readFileSync(join(kept, "prompt-2.md"), "utf8");
    expect(prompt).toMatch(/SECRET_IN_DIFF "out\/leak\.\w+": a secret in line 1, by rule /);
    expect(prompt).toContain(`by rule ${rule}`);
    for (const value of [GHS, PEM.split("\n")[1] ?? "", AWS]) expect(prompt).not.toContain(value);
  },
);

test("S-17: what stood there before does not block when it moves, and the policy of the trust ref alone makes exceptions", async () => {
  const repository = new AttackedRepository({
    files: { "out/old.ts": `// first\nconst token = "${GHS}";\n` },
    configLines: [ONE_ROUND, "policy: {secret-scan: {allow: [{paths: ['out/fixtures/**'], rules: [privatekey]}]}}"],
  });
  const moved = await repository.attack(
    `${WORK}\nmkdir out/new out/fixtures && { echo '// more'; cat out/old.ts; } > out/new/place.ts && rm out/old.ts && printf '%s' '${PEM}' > out/fixtures/key.pem`,
  );
  expect(moved.code, moved.stderr).toBe(0);
});

test("S-17: what is handed on has no secret of whoever packs it, who need not be who ran it", async () => {
  const [printed, committed, answered, standing] = ["said", "kept", "told", "there"].map(
    (how) => `${how}-0a1b2c3d4e5f`,
  );
  const repository = new AttackedRepository({
    files: { "out/standing.txt": `${standing}\n` },
    configLines: [ONE_ROUND],
  });
  const answer = `echo '{"status": "completed", "summary": "${answered}"}' > "$ORCH_RESULT_PATH"`;
  const moved = `{ echo more; cat out/standing.txt; } > out/moved.txt && rm out/standing.txt`;
  const say = `printf '%s\\n%s\\n' "${printed?.slice(0, 9)}" "${printed?.slice(9)}"; echo "token ${GHS}"`;
  const keep = `echo "${committed}" | base64 > out/kept.txt`;
  const ended = await repository.attack(`${WORK}\n${moved}\n${say}\n${keep}\n${answer}`);
  expect(ended.code, ended.stderr).toBe(0);
  const folder = makeFolder("conveyor-packs-");
  const log = "items/01/attempt-1/round-1/session-1/stdout.log";
  for (const [value, where] of [
    [printed, log],
    [committed, "run.bundle"],
    [answered, "run-events.jsonl"],
  ] as const) {
    const refused = await repository.conveyor(["pack", join(folder, "packed")], { env: { LATE_TOKEN: value ?? "" } });
    expect([refused.code, refused.stderr], where).toEqual([1, expect.stringContaining("SECRET_IN_DIFF") as string]);
    expect(refused.stderr).toContain(`${where}: has the value of LATE_TOKEN in it`);
    expect(refused.stderr).not.toContain(value);
    expect(readdirSync(folder)).toEqual([]);
  }
  const good = await repository.conveyor(["pack", join(folder, "packed"), "--format", "json"], {
    env: { LATE_TOKEN: standing ?? "" },
  });
  expect(good.code, good.stderr).toBe(0);
  const { looks_like_secrets: looks } = JSON.parse(good.stdout) as PackAnswer;
  expect(looks.map(({ path, rule }) => [path, rule])).toContainEqual([log, "github"]);
  expect(good.stderr).toContain(`${log}: line 3 looks like a secret, by rule github`);
});

test("S-17: a handoff with a secret in its worktree is not sealed", async () => {
  const repository = new AttackedRepository({ configLines: [ONE_ROUND, HANDED] });
  const attacked = await repository.attack(`${WORK}\necho "$CLIENT_SECRET" > out/leak.txt\nexit 75`, OPTIONS);
  expectRefused(repository, attacked, refusedByScope("SECRET_IN_DIFF"));
  expect(attacked.events.map(({ type }) => type)).not.toContain("handoff_sealed");
  expectCleanRun(repository);
});

test("S-17: an argument or a local configuration with a secret in it is refused before anything is written", async () => {
  const repository = new AttackedRepository();
  const { OPENAI_API_KEY: key = "" } = CANARIES;
  const plan = "docs/exec-plans/active/plan.md";
  const asked = ["run", plan, "--executor-bin", "bash", "--executor-arg=-c", `--executor-arg=echo ${key}`];
  const refused = await repository.conveyor(asked, { env: ENV });
  expect(refused.code, refused.stderr).toBe(2);
  expect(refused.stderr).toContain("an argument has the value of a secret variable in it");
  expectNoTrace(refused.stderr, "stderr");
  // Neither does what repeats an argument because it is wrong.
  for (const wrong of [
    ["status", key],
    ["run", plan, "--mode", key],
  ]) {
    const ended = await repository.conveyor(wrong, { env: ENV });
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining("[redacted]") as string]);
    expectNoTrace(ended.stderr, "stderr");
  }
  expect(repository.runFolders()).toEqual([]);
});
