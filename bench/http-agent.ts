import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { createDatabase, type Database } from "warmline";
import { startWire, type Wire } from "../test/support/wire.ts";
import type { ServerAddresses } from "./servers.ts";

/** How far away the endpoint is, milliseconds there and back. */
const DISTANCE_MS = 4;
const ROUNDS = 30;
const SEQUENTIAL_QUERIES = 20;
const LANES = 50;
const QUERIES_PER_LANE = 4;

/** The same database over connections of its own, or over plain `fetch`; each at the end of a wire that counts. */
interface Contender {
  readonly name: "agent" | "fetch";
  readonly db: Database;
  readonly wire: Wire;
  readonly latenciesMs: number[];
  readonly burstsMs: number[];
}

const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const servers = fork(new URL("./servers.ts", import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
try {
  const [addresses] = (await once(servers, "message")) as [ServerAddresses];
  const own = await openContender("agent", addresses);
  const plain = await openContender("fetch", addresses);
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 10 === 0) console.error(`Round ${round + 1} of ${ROUNDS} …`);
    // A B B A: what disturbs the machine for a moment hits neighbours alike
    for (const contender of [own, plain, plain, own]) await measureRound(contender);
  }
  const rows = [own, plain].map(summary);
  const [first, second] = rows as [Summary, Summary];
  const ratios = {
    sequentialP50: rounded(first.sequentialP50Ms / second.sequentialP50Ms),
    throughput: rounded(first.queriesPerSecond / second.queriesPerSecond),
    connections: rounded(first.connections / second.connections),
  };
  console.log(flags.json ? JSON.stringify({ distanceMs: DISTANCE_MS, rows, ratios }) : table(rows, ratios));
  for (const { db, wire } of [own, plain]) {
    await db.close();
    await wire.close();
  }
} finally {
  servers.disconnect();
}

/** Node behind a proxy posts with `fetch`: the one switch between the two. Read at the first call. */
async function openContender(name: Contender["name"], { databaseUrl, endpointUrl }: ServerAddresses): Promise<Contender> {
  const wire = await startWire({ host: "127.0.0.1", port: Number(new URL(endpointUrl).port) }, { delayMs: DISTANCE_MS });
  const db = createDatabase({ url: databaseUrl, transport: "http", endpoint: `http://127.0.0.1:${wire.port}` });
  if (name === "fetch") process.env.NODE_USE_ENV_PROXY = "1";
  await db.query("select 1");
  delete process.env.NODE_USE_ENV_PROXY;
  return { name, db, wire, latenciesMs: [], burstsMs: [] };
}

async function measureRound({ db, latenciesMs, burstsMs }: Contender): Promise<void> {
  for (let query = 0; query < SEQUENTIAL_QUERIES; query++) latenciesMs.push(await timed(() => db.query("select $1::int as n", [query])));
  const lane = async () => {
    for (let query = 0; query < QUERIES_PER_LANE; query++) await db.query("select $1::int as n", [query]);
  };
  burstsMs.push(await timed(() => Promise.all(Array.from({ length: LANES }, lane))));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

interface Summary {
  readonly name: string;
  readonly sequentialP50Ms: number;
  readonly queriesPerSecond: number;
  readonly connections: number;
}

function summary({ name, latenciesMs, burstsMs, wire }: Contender): Summary {
  return {
    name,
    sequentialP50Ms: rounded(median(latenciesMs)),
    queriesPerSecond: Math.round((LANES * QUERIES_PER_LANE * 1_000) / median(burstsMs)),
    connections: wire.connections(),
  };
}

function table(rows: readonly Summary[], ratios: Readonly<Record<string, number>>): string {
  const line = (cells: readonly (string | number)[]) =>
    cells.map((cell, index) => (index ? String(cell).padStart(18) : String(cell).padEnd(8)));
  return [
    line(["", "sequential p50 ms", `queries/s of ${LANES}`, "connections"]).join(""),
    ...rows.map((row) => line([row.name, row.sequentialP50Ms, row.queriesPerSecond, row.connections]).join("")),
    line(["ratio", ...Object.values(ratios)]).join(""),
  ].join("\n");
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[numbers.length >> 1] as number;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
