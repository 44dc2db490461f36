import { parseArgs } from "node:util";
import { type CallFuzzWay, callsHold, describeCalls, runCallFuzz } from "../test/fuzz/calls/run.ts";
import { describeHandles, handlesHold, runHandleFuzz } from "../test/fuzz/handles/run.ts";
import { describeServer, type FuzzRow, holds, holdsServer, runFuzz, runServerFuzz, targetNames } from "../test/fuzz/run.ts";
import { describeSql, runSqlFuzz, sqlHolds } from "../test/fuzz/sql/run.ts";
import { describeState, runStateFuzz, stateHolds } from "../test/fuzz/state/run.ts";
import { type PostgresServer, startPostgres } from "../test/support/postgres/server.ts";

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "2500" },
    only: { type: "string", multiple: true },
  },
});
const seed = wholeNumber("seed", flags.seed);
const count = wholeNumber("count", flags.count);

/** Texts of SQL, and calls, for each request: they are cheap, and what they try is rare. */
const TIMES = 4;

/** What came of a part, in a row and in words. */
interface Ending {
  readonly row: unknown;
  readonly words: string;
  readonly held: boolean;
}

/** A part: how often it tries what, and all of it. */
interface Part {
  readonly size: string;
  /** Whether it runs only where it is asked for. */
  readonly onlyAsked?: boolean;
  readonly run: (server: PostgresServer) => Promise<Ending>;
}

const requests = (target: (typeof targetNames)[number]): Part => ({
  size: `${count} requests`,
  run: async (server) => {
    const row = await runFuzz(target, server, { seed, count });
    return { row, words: describe(row), held: holds(row, count) };
  },
});

const calls = (over: CallFuzzWay): Part => ({
  size: `${count * TIMES} calls`,
  onlyAsked: over !== "direct",
  run: async (server) => {
    const row = await runCallFuzz(server, { seed, count: count * TIMES, over });
    return { row, words: describeCalls(row), held: callsHold(row, count * TIMES) };
  },
});

const parts: Readonly<Record<string, Part>> = {
  ...Object.fromEntries(targetNames.map((target) => [target, requests(target)])),
  sql: {
    size: `${count * TIMES} texts`,
    run: async (server) => {
      const row = await runSqlFuzz(server, { seed, count: count * TIMES });
      return { row, words: describeSql(row), held: sqlHolds(row, count * TIMES) };
    },
  },
  handles: {
    size: `${count * TIMES} calls`,
    run: async (server) => {
      const row = await runHandleFuzz(server, { seed, count: count * TIMES });
      return { row, words: describeHandles(row), held: handlesHold(row, count * TIMES) };
    },
  },
  calls: calls("direct"),
  "calls-pgbouncer": calls("pgbouncer"),
  "calls-pgbouncer-untold": calls("pgbouncer-untold"),
  state: {
    size: `${count * 2} sessions`,
    run: async (server) => {
      const row = await runStateFuzz(server, { seed, count: count * 2 });
      return { row, words: describeState(row), held: stateHolds(row, count * 2) };
    },
  },
  server: {
    size: `${count * 2} rounds`,
    run: async () => {
      const row = await runServerFuzz({ seed, count: count * 2 });
      return { row, words: describeServer(row), held: holdsServer(row, count * 2) };
    },
  },
};

const asked = flags.only ?? Object.keys(parts).filter((name) => !parts[name]?.onlyAsked);
const unknown = asked.find((name) => parts[name] === undefined);
if (unknown !== undefined) throw new Error(`--only takes ${Object.keys(parts).join(", ")}; not ${unknown}.`);

const server = await startPostgres({ tls: true, settings: { max_prepared_transactions: "100" } });
try {
  const endings: Ending[] = [];
  for (const name of asked) {
    const part = parts[name] as Part;
    process.stderr.write(`${name}: ${part.size} …\n`);
    endings.push(await part.run(server));
  }
  if (flags.json) console.log(JSON.stringify({ rows: endings.map(({ row }) => row) }));
  else for (const { words } of endings) console.log(words);
  if (!endings.every(({ held }) => held)) process.exitCode = 1;
} finally {
  await server.stop();
}

function describe(row: FuzzRow): string {
  const told = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, times]) => `${name} ${times}`)
      .join(", ");
  return [
    `${row.target}, seed ${row.seed}: ${row.requests} requests, ${row.crashes} crashes, ${row.serverErrors} answers of 5xx, ${row.problems.length} problems`,
    `  sent: ${told(row.kinds)}`,
    `  answered: ${told(row.statuses)}`,
    `  ${row.wellAfter ? "answers" : "DOES NOT ANSWER"} good requests in between and after`,
    ...row.problems
      .slice(0, 20)
      .map(({ number, kind, problem, answer }) => `  case ${number} (${kind}): ${problem}: ${JSON.stringify(answer)}`),
  ].join("\n");
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} takes a whole number.`);
  return Number(text);
}
