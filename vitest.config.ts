import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";
import { pgForWorkers } from "./test/support/pg-for-workers.ts";

// wrangler's tools ask nothing of the network
process.env.WRANGLER_SEND_METRICS = "false";
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";

// guards against what hangs: a machine that is shared by many may be ten times as slow as one that is not
const common = { testTimeout: 120_000, hookTimeout: 240_000, expect: { poll: { timeout: 60_000 } }, retry: 0, maxConcurrency: 16 } as const;

/** What `npm run test:long` runs besides the edge runtime: what strikes and counts, whose own commands are steps of CI, too. */
const LONG = ["test/faults/**/*.test.ts", "test/fuzz/**/*.test.ts", "test/ledger/**/*.test.ts"];

/** A suite per runtime, over one Postgres and one endpoint that the root's globalSetup starts for all of them. */
export default defineConfig({
  test: {
    globalSetup: "test/support/global-setup.ts",
    watch: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: false,
        // the recipes of examples/keep name the package; what is tested is its source
        resolve: { alias: { "warmline/keep": fileURLToPath(new URL("src/keep/keep.ts", import.meta.url)) } },
        test: {
          ...common,
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/conformance/edge.test.ts", "test/**/workerd*.test.ts", ...LONG],
        },
      },
      { extends: false, test: { ...common, name: "long", include: LONG } },
      {
        extends: false,
        resolve: { conditions: ["edge-light", "worker", "module", "browser"] },
        test: { ...common, name: "edge", environment: "edge-runtime", pool: "vmThreads", include: ["test/conformance/edge.test.ts"] },
      },
      {
        extends: false,
        ssr: { resolve: { conditions: ["workerd", "worker", "module", "browser"] } },
        plugins: [
          pgForWorkers(),
          cloudflareTest(({ inject }) => ({
            miniflare: {
              compatibilityDate: "2026-08-04",
              hyperdrives: { HYPERDRIVE: inject("hyperdrive"), UNCACHED: inject("postgres").url },
            },
          })),
        ],
        test: { ...common, name: "workerd", include: ["test/**/workerd*.test.ts"] },
      },
    ],
  },
});
