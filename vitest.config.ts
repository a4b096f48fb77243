import { defineConfig } from "vitest/config";

/** `npm test`: everything that needs Node and git alone. */
export default defineConfig({
  test: {
    include: ["__tests__/**/*.test.ts"],
    exclude: ["__tests__/system/**"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
