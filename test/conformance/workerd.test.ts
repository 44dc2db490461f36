import { inject } from "vitest";
import { createDatabase } from "../../src/entry/workerd.ts";
import { testConformance } from "./suite.ts";

testConformance({ name: "workerd_http", createDatabase, options: { endpoint: inject("endpoint") }, transport: "http", knowsNesting: true });
