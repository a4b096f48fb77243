import { execFileSync } from "node:child_process";
import { link, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkArtifacts, noteArtifacts } from "../../src/effects/expected-artifacts.ts";

let folder: string;
let root: string;
const at = (path: string) => join(root, path);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "conveyor-artifacts-"));
  root = join(folder, "root");
  await mkdir(root);
});
afterEach(() => rm(folder, { recursive: true }));

/** What is wrong with `paths` when `act` is all that the program does. */
async function faultsAfter(paths: readonly string[], act: () => Promise<unknown>) {
  const before = await noteArtifacts(root, paths);
  await act();
  return checkArtifacts(root, before, paths);
}

const none = { missing: [], malformed: [] };

describe("an expected artifact", () => {
  test("that is new is fresh, also in a folder that is new", async () => {
    const faults = await faultsAfter(["a.json", "new/b.txt"], async () => {
      await writeFile(at("a.json"), "{}");
      await mkdir(at("new"));
      await writeFile(at("new/b.txt"), "");
    });
    expect(faults).toEqual(none);
  });

  test("that nobody writes is missing, whether it was there or not", async () => {
    await writeFile(at("old.json"), "{}");
    const faults = await faultsAfter(["old.json", "never.json"], async () => {});
    expect(faults).toEqual({ missing: ["old.json", "never.json"], malformed: [] });
  });

  test("that is removed is missing", async () => {
    await writeFile(at("a.txt"), "a");
    expect(await faultsAfter(["a.txt"], () => rm(at("a.txt")))).toEqual({ missing: ["a.txt"], malformed: [] });
  });

  test("that is written again with the same bytes, or replaced, or has its time set back, is fresh", async () => {
    const paths = ["same.txt", "replaced.txt", "back.txt"];
    for (const path of paths) await writeFile(at(path), "a");
    const old = new Date(0);
    await utimes(at("back.txt"), old, old);
    const faults = await faultsAfter(paths, async () => {
      await writeFile(at("same.txt"), "a");
      await writeFile(at("temporary"), "a");
      await rename(at("temporary"), at("replaced.txt"));
      await writeFile(at("back.txt"), "b");
      await utimes(at("back.txt"), old, old);
    });
    expect(faults).toEqual(none);
  });

  test("in JSON must parse", async () => {
    const contents: Record<string, string | Uint8Array> = {
      "empty.json": "",
      "cut.json": '{"a":',
      "two.json": "{}{}",
      "mark.json": "\ufeff{}",
      "bytes.json": new Uint8Array([0x22, 0xff, 0x22]),
      "good.json": ' {"a": [1]}\n',
      "text.txt": "{",
    };
    const faults = await faultsAfter(Object.keys(contents), async () => {
      for (const [path, bytes] of Object.entries(contents)) await writeFile(at(path), bytes);
    });
    const malformed = ["empty.json", "cut.json", "two.json", "mark.json", "bytes.json"];
    expect(faults).toEqual({ missing: [], malformed });
  });

  test("is never looked for outside of the root folder", async () => {
    await mkdir(join(folder, "root-beside"));
    const paths = [
      "link.json",
      "folder/a.json",
      "../outside.json",
      "../root-beside/a.json",
      join(folder, "outside.json"),
    ];
    const faults = await faultsAfter(paths, async () => {
      await writeFile(join(folder, "outside.json"), "{}");
      await writeFile(join(folder, "root-beside/a.json"), "{}");
      await symlink(join(folder, "outside.json"), at("link.json"));
      await symlink(join(folder, "root-beside"), at("folder"));
    });
    expect(faults).toEqual({ missing: paths, malformed: [] });
  });

  test("may be a link inside of the root folder, and may be named by its whole path", async () => {
    const faults = await faultsAfter(["link.json", at("real.json")], async () => {
      await writeFile(at("real.json"), "{}");
      await symlink("real.json", at("link.json"));
    });
    expect(faults).toEqual(none);
  });

  test("is a file: a folder, a pipe, the root itself and a link to itself are none", async () => {
    const paths = ["folder", "pipe.json", ".", "loop"];
    const faults = await faultsAfter(paths, async () => {
      await mkdir(at("folder"));
      execFileSync("mkfifo", [at("pipe.json")]);
      await symlink("loop", at("loop"));
    });
    expect(faults).toEqual({ missing: paths, malformed: [] });
  });

  test("under a second name of an old file is fresh only under the new name", async () => {
    await writeFile(at("old.txt"), "a");
    const before = await noteArtifacts(root, ["new.txt"]);
    await link(at("old.txt"), at("new.txt"));
    expect(await checkArtifacts(root, before, ["new.txt"])).toEqual(none);
  });
});
