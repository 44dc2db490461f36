import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, createDemoDatabase, type DemoDatabase } from "./demo-app.ts";

const schema = await readFile(new URL("../../infra/schema.sql", import.meta.url), "utf8");

let demo: DemoDatabase;
beforeAll(async () => {
  demo = await createDemoDatabase();
});
afterAll(() => demo?.stop());

describe("infra/schema.sql", () => {
  it("may be run again, also several times at once, and leaves sold stock sold", async () => {
    await demo.ask("update products set stock = 0 where id = 10");
    await Promise.all([demo.db.script(schema), demo.db.script(schema), demo.db.script(schema)]);
    expect(await demo.ask("select count(*)::int as n, min(stock) as stock from products")).toEqual([{ n: 10, stock: 0 }]);
  });

  it("makes a second deployment wait until the first has made the tables", async () => {
    await demo.ask("drop table order_lines, orders, products");
    const first = await connect(demo.url);
    await first.query("begin");
    await first.query(schema);
    const second = demo.db.script(schema);
    const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'advisory'";
    await expect.poll(() => demo.ask(waiting)).toHaveLength(1);
    await first.query("commit");
    await first.end();
    await second;
    expect(await demo.ask("select count(*)::int as n from products")).toEqual([{ n: 10 }]);
  });

  it.each([
    ["sells no stock twice, whatever the application does", "update products set stock = -1 where id = 1", "23514"],
    ["takes no line without its order", "insert into order_lines values (gen_random_uuid(), 1, 1, 1)", "23503"],
  ])("%s", async (_title, statement, code) => {
    await expect(demo.ask(statement)).rejects.toMatchObject({ code });
  });
});
