// Preload for the orchestrator: counts the calls by which state becomes durable, and kills or fails at the K-th.
//   FAULT_CALLS  which calls count: fsync, rename, link, truncate, write (comma-separated)
//   FAULT_AT     K, from 1; nothing happens when it is not set
//   FAULT_WHEN   before | after: SIGKILL to itself before or after the call; a code such as ENOSPC: the call fails so
//   FAULT_LOG    a file that gets one line for each call that counts
//   FAULT_PROOF  a file that is there once the K-th call was met
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { FAULT_AT, FAULT_WHEN = "before", FAULT_LOG, FAULT_PROOF } = process.env;
const calls = new Set((process.env.FAULT_CALLS ?? "fsync,rename,link,truncate").split(","));
const original = {
  appendFileSync: fs.appendFileSync,
  openSync: fs.openSync,
  closeSync: fs.closeSync,
  writeSync: fs.writeSync,
};
const log = FAULT_LOG === undefined ? undefined : original.openSync(FAULT_LOG, "a");
let count = 0;

/** Whether this call is the one that is to fail. */
function isDue(kind, what) {
  if (!calls.has(kind)) return false;
  count += 1;
  if (log !== undefined) original.writeSync(log, `${kind} ${String(what)}\n`);
  const isMet = FAULT_AT !== undefined && count === Number(FAULT_AT);
  if (isMet && FAULT_PROOF !== undefined) original.closeSync(original.openSync(FAULT_PROOF, "w"));
  return isMet;
}

function strikeBefore() {
  if (FAULT_WHEN === "before") process.kill(process.pid, "SIGKILL");
  if (FAULT_WHEN !== "after")
    throw Object.assign(new Error(`${FAULT_WHEN}: injected`), { code: FAULT_WHEN, syscall: "injected" });
}

function strikeAfter() {
  if (FAULT_WHEN === "after") process.kill(process.pid, "SIGKILL");
}

function patchSync(owner, name, kind, counts = () => true) {
  const call = owner[name];
  owner[name] = function patched(...args) {
    if (!counts(args) || !isDue(kind, typeof args[0] === "string" ? args[0] : "descriptor"))
      return call.apply(this, args);
    strikeBefore();
    const result = call.apply(this, args);
    strikeAfter();
    return result;
  };
}

function patchAsync(owner, name, kind) {
  const call = owner[name];
  owner[name] = async function patched(...args) {
    if (!isDue(kind, typeof args[0] === "string" ? args[0] : "handle")) return call.apply(this, args);
    strikeBefore();
    const result = await call.apply(this, args);
    strikeAfter();
    return result;
  };
}

patchSync(fs, "fsyncSync", "fsync");
patchSync(fs, "fdatasyncSync", "fsync");
patchSync(fs, "renameSync", "rename");
patchSync(fs, "linkSync", "link");
patchSync(fs, "truncateSync", "truncate");
patchSync(fs, "ftruncateSync", "truncate");
patchSync(fs, "writeSync", "write");
// It writes and, with `flush`, syncs inside of Node, where no patch reaches: the whole call is one boundary.
patchSync(
  fs,
  "writeFileSync",
  calls.has("write") ? "write" : "fsync",
  ([, , options]) => calls.has("write") || options?.flush === true,
);
for (const name of ["rename", "link", "truncate"]) patchAsync(promises, name, name);
patchAsync(promises, "writeFile", "write");
const handle = await promises.open(process.execPath);
const { prototype } = handle.constructor;
await handle.close();
for (const name of ["sync", "datasync"]) patchAsync(prototype, name, "fsync");
syncBuiltinESMExports();
