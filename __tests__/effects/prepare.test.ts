import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createPreparer } from "../../src/effects/prepare.ts";
import { bashCommand, openPrepareBench, type PrepareBench } from "./prepare-bench.ts";
import { TIER_1 } from "./bench.ts";

/** Leaves one line for each time it runs, outside of the worktree. */
const counting = "echo x >> ../../runs; mkdir -p node_modules/a; cp lock node_modules/a/index.js";

async function runsOf({ bench }: PrepareBench): Promise<number> {
  return (await readFile(bench.path("runs"), "utf8").catch(() => "")).length / 2;
}

async function commitLock(at: PrepareBench, content: string): Promise<string> {
  await writeFile(at.bench.path("repository/lock"), content);
  return at.commit();
}

describe("prepare", () => {
  test("without commands does nothing", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    expect(await at.prepare(at.openWorktree("a", commit), commit, [])).toMatchObject({
      status: "nothing_to_do",
      executions: [],
      preparedPaths: [],
    });
  });

  test("runs the commands in order the first time and hands out copies afterwards", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const first = at.openWorktree("a", commit);
    const commands = [
      bashCommand(counting),
      bashCommand("cat node_modules/a/index.js; chmod 750 node_modules/a/index.js"),
    ];
    const ran = await at.prepare(first, commit, commands);
    expect(ran).toMatchObject({ status: "ran", preparedPaths: ["node_modules/a/index.js"], trackedChanges: [] });
    expect(ran.executions.map(({ report }) => report.ending)).toEqual([
      { kind: "exited", exit_code: 0 },
      { kind: "exited", exit_code: 0 },
    ]);
    expect(await readFile(at.bench.path("logs/a-1.stdout"), "utf8")).toBe("1");
    const second = at.openWorktree("b", commit);
    const cached = await at.prepare(second, commit, commands);
    expect(cached).toEqual({ ...ran, status: "cached", executions: [] });
    expect(await runsOf(at)).toBe(1);
    expect(ran.key).toMatch(/^[0-9a-f]{64}$/);
  });

  test("a copy has the same bytes, modes, times and links, and is nobody else's file", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const script = `mkdir -p out/bin out/empty; printf '\\0\\377' > out/bytes; echo run > out/bin/tool; chmod 755 out/bin/tool
      ln -s bin/tool out/link; ln -s /usr/bin/env out/absolute; ln -s nowhere out/dangling; touch -d 2001-02-03 out/old
      chmod 711 out/bin; git init -q out/nested; echo n > out/nested/file; echo ü > 'out/odd
name'`;
    const first = at.openWorktree("a", commit);
    const ran = await at.prepare(first, commit, script);
    const second = at.openWorktree("b", commit);
    expect((await at.prepare(second, commit, script)).status).toBe("cached");
    const names = (await readdir(join(first.path, "out"), { recursive: true })).filter((name) => {
      return !/^empty$|^nested\/.git\/(branches|refs|objects)/.test(name);
    });
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      const [left, right] = [join(first.path, "out", name), join(second.path, "out", name)];
      const [one, two] = [await lstat(left), await lstat(right)];
      expect(two.mode, name).toBe(one.mode);
      expect(two.ino, name).not.toBe(one.ino);
      if (one.isSymbolicLink()) expect(await readlink(right), name).toBe(await readlink(left));
      if (!one.isFile()) continue;
      expect(await readFile(right), name).toEqual(await readFile(left));
      expect(Math.abs(two.mtimeMs - one.mtimeMs), name).toBeLessThan(1);
      expect(two.nlink, name).toBe(1);
    }
    expect(ran.preparedPaths).toContain("out/nested/");
  });

  test("the key follows the content of the inputs in that commit, not the worktree or other files", async () => {
    await using at = await openPrepareBench();
    const one = await commitLock(at, "1");
    await writeFile(at.bench.path("repository/other"), "changed");
    const other = at.commit();
    const two = await commitLock(at, "2");
    const keyAt = async (commit: string, changes = {}) => {
      const worktree = at.openWorktree(`w${Math.random()}`, commit);
      return (await at.prepare(worktree, commit, counting, changes)).key;
    };
    const key = await keyAt(one);
    expect(await keyAt(other)).toBe(key);
    expect(await runsOf(at)).toBe(1);
    expect(await keyAt(two)).not.toBe(key);
    expect(await keyAt(one, { inputs: ["lock", "lock"] })).toBe(key);
    expect(await keyAt(one, { inputs: ["lock", "absent"] })).not.toBe(key);
    expect(await keyAt(one, { commands: [bashCommand("true")] })).not.toBe(key);
    expect(await keyAt(one, { inputs: ["other", "lock"] })).not.toBe(await keyAt(other, { inputs: ["lock", "other"] }));
    expect(await keyAt(two, { inputs: ["other", "lock"] })).toBe(await keyAt(two, { inputs: ["lock", "other"] }));
    expect(await keyAt(one, { inputs: [] })).not.toBe(await keyAt(other, { inputs: [] }));
  });

  test("two worktrees at once: the commands run once", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const worktrees = ["a", "b", "c"].map((name) => at.openWorktree(name, commit));
    const prepared = await Promise.all(worktrees.map((worktree) => at.prepare(worktree, commit, counting)));
    expect(prepared.map(({ status }) => status).sort()).toEqual(["cached", "cached", "ran"]);
  });

  test("thousands of files", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const script = "for d in {1..25}; do mkdir -p m/$d; for f in {1..100}; do echo $f > m/$d/$f; done; done";
    await at.prepare(at.openWorktree("a", commit), commit, script);
    const cached = await at.prepare(at.openWorktree("b", commit), commit, script);
    expect(cached).toMatchObject({ status: "cached", preparedPaths: { length: 2_500 } });
  });
});

