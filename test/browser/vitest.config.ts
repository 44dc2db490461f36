import { defineConfig } from "vitest/config";

/** What is shown is looked at in Chromium, which not every machine has, so it is no part of `npm test`: `npm run test:browser`. */
export default defineConfig({
  test: {
    name: "browser",
    include: ["test/browser/*.spec.ts"],
    watch: false,
    retry: 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
