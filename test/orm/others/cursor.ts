import type { Submittable } from "pg";
import { failureOf } from "../orm.ts";
import type { Other } from "./other.ts";

/** As far as it is used. */
interface Portal extends Submittable {
  read(count: number): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

export const other: Other = async ({ pool, check, tool }) => {
  const { default: Cursor } = await tool<{ default: new (text: string, values?: readonly unknown[], config?: object) => Portal }>(
    "pg-cursor",
  );
  const client = await pool.connect();
  const cursor = client.query(new Cursor("select n from generate_series(1, $1::int) n", [250]));
  const portions = [(await cursor.read(100)).length, (await cursor.read(100)).length, (await cursor.read(100)).length];
  check("reads in portions", [...portions, (await cursor.read(100)).length], [100, 100, 50, 0]);

  const left = client.query(new Cursor("select n from generate_series(1, 1000) n"));
  check("one that is left early", await left.read(1), [{ n: 1 }]);
  await left.close();
  check("its client goes on", (await client.query("select $1::int as n", [2])).rows, [{ n: 2 }]);

  const failing = client.query(new Cursor("select 1 / (3 - n) as n from generate_series(1, 5) n"));
  const failure = (await failureOf(() => failing.read(5))) as { readonly code: string };
  check("a failure in the middle", failure.code, "22012");
  check("its client goes on", (await client.query("select $1::int as n", [3])).rows, [{ n: 3 }]);

  await client.query("begin");
  const within = client.query(new Cursor("select n from generate_series(1, 5) n", undefined, { rowMode: "array" }));
  check("in a transaction, as arrays", await within.read(2), [[1], [2]]);
  await within.close();
  await client.query("commit");
  client.release();

  const three = await Promise.all(
    [1, 2, 3].map(async (n) => {
      const own = await pool.connect();
      const rows = await own.query(new Cursor("select $1::int as n from generate_series(1, 10)", [n])).read(100);
      own.release();
      return rows.length;
    }),
  );
  check("three at once", three, [10, 10, 10]);
};
