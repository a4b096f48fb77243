// Writes other bytes under the name of an object that lies loose in a store: git checks them out, and hashes nothing.
//   node lying-loose.mjs OBJECTS NAME TYPE CONTENT-FILE
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";

const [objects, name, type, file] = process.argv.slice(2);
const content = readFileSync(file);
const path = join(objects, name.slice(0, 2), name.slice(2));
chmodSync(path, 0o644);
writeFileSync(path, deflateSync(Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content])));
