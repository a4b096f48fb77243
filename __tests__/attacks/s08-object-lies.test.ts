import { describe, expect, test } from "vitest";
import { AttackedRepository, expectAttackRefused } from "../support/attacks.ts";

const COMMON = '"$(git rev-parse --git-common-dir)"';
const BLOB = "$(git rev-parse HEAD:README.md)";
const OTHER = "$(echo innocent | git hash-object -w --stdin)";

describe("S-08: objects that are not what their names say", () => {
  const repository = new AttackedRepository();

  test.each([
    ["a blob replaced", `git replace "${BLOB}" "${OTHER}"`, "refs: refs/replace/"],
    [
      "the base commit replaced",
      "git replace HEAD \"$(git -c user.name=a -c user.email=a@b commit-tree -m lie 'HEAD^{tree}')\"",
      "refs: refs/replace/",
    ],
    [
      "a replacement that is packed at once",
      `git replace "${BLOB}" "${OTHER}"; git pack-refs --all`,
      "refs: packed-refs added",
    ],
    ["a replacement of another namespace", `git update-ref refs/replace/${BLOB} "${OTHER}"`, "refs: refs/replace/"],
    ["grafts", `echo "$(git rev-parse HEAD)" > ${COMMON}/info/grafts`, "info: info/grafts added"],
    ["a shallow boundary", `git rev-parse HEAD > ${COMMON}/shallow`, "info: shallow added"],
    [
      "alternates",
      `mkdir -p "$HOME/store/pack" && echo "$HOME/store" >> ${COMMON}/objects/info/alternates`,
      "alternates: objects/info/alternates changed",
    ],
    [
      "alternates swapped for a link",
      `mv ${COMMON}/objects/info/alternates "$HOME/alternates" && ln -s "$HOME/alternates" ${COMMON}/objects/info/alternates`,
      "alternates: objects/info/alternates changed",
    ],
    [
      "alternates over the network",
      `echo http://127.0.0.1:9/ > ${COMMON}/objects/info/http-alternates`,
      "alternates: objects/info/http-alternates added",
    ],
    [
      "an object that is there before its content is written, forged",
      `name=$(echo evil > out/01.txt; git hash-object out/01.txt); folder=${COMMON}/objects/\${name:0:2}; mkdir -p "$folder"
       printf 'blob 9\\0innocent\\n' | node -e 'process.stdin.pipe(require("node:zlib").createDeflate()).pipe(process.stdout)' > "$folder/\${name:2}"`,
      "objects: objects/",
    ],
    [
      "the object store swapped for a link",
      `cp -r ${COMMON}/objects "$HOME/objects" && rm -rf ${COMMON}/objects && ln -s "$HOME/objects" ${COMMON}/objects`,
      "objects: objects/ changed",
    ],
    [
      "a pack whose name is no text, and that git loads all the same",
      `mkdir -p ${COMMON}/objects/pack; printf PACK > ${COMMON}/objects/pack/pack-$'\\xff'.pack; printf x > ${COMMON}/objects/pack/pack-$'\\xff'.idx`,
      "objects/pack/pack-\\xff.idx has a name that is no text",
    ],
    [
      "an object in a folder that only who knows its name can use",
      `mkdir ${COMMON}/objects/fe; echo forged > ${COMMON}/objects/fe/${"0".repeat(38)}; chmod 0311 ${COMMON}/objects/fe`,
      "objects/fe locked",
    ],
  ])("%s is GIT_TAMPERED", async (_what, script, found) => {
    const { tamper } = await expectAttackRefused(repository, script, ["GIT_TAMPERED"]);
    expect(tamper).toContainEqual(expect.stringContaining(found));
  });
});
