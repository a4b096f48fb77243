// Preload for the orchestrator, before `kill-at.mjs`: knows what of a folder would survive a power cut, because it was
// synced, and writes that down when the process kills itself. A file survives with its bytes of its last fsync, a name
// with the last fsync of its folder; everything else is up to the disk.
//   LOSS_ROOT  the checkout; its entries and everything below `.conveyor` are watched
//   LOSS_FILE  gets { folders: { path: { name: key } }, contents: { key: base64 } }; a folder's key is "folder"
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { LOSS_ROOT = "", LOSS_FILE = "" } = process.env;
const { fsyncSync, fdatasyncSync, readdirSync, readFileSync, lstatSync, readlinkSync, writeFileSync, existsSync } = fs;
const folders = new Map();
const contents = new Map();

/** One file of one life: the number of an inode is used again, with its time of birth it is not. */
function keyOf(path) {
  const stats = lstatSync(path, { bigint: true });
  return stats.isDirectory() ? "folder" : `${stats.ino}-${stats.birthtimeNs}`;
}

/** After an fsync: what it covered is safe now. */
function noteSynced(descriptor) {
  let path;
  try {
    path = readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return;
  }
  const isWatched = path === LOSS_ROOT || `${path}/`.startsWith(`${LOSS_ROOT}/.conveyor/`);
  if (!isWatched || !existsSync(path)) return;
  if (lstatSync(path).isDirectory()) {
    folders.set(path, new Map(readdirSync(path).map((name) => [name, keyOf(`${path}/${name}`)])));
  } else {
    contents.set(keyOf(path), readFileSync(path).toString("base64"));
  }
}

fs.fsyncSync = function patched(descriptor) {
  fsyncSync(descriptor);
  noteSynced(descriptor);
};
fs.fdatasyncSync = function patched(descriptor) {
  fdatasyncSync(descriptor);
  noteSynced(descriptor);
};
const originalWriteFileSync = writeFileSync;
fs.writeFileSync = function patched(path, data, options) {
  originalWriteFileSync(path, data, options);
  if (options?.flush === true && String(path).startsWith(`${LOSS_ROOT}/`))
    contents.set(keyOf(String(path)), readFileSync(path).toString("base64"));
};
const handle = await promises.open(process.execPath);
const { prototype } = handle.constructor;
await handle.close();
for (const name of ["sync", "datasync"]) {
  const call = prototype[name];
  prototype[name] = async function patched() {
    await call.call(this);
    noteSynced(this.fd);
  };
}
syncBuiltinESMExports();

const kill = process.kill.bind(process);
process.kill = (pid, signal) => {
  if (pid === process.pid && signal === "SIGKILL") {
    const text = JSON.stringify({
      folders: Object.fromEntries([...folders].map(([path, names]) => [path, Object.fromEntries(names)])),
      contents: Object.fromEntries(contents),
    });
    originalWriteFileSync(LOSS_FILE, text);
  }
  return kill(pid, signal);
};
