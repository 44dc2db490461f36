import { expect, inject, test } from "vitest";
import type { ReservedSession } from "../../../src/entry/node.ts";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { startWire } from "../../support/wire.ts";
import { failureOf, openDirect, until, urlAt } from "../databases.ts";
import { openRequest } from "./open-request.ts";

test("a session that nobody releases ends with its request, and what is left open is undone", async () => {
  await using direct = await openDirect();
  await direct.query("create table reserved_in_requests (id int)");
  try {
    await using wire = await startWire(inject("postgres"));
    await using db = openRequest({ url: urlAt(wire), deadlineMs: 0 });
    let forgotten: ReservedSession | undefined;
    await runRequest(db, async () => {
      forgotten = await db.session();
      await forgotten.query("begin");
      await forgotten.query("insert into reserved_in_requests values (1)");
    });
    await until(() => wire.openConnections() === 0);
    expect(await failureOf((forgotten as ReservedSession).query("select 1"))).toMatchObject({ code: "SESSION_OVER", fate: "not-sent" });
    await forgotten?.release();
    expect(db.stats().running).toBe(0);
    expect((await direct.query("select * from reserved_in_requests")).rows).toEqual([]);
  } finally {
    await direct.query("drop table reserved_in_requests");
  }
});

test("a session that is released in its request leaves its connection to the rest of it", async () => {
  await using db = openRequest();
  await runRequest(db, async () => {
    let held: string | null;
    {
      await using session = await db.session();
      await session.query("set work_mem = '321kB'");
      held = session.via.connectionId;
    }
    const { rows, via } = await db.query("show work_mem");
    expect(rows).toEqual([{ work_mem: "4MB" }]);
    expect(via.connectionId).toBe(held);
  });
  expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
});
