import { defineConfig } from "vitest/config";

/** The conformance suite over a fake Aurora DSQL: `npm run test:dsql`. */
export default defineConfig({
  test: {
    globalSetup: "test/support/global-setup.ts",
    include: ["test/dsql/*.conformance.ts"],
    testTimeout: 120_000,
    hookTimeout: 240_000,
    retry: 0,
    watch: false,
  },
});
