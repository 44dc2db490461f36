import { defineConfig } from "vitest/config";

/** Real builds of examples/next take minutes, so they are no part of `npm test`: `npm run test:next`. */
export default defineConfig({
  test: {
    name: "next",
    include: ["test/next/*.spec.ts"],
    watch: false,
    retry: 0,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxConcurrency: 1,
    fileParallelism: false,
  },
});