describe("prepare fails", () => {
  test("when a command does: the next is not run, nothing is cached", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const commands = [bashCommand(counting), bashCommand("exit 3"), bashCommand("touch ../../never")];
    for (const name of ["a", "b"]) {
      const failed = await at.prepare(at.openWorktree(name, commit), commit, commands);
      expect(failed).toMatchObject({ status: "failed", trackedChanges: [] });
      expect(failed.executions.map(({ report }) => report.ending)).toEqual([
        { kind: "exited", exit_code: 0 },
        { kind: "exited", exit_code: 3 },
      ]);
    }
    expect(await runsOf(at)).toBe(2);
    expect(existsSync(at.bench.path("never"))).toBe(false);
  });

  test("when all commands together take too long", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const commands = [bashCommand("sleep 0.4"), bashCommand("sleep 30")];
    const failed = await at.prepare(at.openWorktree("a", commit), commit, commands, { timeoutMs: 800 });
    expect(failed.status).toBe("failed");
    const endings = failed.executions.map(({ report }) => report.ending);
    expect(endings).toMatchObject([{ kind: "exited" }, { kind: "timed_out" }]);
    expect(endings[1]?.kind === "timed_out" && endings[1].timeout_ms).toBeLessThan(410);
  });

  test("when a tracked file is changed or removed", async () => {
    await using at = await openPrepareBench();
    await writeFile(at.bench.path("repository/kept"), "k");
    const commit = await commitLock(at, "1");
    const failed = await at.prepare(at.openWorktree("a", commit), commit, "echo more >> lock; rm kept; touch new");
    expect(failed).toMatchObject({ status: "failed", preparedPaths: ["new"], trackedChanges: ["kept", "lock"] });
    expect(
      (await at.prepare(at.openWorktree("b", commit), commit, "echo more >> lock; rm kept; touch new")).status,
    ).toBe("failed");
  });

  test("when it is cancelled", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const signal = AbortSignal.abort();
    const failed = await at.prepare(at.openWorktree("a", commit), commit, counting, { signal });
    expect(failed).toMatchObject({ status: "failed", executions: [{ report: { ending: { kind: "cancelled" } } }] });
  });
});

