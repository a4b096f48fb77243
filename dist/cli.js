#!/usr/bin/env node
var major = Number(process.versions.node.split(".")[0]);
if (major >= 24) {
  import("./conveyor.js");
} else {
  console.error(
    "conveyor needs Node 24 or newer, this is " + process.versions.node + ": run it with  npx -y node@24 dist/cli.js",
  );
  process.exitCode = 2;
}
