import { writeFileSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../src/effects/redactor.ts";
import { openBench } from "./bench.ts";

const MIB = 1024 * 1024;

describe("output files", () => {
  test.each([
    ["less than the head", "abc", "abc"],
    ["exactly the head", "abcdefghij", "abcdefghij"],
    ["head and a short tail", "abcdefghijkl", "abcdefghijkl"],
    ["exactly head and tail", "abcdefghijklmno", "abcdefghijklmno"],
    ["one too many", "abcdefghijklmnop", "abcdefghij\n[... 1 bytes left out ...]\nlmnop"],
    ["many", "abcdefghijklmnopqrstuvwxyz", "abcdefghij\n[... 11 bytes left out ...]\nvwxyz"],
  ])("keep head and tail: %s", async (_, said, kept) => {
    await using bench = await openBench({ outputLimits: { headBytesMax: 10, tailBytesMax: 5 } });
    await bench.run(["printf", "%s", said]);
    expect(await bench.stdout()).toBe(kept);
    await bench.bash(`s=${said}; for ((i = 0; i < \${#s}; i++)); do printf %s "\${s:i:1}"; sleep 0.002; done`);
    expect(await bench.stdout()).toBe(kept);
  });

  test("a flood of 200 MB without a line feed stays out of memory and out of the file", async () => {
    await using bench = await openBench();
    const lines: string[] = [];
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5);
    const report = await bench.bash("printf BEGIN; head -c 200000000 /dev/zero | tr '\\0' x; printf END", {
      onLine: (line) => lines.push(line),
    });
    clearInterval(watch);
    expect(report).toMatchObject({ ending: { kind: "exited", exit_code: 0 }, stdoutBytes: 200_000_008 });
    // Half the flood: the pipe's buffers are freed when the collector comes to it, which is later on a busy machine.
    expect(peak - before).toBeLessThan(100 * MIB);
    expect((await stat(bench.path("logs/stdout"))).size).toBeLessThan(2 * MIB + 100);
    const kept = await bench.stdout();
    expect(kept).toMatch(/^BEGINx+\n\[\.\.\. 197902856 bytes left out \.\.\.\]\nx+END$/);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toHaveLength(4096);
  });

  test("a flood of lines is followed to the end", async () => {
    await using bench = await openBench();
    let count = 0;
    await bench.bash("seq 200000", { onLine: () => (count += 1) });
    expect(count).toBe(200_000);
  });

  test("are emptied first and are nobody else's to read", async () => {
    await using bench = await openBench();
    const stdoutPath = bench.path("old");
    await writeFile(stdoutPath, "of an earlier program", { mode: 0o644 });
    await bench.run(["printf", "new"], { stdoutPath });
    expect(await readFile(stdoutPath, "utf8")).toBe("new");
    expect((await stat(stdoutPath)).mode & 0o777).toBe(0o600);
  });

  test("bytes are kept as they are", async () => {
    await using bench = await openBench();
    await bench.bash("printf '\\000\\377\\r\\n\\033[1m'");
    expect([...(await readFile(bench.path("logs/stdout")))]).toEqual([0, 255, 13, 10, 27, 91, 49, 109]);
  });
});

describe("secrets in output", () => {
  const secret = "q7Rz-81mX.kfW2";
  const redactor = () => createRedactor({ API_TOKEN: secret });

  test.each([
    ["in the head", `12345${secret}67`, "12345[redacted]67"],
    [
      "over the end of the head",
      `${"1".repeat(35)}${secret}${"2".repeat(20)}`,
      `${"1".repeat(35)}[redacted]${"2".repeat(20)}`,
    ],
    [
      "cut off by what is left out",
      `${"1".repeat(30)}${secret}${"2".repeat(60)}`,
      `${"1".repeat(30)}[redacted]\n[... 34 bytes left out ...]\n${"2".repeat(30)}`,
    ],
    [
      "over the beginning of the tail",
      `${"1".repeat(60)}${secret}${"2".repeat(20)}`,
      `${"1".repeat(40)}\n[... 24 bytes left out ...]\n[redacted]${"2".repeat(20)}`,
    ],
    [
      "in the tail",
      `${"1".repeat(80)}${secret}22`,
      `${"1".repeat(40)}\n[... 26 bytes left out ...]\n${"1".repeat(14)}[redacted]22`,
    ],
  ])("are taken out before they are written: %s", async (_, said, kept) => {
    const limits = { headBytesMax: 40, tailBytesMax: 30 };
    const known = redactor();
    await using bench = await openBench({ outputLimits: limits, redactor: known });
    await bench.run(["printf", "%s", said]);
    expect(await bench.stdout()).toBe(kept);
    expect(known.facts()).toMatchObject({ names: ["API_TOKEN"] });
  });

  test("are taken out of lines for people before a line is cut", async () => {
    await using bench = await openBench({ redactor: redactor() });
    const lines: string[] = [];
    const filler = "x".repeat(4086);
    await bench.run(["printf", "%s\\n%s\\n", `a ${secret} b`, `${filler}${secret}`], {
      onLine: (line) => lines.push(line),
    });
    expect(lines).toEqual(["a [redacted] b", `${filler}[redacted]`]);
  });

  test("are taken out of lines for people where they are wrapped, chunk after chunk, and hold no other line back", async () => {
    await using bench = await openBench({ redactor: redactor() });
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      // What is said goes on when the line before it was seen.
      if (line.startsWith("ends with")) writeFileSync(bench.path("logs/seen"), "");
    };
    const [first, second] = [secret.slice(0, 8), secret.slice(8)];
    const script = `echo ends with ${secret.slice(0, 3)}; while [ ! -e logs/seen ]; do sleep 0.02; done
      printf 'a %s\n' '${first}'; sleep 0.05; printf '%s b\nlast ' '${second}'; sleep 0.05; printf '${first}'`;
    await bench.bash(script, { onLine, cwd: bench.path(".") });
    expect(lines).toEqual([`ends with ${secret.slice(0, 3)}`, "a [redacted] b", "last [redacted]"]);
  });
});

