import { inject } from "vitest";
import { createDatabase } from "../../src/entry/edge.ts";
import { testConformance } from "./suite.ts";

testConformance({ name: "edge_http", createDatabase, options: { endpoint: inject("endpoint") }, transport: "http", knowsNesting: false });
