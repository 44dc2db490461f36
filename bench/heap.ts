import { setTimeout as delay } from "node:timers/promises";
import { createDatabase, type Database } from "../src/entry/node.ts";
import { heldBytes } from "../test/support/heap.ts";

/** By how much more the heap holds, and what is held outside of it for it, bytes. */
export interface HeapGrowth {
  readonly after1mQueriesBytes: number;
  /** Each of the texts is sent twice: the second time it gets a name. */
  readonly after100kTextsBytes: number;
}

const QUERIES = 1_000_000;
const TEXTS = 100_000;
/** Hundredths of each that run first, so that everything that has a bound has met it. */
const WARM_UP = 10;
/** What has a bound fills and is emptied: so many readings, a hundredth apart, see more than one round of that. */
const READINGS = 15;
const COLLECTIONS = 3;
const CALLERS = 50;
const CONNECTIONS = 10;

/** Measures what is held after many queries, and after many texts, that was not before. Says how far it is on stderr. */
export async function heapGrowth(url: string): Promise<HeapGrowth> {
  await using db = createDatabase({ url, transport: "pool", max: CONNECTIONS, name: "heap" });
  const byKey = "select $1::int as id, 'name' as name, now() as at, 1.5::numeric as price, $1::int > 5 as many";
  const after1mQueriesBytes = await growth("queries", QUERIES, (count) => run(count, (n) => db.query(byKey, [n])));
  let text = 0;
  const after100kTextsBytes = await growth("texts", TEXTS, (count) => run(count, () => sendTwice(db, `select $1::int as text_${++text}`)));
  return { after1mQueriesBytes, after100kTextsBytes };
}

async function sendTwice(db: Database, text: string): Promise<void> {
  await db.query(text, [1]);
  await db.query(text, [2]);
}

async function growth(what: string, count: number, work: (count: number) => Promise<void>): Promise<number> {
  const hundredth = count / 100;
  await work(WARM_UP * hundredth);
  const before = await held(() => work(hundredth));
  for (let part = 1; part <= 10; part++) {
    await work(10 * hundredth);
    process.stderr.write(`heap: ${10 * part * hundredth} ${what}\n`);
  }
  return (await held(() => work(hundredth))) - before;
}

/** Calls `once` so often, from many callers at once. */
async function run(count: number, once: (n: number) => Promise<unknown>): Promise<void> {
  let begun = 0;
  const caller = async () => {
    while (begun < count) await once(++begun);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** The median of what is held after each of several pieces of work. */
async function held(work: () => Promise<void>): Promise<number> {
  const readings: number[] = [];
  while (readings.length < READINGS) {
    await work();
    const collections: number[] = [];
    while (collections.length < COLLECTIONS) {
      // what ends late
      await delay(20);
      collections.push(heldBytes() + process.memoryUsage().external);
    }
    readings.push(median(collections));
  }
  return median(readings);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, another) => one - another)[(values.length - 1) / 2] as number;
}
