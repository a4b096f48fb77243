import { defineConfig } from "vitest/config";

/** `npm run test:system`: suites that need a Debian package; a missing one fails and says so. */
export default defineConfig({
  test: {
    include: ["__tests__/system/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
