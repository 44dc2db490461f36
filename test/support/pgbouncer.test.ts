import { Client } from "pg";
import { describe, expect, inject, test } from "vitest";
import { findPgBouncer, startPgBouncer } from "./pgbouncer.ts";
import { isCommandComplete } from "./postgres-messages.ts";
import { startWire } from "./wire.ts";

const postgres = inject("postgres");

async function open(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return client;
}

describe.skipIf(findPgBouncer() === undefined)("PgBouncer", () => {
  test("lends the same server session to each transaction in turn", async () => {
    const bouncer = await startPgBouncer(postgres, { default_pool_size: "1" });
    try {
      const clients = [await open(bouncer.url(postgres.database)), await open(bouncer.url(postgres.database))];
      const pids = [];
      for (const client of clients) pids.push((await client.query("select pg_backend_pid() as pid")).rows[0].pid);
      expect(pids[0]).toBe(pids[1]);
      await Promise.all(clients.map((client) => client.end()));
    } finally {
      await bouncer.stop();
      await bouncer.stop();
    }
    await expect(open(bouncer.url())).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("refuses startup parameters it does not know, and wrong passwords", async () => {
    const bouncer = await startPgBouncer(postgres);
    try {
      await expect(open(`${bouncer.url(postgres.database)}?statement_timeout=1000`)).rejects.toMatchObject({ code: "08P01" });
      const wrong = bouncer.url(postgres.database).replace(encodeURIComponent(bouncer.password), "wrong");
      await expect(open(wrong)).rejects.toMatchObject({ code: expect.stringMatching(/^(28P01|08P01)$/) });
    } finally {
      await bouncer.stop();
    }
  });

  test("answers an error to a COMMIT that was carried out when its link to the server is cut", async () => {
    await using wire = await startWire(postgres);
    const bouncer = await startPgBouncer({ ...postgres, port: wire.port });
    const direct = await open(postgres.url);
    try {
      await direct.query("create table bounced (id int)");
      const client = await open(bouncer.url(postgres.database));
      const cut = wire.cutAt(isCommandComplete("COMMIT"));
      await client.query("begin");
      await client.query("insert into bounced values (1)");
      await expect(client.query("commit")).rejects.toMatchObject({ code: "08P01", severity: "FATAL" });
      await cut;
      expect((await direct.query("select id from bounced")).rows).toEqual([{ id: 1 }]);
    } finally {
      await direct.query("drop table if exists bounced");
      await direct.end();
      await bouncer.stop();
    }
  });
});
