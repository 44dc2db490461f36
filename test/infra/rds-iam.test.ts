import { readFile } from "node:fs/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type Database } from "warmline";
import { createApp } from "../../functions/app.ts";
import { modulesOnDemand } from "../../functions/modules-on-demand.ts";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";

// A server of its own: roles belong to the whole server, and other tests use the shared one.
let server: PostgresServer;
let owner: pg.Client;
const read = (name: string) => readFile(new URL(`../../infra/${name}`, import.meta.url), "utf8");
const rolesOf = async (user: string) =>
  (await owner.query("select roleid::regrole::text as role from pg_auth_members where member = $1::regrole", [user])).rows;

beforeAll(async () => {
  server = await startPostgres();
  owner = new pg.Client({ connectionString: server.url() });
  await owner.connect();
  await owner.query(await read("schema.sql"));
});
afterAll(async () => {
  await owner.end();
  await server.stop();
});

describe("infra/rds-iam.sql", () => {
  it("makes the user, says what is missing where IAM is off, and may run again", async () => {
    const notices: unknown[] = [];
    owner.on("notice", ({ message }) => notices.push(message));
    await owner.query(await read("rds-iam.sql"));
    await owner.query(await read("rds-iam.sql"));
    expect(notices).toEqual(Array(2).fill(expect.stringContaining("turn IAM authentication on")));
    expect(await rolesOf("warmline_app")).toEqual([]);
  });

  it("gives the user the role of IAM authentication where RDS has made it", async () => {
    await owner.query("create role rds_iam nologin");
    await owner.query(await read("rds-iam.sql"));
    expect(await rolesOf("warmline_app")).toEqual([{ role: "rds_iam" }]);
  });

  describe("signed in as the user", () => {
    let db: Database;
    beforeAll(async () => {
      // no IAM on this server: a password stands in for the token
      await owner.query(await read("rds-iam.sql"));
      await owner.query("alter role warmline_app password 'for-this-test'");
      const url = new URL(server.url());
      url.username = "warmline_app";
      url.password = "for-this-test";
      db = createDatabase(url.href);
    });
    afterAll(() => db.close());

    it("the whole demo works: products, a new order, the same order again, and reading it", async () => {
      const app = createApp({ db, platform: "node", modules: modulesOnDemand });
      const headers = { "Content-Type": "application/json", "Idempotency-Key": "rds-iam-test" };
      const order = () =>
        app.request("/orders", { method: "POST", headers, body: JSON.stringify({ lines: [{ productId: 2, quantity: 1 }] }) });
      expect((await app.request("/products")).status).toBe(200);
      const made = await order();
      expect([made.status, (await order()).status]).toEqual([201, 200]);
      const { id } = (await made.json()) as { id: string };
      expect((await app.request(`/orders/${id}`)).status).toBe(200);
      expect((await app.request("/proof")).status).toBe(200);
    });

    it.each([
      "delete from orders",
      "update products set price_cents = 1",
      "update orders set status = 'reserved'",
      "insert into products (id, name, price_cents, stock) values (99, 'x', 1, 1)",
      "truncate order_lines",
      "drop table orders",
      "create table mine (id integer)",
      "create role friend",
    ])("%s is refused", async (statement) => {
      await expect(db.query(statement)).rejects.toMatchObject({ sqlState: "42501" });
    });

    it("a statement nobody waits for any more is ended by the server, since the proxy cancels nothing", async () => {
      expect(await db.sql`select current_setting('statement_timeout') as limit`).toEqual([{ limit: "15s" }]);
    });
  });
});
