#!/usr/bin/env node
var major = Number(process.versions.node.split(".")[0]);
if (major >= 24) {
  import("node:v8")
    .then(function (v8) {
      // A small room for young objects costs no time here, and memory costs some: starting a program takes longer, the
      // larger the process is that starts it.
      v8.setFlagsFromString("--semi-space-growth-factor=1");
    })
    .then(function () {
      return import("./conveyor.js");
    });
} else {
  console.error(
    "conveyor needs Node 24 or newer, this is " + process.versions.node + ": run it with  npx -y node@24 dist/cli.js",
  );
  process.exitCode = 2;
}
