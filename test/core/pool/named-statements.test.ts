import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, urlAt } from "../databases.ts";

let wire: Wire;
let direct: Awaited<ReturnType<typeof openDirect>>;
/** The letters of what the client has sent. */
let sent: string;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table naming (id int primary key, what text)");
  await direct.query("insert into naming values (1, 'one')");
});
beforeEach(async () => {
  wire = await startWire(inject("postgres"));
  sent = "";
  wire.onMessage(({ from, type }) => {
    if (from === "client" && type.length === 1 && type !== "p") sent += type;
  });
  return () => wire.close();
});
afterAll(async () => {
  await direct.query("drop table naming");
  await direct.end();
});

const open = (options = {}) => openPool({ url: urlAt(wire), max: 1, ...options });
/** The names the server keeps for a connection. */
const kept = "select count(*)::int as n from pg_prepared_statements";
/** Every column: a text that notices when the table changes. */
const all = "select * from naming where id = $1";

describe("a statement that comes again", () => {
  test("is named the second time, and travels by its name from then on, with the same answer", async () => {
    await using db = open();
    const answers = [];
    const messages = [];
    for (let time = 0; time < 3; time++) {
      sent = "";
      const { via: _, ...answer } = await db.query(all, [1]);
      answers.push(answer);
      messages.push(sent);
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    // Parse, Bind, Describe, Execute, Sync; with Close before
    expect(messages).toEqual(["PBDES", "CPDBES", "BES"]);
  });

  test("is never named with prepare: false", async () => {
    await using db = open({ prepare: false });
    for (let time = 0; time < 3; time++) await db.query(all, [1]);
    expect((await db.query(kept)).rows).toEqual([{ n: 0 }]);
  });

  test("costs one round trip, by its name too", async () => {
    await using db = open();
    await db.query(all, [1]);
    wire.reset();
    for (let time = 0; time < 3; time++) await db.query(all, [1]);
    expect(wire.roundTrips()).toBe(3);
  });

  test("a table that changes meanwhile costs one round trip more, and shows its new columns", async () => {
    await using db = open();
    for (let time = 0; time < 3; time++) await db.query(all, [1]);
    await direct.query("alter table naming add column more int default 7");
    wire.reset();
    try {
      expect((await db.query(all, [1])).rows).toEqual([{ id: 1, what: "one", more: 7 }]);
      expect(wire.roundTrips()).toBe(2);
      expect((await db.query(all, [1])).fields.map(({ name }) => name)).toEqual(["id", "what", "more"]);
      expect(db.stats()).toMatchObject({ connects: 1, retries: 0 });
    } finally {
      await direct.query("alter table naming drop column more");
    }
  });

  test.each(["deallocate all", "discard all"])("names that are gone (%s in a session) cost one round trip more", async (text) => {
    await using db = open();
    for (let time = 0; time < 3; time++) await db.query(all, [1]);
    await db.session((session) => session.query(text));
    expect((await db.query(all, [1])).rows).toEqual([{ id: 1, what: "one" }]);
    expect(db.stats()).toMatchObject({ connects: 1, retries: 0 });
  });

  test("a call that is given up while its name is refused is told that, and not of a name it never gave", async () => {
    await using db = open();
    for (let time = 0; time < 3; time++) await db.query(all, [1]);
    await direct.query("alter table naming add more int");
    const asked = new Promise<void>((resolve) => wire.onMessage(({ from, type }) => from === "client" && type === "S" && resolve()));
    wire.holdServer("open");
    const controller = new AbortController();
    const failure = failureOf(db.query(all, [1], { signal: controller.signal }));
    await asked;
    controller.abort();
    wire.resume();
    expect(await failure).toMatchObject({ name: "CancelledError", code: "ABORTED", fate: "refused" });
    await direct.query("alter table naming drop more");
  });

  test("an error is that of the statement, whichever way it was sent", async () => {
    await using db = open();
    const failures = [];
    for (let time = 0; time < 3; time++) failures.push(await failureOf(db.query("select 1 / ($1::int - 1)", [1])));
    for (const failure of failures) expect(failure).toMatchObject({ code: "22012", fate: "refused" });
    const missing = [];
    for (let time = 0; time < 3; time++) missing.push(await failureOf(db.query("select * from naming_missing")));
    for (const failure of missing) expect(failure).toMatchObject({ code: "42P01", fate: "refused", position: "15" });
  });

  test("a write is done once, whatever becomes of its name", async () => {
    await using db = open();
    await direct.query("create table naming_writes (n int)");
    try {
      const insert = "insert into naming_writes values ($1) returning *";
      for (let n = 0; n < 3; n++) await db.query(insert, [n]);
      await direct.query("alter table naming_writes add column more int");
      for (let n = 3; n < 6; n++) await db.query(insert, [n]);
      expect((await direct.query("select n from naming_writes order by n")).rows.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5]);
    } finally {
      await direct.query("drop table naming_writes");
    }
  });

  test("in a transaction it has no name: a refused one would fail the whole", async () => {
    await using db = open();
    for (let time = 0; time < 3; time++) await db.query(all, [1]);
    await db.transaction(async (tx) => {
      await tx.query(all, [1]);
      await tx.query("alter table naming add column more int");
      expect((await tx.query(all, [1])).rows).toEqual([{ id: 1, what: "one", more: null }]);
      await tx.query("alter table naming drop column more");
    });
  });

  test("a hundred names are kept, and the one used least recently makes room", async () => {
    await using db = open();
    const look = (n: number) => db.query(`select ${n} as n`);
    for (let n = 0; n < 150; n++) for (let time = 0; time < 3; time++) expect((await look(n)).rows).toEqual([{ n }]);
    expect((await db.query(kept)).rows).toEqual([{ n: 100 }]);
    sent = "";
    await look(149);
    await look(0);
    expect(sent).toBe("BESPBDES");
  });

  test("columns that are shared by results are nobody's to change", async () => {
    await using db = open();
    for (let time = 0; time < 2; time++) await db.query(all, [1]);
    const { fields } = await db.query(all, [1]);
    expect(() => Object.assign(fields[0] as object, { name: "other" })).toThrow(TypeError);
    expect((await db.query(all, [1])).fields[0]?.name).toBe("id");
  });

  test("a value that fits the type its column has today is taken, whatever type it had when the name was made", async () => {
    await using db = open();
    await direct.query("create table naming_types (n int)");
    try {
      const insert = "insert into naming_types values ($1)";
      for (let n = 0; n < 3; n++) await db.query(insert, [n]);
      await direct.query("alter table naming_types alter n type bigint");
      await db.query(insert, [3_000_000_000]);
      expect((await direct.query("select max(n) from naming_types")).rows).toEqual([{ max: "3000000000" }]);
    } finally {
      await direct.query("drop table naming_types");
    }
  });

  test("a name is made anew after a minute, and what is read when it is parsed gets none", async () => {
    await using db = open();
    const now = vi.spyOn(performance, "now");
    try {
      for (let time = 0; time < 3; time++) await db.query(all, [1]);
      const later = performance.now() + 61_000;
      now.mockImplementation(() => later);
      sent = "";
      await db.query(all, [1]);
      await db.query(all, [1]);
      expect(sent).toBe("CPDBESBES");
      sent = "";
      for (let time = 0; time < 3; time++) await db.query("select 1 where now() >= 'today'");
      expect(sent).toBe("PBDESPBDESPBDES");
    } finally {
      now.mockRestore();
    }
  });

  test("rows are read as each call wants them", async () => {
    await using db = open();
    for (let time = 0; time < 2; time++) await db.query(all, [1]);
    expect((await db.query(all, [1], { rowMode: "array" })).rows).toEqual([[1, "one"]]);
    expect((await db.query(all, [1])).rows).toEqual([{ id: 1, what: "one" }]);
  });
});
