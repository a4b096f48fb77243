import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "rolldown";

/** Shared by what is built. */
const OUTPUT = { dir: "dist", format: "esm", minify: true, entryFileNames: "[name].js" } as const;

/**
 * `dist/cli.js` and `dist/action.js` are a few lines of old JavaScript, copied as they stand, that check for Node 24 and
 * import the bundle: a syntax error of an older Node must not be the first thing a user reads.
 */
const program = defineConfig({
  input: { conveyor: "src/cli/main.ts", "conveyor-action": "src/action/main.ts" },
  platform: "node",
  // Its build for Node is CommonJS, of which nothing can be left out; this one is made of the same source.
  resolve: { alias: { yaml: fileURLToPath(new URL("node_modules/yaml/browser/index.js", import.meta.url)) } },
  // What the toolkit of GitHub Actions does not use of its own modules would be most of what is loaded at the start.
  treeshake: {
    moduleSideEffects: (id) =>
      /[\\/]node_modules[\\/](@actions[\\/]core|undici|tunnel)[\\/]/.test(id) ? false : undefined,
  },
  output: { ...OUTPUT, chunkFileNames: "chunk-[name].js", cleanDir: true },
  plugins: [
    {
      name: "entry",
      generateBundle() {
        for (const [fileName, path] of [
          ["cli.js", "src/cli/entry.js"],
          ["action.js", "src/action/entry.js"],
        ] as const)
          this.emitFile({ type: "asset", fileName, source: readFileSync(path, "utf8") });
      },
    },
  ],
});

/** What runs of ours inside a sandbox: it is shown there alone, so it is built apart and needs no file beside it. */
const inside = defineConfig({
  input: { inside: "src/effects/sandbox/inside.ts" },
  platform: "node",
  output: { ...OUTPUT, codeSplitting: false },
});

export default [program, inside];
