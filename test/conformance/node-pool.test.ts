import { createDatabase } from "../../src/entry/node.ts";
import { testConformance } from "./suite.ts";

testConformance({ name: "node_pool", createDatabase, options: { transport: "pool" }, transport: "pool", knowsNesting: true });
