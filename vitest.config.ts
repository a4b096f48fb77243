import { defineConfig } from "vitest/config";

/** A folder that `.ci/run` names: the results are then written there as JSON as well. */
const reportFolder = process.env["CONVEYOR_TEST_REPORTS"];

/** `npm test`: everything that needs Node and git alone. */
export default defineConfig({
  test: {
    include: ["__tests__/**/*.test.ts"],
    exclude: ["__tests__/system/**"],
    reporters: reportFolder ? ["default", ["json", { outputFile: `${reportFolder}/test.json` }]] : ["default"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    // One core would be left idle otherwise, and most tests wait for processes of their own.
    maxWorkers: "100%",
  },
});
