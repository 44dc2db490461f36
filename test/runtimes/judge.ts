// Bundled by scripts/runtimes/test.ts, and run by the runtime that is judged: the conformance suite over the installed package.
import { createDatabase } from "warmline";
import { testConformance } from "../conformance/suite.ts";
import { countCases, inject, runCases } from "./stand-in.ts";

export type { Failure } from "./stand-in.ts";

const runtime = inject("runtime") as "node" | "bun" | "deno";
const transport = inject("transport") as "pool" | "http";
const endpoint = inject("endpoint") as string;

testConformance({
  name: `${runtime}_${transport}`,
  createDatabase,
  options: transport === "http" ? { transport, endpoint } : { transport },
  transport,
  knowsNesting: true,
});

const say = (line: object) => console.log(JSON.stringify(line));

if (inject("only") === "count") say({ cases: countCases() });
else {
  const { cases, failures } = await runCases();
  for (const failure of failures) say({ failure });
  const found = createDatabase("postgres://someone@127.0.0.1:1/shop").plan.runtime;
  say({ cases, failed: failures.length, found, entry: import.meta.resolve("warmline") });
}
// a socket that a case left half-closed keeps no runtime alive
process.exit(0);
