import { readFile, stat, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
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
    expect(peak - before).toBeLessThan(64 * MIB);
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
