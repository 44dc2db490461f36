import { parseArgs } from "node:util";
import { describeHandles, handlesHold, runHandleFuzz } from "../test/fuzz/handles/run.ts";
import { describeServer, type FuzzRow, holds, holdsServer, runFuzz, runServerFuzz, targetNames } from "../test/fuzz/run.ts";
import { describeSql, runSqlFuzz, sqlHolds } from "../test/fuzz/sql/run.ts";
import { describeState, runStateFuzz, stateHolds } from "../test/fuzz/state/run.ts";
import { startPostgres } from "../test/support/postgres/server.ts";

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "2500" },
  },
});
const seed = wholeNumber("seed", flags.seed);
const count = wholeNumber("count", flags.count);

/** Texts of SQL, and calls through handles, for each request: they are cheap, and what they try is rare. */
const TIMES = 4;

const server = await startPostgres({ tls: true, settings: { max_prepared_transactions: "100" } });
try {
  const rows: FuzzRow[] = [];
  for (const target of targetNames) {
    process.stderr.write(`${target}: ${count} requests …\n`);
    rows.push(await runFuzz(target, server, { seed, count }));
  }
  process.stderr.write(`sql: ${count * TIMES} texts …\n`);
  const sql = await runSqlFuzz(server, { seed, count: count * TIMES });
  process.stderr.write(`handles: ${count * TIMES} calls …\n`);
  const handles = await runHandleFuzz(server, { seed, count: count * TIMES });
  const rounds = 2 * count;
  process.stderr.write(`state: ${rounds} sessions …\n`);
  const state = await runStateFuzz(server, { seed, count: rounds });
  process.stderr.write(`server: ${rounds} rounds …\n`);
  const wrongServer = await runServerFuzz({ seed, count: rounds });
  if (flags.json) console.log(JSON.stringify({ rows: [...rows, sql, handles, state, wrongServer] }));
  else
    for (const text of [
      ...rows.map(describe),
      describeSql(sql),
      describeHandles(handles),
      describeState(state),
      describeServer(wrongServer),
    ])
      console.log(text);
  const held = [
    ...rows.map((row) => holds(row, count)),
    sqlHolds(sql, count * TIMES),
    handlesHold(handles, count * TIMES),
    stateHolds(state, rounds),
    holdsServer(wrongServer, rounds),
  ].every(Boolean);
  if (!held) process.exitCode = 1;
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