describe("nothing that an executor wrote reaches another worktree", () => {
  const poisons: readonly (readonly [string, (file: string, folder: string) => Promise<unknown>])[] = [
    ["other bytes", (file) => writeFile(file, "evil")],
    [
      "other bytes of the same size, times set back",
      async (file) => {
        const script = 'touch -r "$1" "$1.ref"; printf ! > "$1"; touch -r "$1.ref" "$1"';
        execFileSync("bash", ["-c", script, "bash", file]);
      },
    ],
    [
      "another file in its place",
      async (file) => {
        await writeFile(`${file}.new`, "1");
        await rename(`${file}.new`, file);
      },
    ],
    [
      "a link in its place",
      async (file, folder) => {
        await rm(file);
        await symlink(join(folder, "../evil"), file);
      },
    ],
    [
      "a link in its folder's place",
      async (_, folder) => {
        await rename(join(folder, "node_modules"), join(folder, "../moved"));
        await mkdir(join(folder, "../evil/a"), { recursive: true });
        await writeFile(join(folder, "../evil/a/index.js"), "1");
        await symlink(join(folder, "../evil"), join(folder, "node_modules"));
      },
    ],
    ["removed", (_, folder) => rm(folder, { recursive: true })],
  ];
  test.each(poisons)("the cached copy was written to: %s", async (_, poison) => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const { key } = await at.prepare(at.openWorktree("a", commit), commit, counting);
    const folder = join(at.cacheFolder, key);
    await poison(join(folder, "node_modules/a/index.js"), folder);
    const second = at.openWorktree("b", commit);
    expect((await at.prepare(second, commit, counting)).status).toBe("ran");
    expect(await readFile(join(second.path, "node_modules/a/index.js"), "utf8")).toBe("1");
    const third = at.openWorktree("c", commit);
    expect((await at.prepare(third, commit, counting)).status).toBe("cached");
    expect(await readFile(join(third.path, "node_modules/a/index.js"), "utf8")).toBe("1");
  });

  test("a file added to the cached copy is not handed out", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const { key } = await at.prepare(at.openWorktree("a", commit), commit, counting);
    await writeFile(join(at.cacheFolder, key, "node_modules/evil.js"), "evil");
    const second = at.openWorktree("b", commit);
    await at.prepare(second, commit, counting);
    expect(await at.repository.listUntracked(second)).toEqual(["node_modules/a/index.js"]);
  });

  test("a worktree's copy is its own: writing to it changes neither cache nor the next copy", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    for (const name of ["a", "b", "c"]) {
      const worktree = at.openWorktree(name, commit);
      await at.prepare(worktree, commit, counting);
      expect(await readFile(join(worktree.path, "node_modules/a/index.js"), "utf8")).toBe("1");
      await writeFile(join(worktree.path, "node_modules/a/index.js"), "evil");
    }
    expect(await runsOf(at)).toBe(1);
  });

  test("a new process trusts nothing that lies there", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const { key } = await at.prepare(at.openWorktree("a", commit), commit, counting);
    const { cacheFolder, repository } = at;
    const again = createPreparer({ processes: at.bench.processes, repository, cacheFolder });
    expect(existsSync(join(cacheFolder, key))).toBe(true);
    const worktree = at.openWorktree("b", commit);
    const request = {
      worktree,
      commit,
      commands: [bashCommand(counting)],
      inputs: ["lock"],
      env: { PATH: "/usr/bin" },
    };
    const prepared = await again.prepare({
      ...request,
      timeoutMs: 9_000,
      outputBytesMax: 1_000,
      logPath: (index, stream) => at.bench.path(`logs/${index}${stream}`),
      signal: new AbortController().signal,
      confinement: TIER_1,
    });
    expect(prepared).toMatchObject({ key, status: "ran" });
  });

  test("a worktree that somebody worked in gives nothing to the cache and takes nothing as prepared", async () => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    const dirty = at.openWorktree("a", commit);
    await writeFile(join(dirty.path, "theirs"), "evil");
    const ran = await at.prepare(dirty, commit, counting);
    expect(ran).toMatchObject({ status: "ran", preparedPaths: ["node_modules/a/index.js"] });
    expect((await at.prepare(at.openWorktree("b", commit), commit, counting)).status).toBe("ran");
    const alsoDirty = at.openWorktree("c", commit);
    await writeFile(join(alsoDirty.path, "lock"), "evil");
    expect((await at.prepare(alsoDirty, commit, counting)).status).toBe("failed");
  });

  test("a copy that meets something in its way leaves nothing behind", async () => {
    await using at = await openPrepareBench();
    const plain = await commitLock(at, "1");
    const script = "test -e p/z || { mkdir p; for f in {a..z}; do echo > p/$f; done; }";
    await at.prepare(at.openWorktree("a", plain), plain, script);
    await mkdir(at.bench.path("repository/p"));
    await writeFile(at.bench.path("repository/p/z"), "tracked");
    const odd = at.commit();
    expect(await at.prepare(at.openWorktree("b", odd), odd, script)).toMatchObject({
      status: "ran",
      preparedPaths: [],
    });
  });

  test.each([
    ["a link to it", 'ln -s "$PWD/src" out'],
    ["a relative link that leaves it", "ln -s ../a/src out"],
    ["a script that names it", 'echo "#!$PWD/venv/bin/python" > out'],
    ["a process that was still writing", "touch out; sleep 60 &"],
  ])("a result that leads back to its worktree is not copied: %s", async (_, script) => {
    await using at = await openPrepareBench();
    const commit = await commitLock(at, "1");
    expect((await at.prepare(at.openWorktree("a", commit), commit, script)).status).toBe("ran");
    expect((await at.prepare(at.openWorktree("b", commit), commit, script)).status).toBe("ran");
  });

  test.each([
    [
      "a tracked link to a folder",
      async (root: string) => {
        await mkdir(join(root, "src/a"), { recursive: true });
        await writeFile(join(root, "src/a/keep"), "k");
        await symlink("src", join(root, "node_modules"));
      },
    ],
    [
      "a tracked file of that name",
      async (root: string) => {
        await mkdir(join(root, "node_modules/a"), { recursive: true });
        await writeFile(join(root, "node_modules/a/index.js"), "tracked");
      },
    ],
    ["a tracked file in a folder's place", (root: string) => writeFile(join(root, "node_modules"), "tracked")],
  ])("a copy goes around nothing that is in the way: %s", async (_, put) => {
    await using at = await openPrepareBench();
    const script = "test -e node_modules || { mkdir -p node_modules/a && cp lock node_modules/a/index.js; }";
    const plain = await commitLock(at, "1");
    await at.prepare(at.openWorktree("a", plain), plain, script);
    await put(at.bench.path("repository"));
    const odd = at.commit();
    const worktree = at.openWorktree("b", odd);
    expect(await at.prepare(worktree, odd, script)).toMatchObject({
      status: "ran",
      preparedPaths: [],
      trackedChanges: [],
    });
    expect(await at.repository.listUntracked(worktree)).toEqual([]);
  });
});
