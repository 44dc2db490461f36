import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import QueryStream from "pg-query-stream";
import { describe, expect, test } from "vitest";
import { sharedPool } from "../../../src/entry/pool.ts";
import { openPool, urlAt } from "../databases.ts";

type Listener = (client: pg.PoolClient) => Promise<void>;
const rowOf = (rows: readonly unknown[]) => JSON.stringify(rows);

/** What calls got that were not theirs, while a listener of the pool's owner asks the new connection one thing after the other. */
async function crossed(options: object, text: (n: number) => string) {
  const heard: string[] = [];
  const listener: Listener = async (client) => {
    for (const name of ["a", "b", "c", "d"]) {
      const { rows } = await client.query("select set_config($1, $2, false) as v", [`app.${name}`, name]);
      if (rows[0]?.v !== name) heard.push(`asked for ${name}, got ${rowOf(rows)}`);
    }
  };
  const wrong: string[] = [];
  const db = openPool({
    max: 2,
    ...options,
    onPool: (pool) =>
      void (pool as unknown as pg.Pool).on("connect", (client) => void listener(client).catch((error) => heard.push(String(error)))),
  });
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const n = round * 10 + index;
        try {
          const { rows } = await db.query<{ v: string }>(text(n), [n]);
          if (rows[0]?.v !== String(n)) wrong.push(`asked for ${n}, got ${rowOf(rows)}`);
        } catch (error) {
          wrong.push(`${n}: ${(error as { code?: string }).code}`);
        }
      }),
    );
    await delay(2);
  }
  const { connects } = db.stats();
  await db.close();
  return { wrong, heard, connects };
}

describe("code of pg's own that asks a connection beside calls", () => {
  const cases = [
    ["default", {}, () => "select $1::text as v"],
    ["default, every text another", {}, (n: number) => `select $1::text as v /* ${n} */`],
    ["pipelining: false", { pipelining: false }, () => "select $1::text as v"],
    ["prepare: false", { pipelining: false, prepare: false }, () => "select $1::text as v"],
  ] as const;
  test.each(cases)("a connect listener that awaits one query after the other: %s", async (_, options, text) => {
    expect(await crossed(options, text)).toEqual({ wrong: [], heard: [], connects: 2 });
  });

  test("a client that was given back, and is asked all the same", async () => {
    const name = randomUUID();
    await using db = openPool({ name, max: 1, prepare: false });
    for (let n = 0; n < 20; n++) await db.query("select $1::int as n", [n]);
    const pool = sharedPool({ url: urlAt(), transport: "pool", name, max: 1, prepare: false, deadlineMs: 20_000 } as never);
    const client = await pool.connect();
    client.release();
    const numbers = [0, 1, 2, 3].map((n) => db.query<{ n: number }>("select $1::int as n", [n]));
    const own = client.query({ text: "select $1::int as n", values: [1000] });
    const more = [4, 5, 6].map((n) => db.query<{ n: number }>("select $1::int as n", [n]));
    const answers = (await Promise.allSettled([...numbers, own, ...more])).map((answer) =>
      answer.status === "fulfilled" ? (answer.value as { rows: { n: number }[] }).rows[0]?.n : String(answer.reason),
    );
    expect(answers).toEqual([0, 1, 2, 3, 1000, 4, 5, 6]);
    await pool.end();
  });

  test("a stream that fails in its middle, and closes its portal without asking for an answer", async () => {
    const pool = sharedPool({ url: urlAt(), name: randomUUID(), max: 1 });
    const client = await pool.connect();
    for (const ask of [{ text: "select $1::int as n", values: [1] }, { text: "select 1 as n" }]) {
      const stream = client.query(new QueryStream("select 1 / (15 - n) as n from generate_series(1, 30) n", [], { batchSize: 10 }));
      expect(await stream.toArray().catch((error) => error)).toMatchObject({ code: "22012" });
      for (let time = 0; time < 3; time++) expect((await client.query(ask)).rows).toEqual([{ n: 1 }]);
    }
    const last = client.query(new QueryStream("select 1 / (15 - n) as n from generate_series(1, 30) n", [], { batchSize: 10 }));
    expect(await last.toArray().catch((error) => error)).toMatchObject({ code: "22012" });
    client.release();
    // asked by whoever has the connection next
    expect((await pool.query("select $1::int as n", [2])).rows).toEqual([{ n: 2 }]);
    await pool.end();
  });
});
