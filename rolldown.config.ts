import { readFileSync } from "node:fs";
import { defineConfig } from "rolldown";

/**
 * `dist/cli.js` is a few lines of old JavaScript, copied as they stand, that check for Node 24 and import the bundle:
 * a syntax error of an older Node must not be the first thing a user reads.
 */
export default defineConfig({
  input: { conveyor: "src/cli/main.ts", inside: "src/effects/sandbox/inside.ts" },
  platform: "node",
  output: {
    dir: "dist",
    format: "esm",
    minify: true,
    entryFileNames: "[name].js",
    chunkFileNames: "chunk-[name].js",
    cleanDir: true,
  },
  plugins: [
    {
      name: "entry",
      generateBundle() {
        this.emitFile({ type: "asset", fileName: "cli.js", source: readFileSync("src/cli/entry.js", "utf8") });
      },
    },
  ],
});
