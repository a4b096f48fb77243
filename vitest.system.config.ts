import { defineConfig } from "vitest/config";

/** A folder that `.ci/run` names: the results are then written there as JSON as well. */
const reportFolder = process.env["CONVEYOR_TEST_REPORTS"];

/** `npm run test:system`: suites that need a Debian package; a missing one fails and says so. */
export default defineConfig({
  test: {
    include: ["__tests__/system/**/*.test.ts"],
    reporters: reportFolder ? ["default", ["json", { outputFile: `${reportFolder}/system.json` }]] : ["default"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
