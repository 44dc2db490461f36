import QueryStream from "pg-query-stream";
import { failureOf } from "../orm.ts";
import type { Other } from "./other.ts";

export const other: Other = async ({ pool, check }) => {
  const client = await pool.connect();
  let sum = 0;
  for await (const { n } of client.query(new QueryStream("select n from generate_series(1, $1::int) n", [1_000], { batchSize: 90 })))
    sum += n;
  check("every row", sum, 500_500);

  for await (const _ of client.query(new QueryStream("select n from generate_series(1, 100000) n"))) break;
  check("one that is left early leaves its client", (await client.query("select $1::int as n", [2])).rows, [{ n: 2 }]);

  const failing = client.query(new QueryStream("select 1 / (150 - n) as n from generate_series(1, 300) n", [], { batchSize: 100 }));
  check("a failure in the middle", ((await failureOf(() => failing.toArray())) as { readonly code: string }).code, "22012");
  check("its client goes on", (await client.query("select $1::int as n", [3])).rows, [{ n: 3 }]);
  client.release();
  check("so does the pool", (await pool.query("select 4 as n")).rows, [{ n: 4 }]);
};
