// Plants a pack that says another object is there under the name of one that is: git reads packs first, and hashes nothing.
//   node lying-pack.mjs OBJECTS NAME OTHER [MORE…]    in a repository that has OTHER and MORE
// OBJECTS gets a pack of OTHER and MORE, in whose index OTHER is called NAME.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [objects, name, other, ...more] = process.argv.slice(2);
const folder = mkdtempSync(join(process.env.HOME ?? tmpdir(), "pack-"));
const input = `${[other, ...more].join("\n")}\n`;
const made = execFileSync("git", ["pack-objects", "-q", join(folder, "p")], { input, encoding: "utf8" }).trim();
const index = readFileSync(join(folder, `p-${made}.idx`));

const NAME_BYTES = 20;
const FANOUT_AT = 8;
const NAMES_AT = FANOUT_AT + 256 * 4;
const count = index.readUInt32BE(NAMES_AT - 4);
const checksAt = NAMES_AT + count * NAME_BYTES;
const offsetsAt = checksAt + count * 4;
const entries = Array.from({ length: count }, (_, at) => ({
  name: index.toString("hex", NAMES_AT + at * NAME_BYTES, NAMES_AT + (at + 1) * NAME_BYTES),
  check: index.readUInt32BE(checksAt + at * 4),
  offset: index.readUInt32BE(offsetsAt + at * 4),
}))
  .map((entry) => (entry.name === other ? { ...entry, name } : entry))
  .sort((left, right) => (left.name < right.name ? -1 : 1));
for (let first = 0; first < 256; first += 1) {
  const upTo = entries.filter((entry) => parseInt(entry.name.slice(0, 2), 16) <= first).length;
  index.writeUInt32BE(upTo, FANOUT_AT + first * 4);
}
entries.forEach((entry, at) => {
  index.write(entry.name, NAMES_AT + at * NAME_BYTES, "hex");
  index.writeUInt32BE(entry.check, checksAt + at * 4);
  index.writeUInt32BE(entry.offset, offsetsAt + at * 4);
});
createHash("sha1")
  .update(index.subarray(0, -NAME_BYTES))
  .digest()
  .copy(index, index.length - NAME_BYTES);
mkdirSync(join(objects, "pack"), { recursive: true });
copyFileSync(join(folder, `p-${made}.pack`), join(objects, "pack", "pack-lie.pack"));
writeFileSync(join(objects, "pack", "pack-lie.idx"), index);