describe("silence", () => {
  test("is told of once until something is said again, and counted", async () => {
    await using bench = await openBench();
    const told: number[] = [];
    const onStall = (): void => {
      told.push(told.length);
      writeFileSync(bench.path(`said-${told.length}`), "");
    };
    const wait = (number: number): string => `while [ ! -e ../said-${number} ]; do sleep 0.02; done; echo ${number}`;
    const report = await bench.bash(`cd logs; ${wait(1)}; ${wait(2)}`, { stallMs: 60, onStall });
    expect(report).toMatchObject({ ending: { kind: "exited", exit_code: 0 }, stalls: told.length });
    expect(told.length).toBeGreaterThanOrEqual(2);
  });

  test("that nobody asks about is not counted", async () => {
    await using bench = await openBench();
    expect(await bench.bash("true")).toMatchObject({ stalls: 0 });
  });
});

describe("lines for people", () => {
  test("come whole, without ANSI, control characters and marks that turn text around", async () => {
    await using bench = await openBench();
    const lines: string[] = [];
    const script =
      "printf 'one\\n\\ntw'; sleep 0.05; printf 'o\\033[31mred\\033[0m\\r::set-output\\007\\n\\342\\200\\256x\\ttab\\nlast'";
    await bench.bash(script, { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(["one", "", "twored::set-output", "x\ttab", "last"]);
  });

  test("a follower that throws decides nothing", async () => {
    await using bench = await openBench();
    let calls = 0;
    const report = await bench.bash("echo one; echo two", {
      onLine: () => {
        calls += 1;
        throw new Error("the follower's own fault");
      },
    });
    expect(report.ending).toEqual({ kind: "exited", exit_code: 0 });
    expect(calls).toBe(1);
  });
});

describe("what a program gets", () => {
  test("exactly the environment it was given, and the marker", async () => {
    await using bench = await openBench();
    const env = { PATH: "/usr/bin", EMPTY: "", SPACES: " a  b ", "odd.name": "ü\n$(x)" };
    await bench.run([process.execPath, "-e", "console.log(JSON.stringify(process.env))"], { env });
    const { CONVEYOR_PROCESS_MARKER: marker, ...rest } = JSON.parse(await bench.stdout());
    expect(rest).toEqual(env);
    expect(marker).toMatch(/^\d+-[0-9a-f]{16}-[0-9a-f]{32}$/);
  });

  test("exactly the arguments it was given", async () => {
    await using bench = await openBench();
    const args = [
      "",
      " ",
      "a b",
      "'",
      '"',
      "\\",
      "$(x)",
      "`x`",
      "*",
      "--",
      "-c",
      "--pdeathsig",
      "line\nfeed",
      "é€",
      "%s",
    ];
    await bench.run([process.execPath, "-e", "console.log(JSON.stringify(process.argv.slice(1)))", "--", ...args]);
    expect(JSON.parse(await bench.stdout())).toEqual(args);
  });

  test("no stdin, its own session, the working folder", async () => {
    await using bench = await openBench();
    await bench.bash("cat; pwd; ps -o sid= -p $$ | tr -d ' '; echo $$");
    const [folder, session, pid] = (await bench.stdout()).split("\n");
    expect(folder).toBe(bench.folder);
    expect(session).toBe(pid);
  });
});
