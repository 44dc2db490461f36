import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Submittable } from "pg";
import { failureOf } from "../orm.ts";
import type { Other } from "./other.ts";

interface CopyStreams {
  readonly from: (text: string) => Writable & Submittable;
  readonly to: (text: string) => Readable & Submittable;
}

const lines = (count: number, line: (n: number) => string) =>
  Readable.from(
    (function* () {
      for (let n = 1; n <= count; n++) yield line(n);
    })(),
  );

export const other: Other = async ({ pool, check, tool }) => {
  const { from, to } = await tool<CopyStreams>("pg-copy-streams");
  await pool.query("create table copied (n int primary key, t text)");
  const client = await pool.connect();
  await pipeline(
    lines(20_000, (n) => `${n}\trow ${n}\n`),
    client.query(from("copy copied from stdin")),
  );
  check("rows in", (await client.query("select count(*)::int as n, sum(n)::int as sum from copied")).rows, [
    { n: 20_000, sum: 200_010_000 },
  ]);

  let bytes = 0;
  for await (const chunk of client.query(to("copy (select n from copied order by n) to stdout"))) bytes += chunk.length;
  check("rows out", bytes, 108_894);

  const twice = await failureOf(() =>
    pipeline(
      lines(10, (n) => `${n}\tagain\n`),
      client.query(from("copy copied from stdin")),
    ),
  );
  check("a row that is there already", (twice as { readonly code: string }).code, "23505");
  check("its client goes on", (await client.query("select $1::int as n", [2])).rows, [{ n: 2 }]);

  const broken = Readable.from(
    (function* () {
      yield "30000\tlost\n";
      throw new Error("the source broke");
    })(),
  );
  const failure = await failureOf(() => pipeline(broken, client.query(from("copy copied from stdin"))));
  check("a source that breaks", (failure as Error).message, "the source broke");
  check("leaves nothing", (await client.query("select 1 from copied where n = 30000")).rowCount, 0);
  client.release();
  check("and the pool goes on", (await pool.query("select 3 as n")).rows, [{ n: 3 }]);
};
