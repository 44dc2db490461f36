import { inject } from "vitest";
import { createDatabase } from "../../src/entry/node.ts";
import { testConformance } from "./suite.ts";

testConformance({
  name: "node_http",
  createDatabase,
  options: { endpoint: inject("endpoint"), transport: "http" },
  transport: "http",
  knowsNesting: true,
});
