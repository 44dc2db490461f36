import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import { LOOK } from "../../support/session-traces.ts";
import { type Case, failureOf, type Subject } from "../case.ts";

/** What needs a session, and a word of what to do instead. */
const needing: readonly (readonly [text: string, remedy: string])[] = [
  ["set work_mem = '321kB'", "SET LOCAL"],
  ["/* x */ ; SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "startupOptions"],
  ["set role none", "SET LOCAL"],
  ["reset all", "db.session()"],
  ["select set_config('work_mem', '321kB', false)", "set_config(…, true)"],
  ["select pg_advisory_lock(7001)", "pg_advisory_xact_lock"],
  ["select pg_try_advisory_lock_shared(7001)", "pg_advisory_xact_lock"],
  ["create temporary table passing (a int)", "ON COMMIT DROP"],
  ["create table pg_temp.passing (a int)", "ON COMMIT DROP"],
  ["prepare passing as select 1", "parameters"],
  ["execute passing", "parameters"],
  ["declare passing cursor with hold for select 1", "without HOLD"],
  ["load 'auto_explain'", "session_preload_libraries"],
  ["discard all", "db.session()"],
];

/** What brings its answer beside the rows. */
const undelivered: readonly (readonly [text: string, remedy: string])[] = [
  ["listen somebody", "a direct connection, as in docs/listening.md"],
  ["unlisten *", "a direct connection, as in docs/listening.md"],
  ["copy person to stdout", "pg-copy-streams"],
  ["COPY (select 1) TO STDOUT WITH (FORMAT csv)", "SELECT"],
];

const stateNeeded = { name: "UsageError", code: "SESSION_STATE" } as const;
const notDelivered = { name: "UsageError", code: "NOT_DELIVERED" } as const;

const cases: readonly Case[] = [
  ...needing.map(
    ([text, remedy]): Case => ({
      title: `refuses ${JSON.stringify(text)} by itself, and says what to do`,
      async run({ db }) {
        const connects = db.stats().connects;
        for (const readOnly of [false, true]) {
          const { message } = await failureOf(() => db.query(text, [], { readOnly }), { ...stateNeeded, fate: "not-sent" });
          expect(message).toContain(remedy);
          expect(message).toContain("db.session()");
        }
        await failureOf(() => db.sql`${sql.raw(text)}`, { ...stateNeeded, fate: "not-sent" });
        expect(db.stats().connects).toBe(connects);
      },
    }),
  ),
  ...undelivered.map(
    ([text, remedy]): Case => ({
      title: `refuses ${JSON.stringify(text)} everywhere, and says what to do`,
      async run({ db }) {
        const { message } = await failureOf(() => db.query(text), { ...notDelivered, fate: "not-sent" });
        expect(message).toContain(remedy);
        await failureOf(() => db.batch([sql`select 1`, sql`${sql.raw(text)}`]), { ...notDelivered, fate: "not-sent" });
        await failureOf(() => db.transaction((tx) => tx.query(text)), { ...notDelivered, fate: "not-sent" });
        const begun = async () =>
          db.transaction(async (tx) => {
            await tx.sql`insert into ledger values (7101)`;
            await tx.query(text);
          });
        await failureOf(begun, { ...notDelivered, fate: "refused" });
        await failureOf(() => db.session((session) => session.query(text)), { ...notDelivered, fate: "not-sent" });
        expect(await db.sql`select entry from ledger where entry = 7101`).toEqual([]);
      },
    }),
  ),
  {
    title: "takes what ends with its transaction",
    async run({ db }) {
      await db.query("set local work_mem = '321kB'");
      await db.query("select set_config('work_mem', $1, true)", ["321kB"]);
      await db.query("create temporary table passing (a int) on commit drop");
      await db.query("select pg_advisory_xact_lock(7001)");
      const [, kept] = await db.batch([sql`set local work_mem = '321kB'`, sql`show work_mem`]);
      expect(kept.rows).toEqual([{ work_mem: "321kB" }]);
      await db.transaction(async (tx) => {
        await tx.sql`create temporary table passing on commit drop as select 1 as a`;
        expect(await tx.sql`select a from passing`).toEqual([{ a: 1 }]);
      });
    },
  },
  {
    title: "leaves nothing behind of what a session, a transaction or a batch sets; where nothing is kept, it is refused",
    async run({ db }) {
      const look = async () => (await db.query(LOOK)).rows;
      const before = await look();
      const works = needing
        .filter(([text]) => !/execute|load/.test(text))
        .flatMap(([text]): (() => Promise<unknown>)[] => [
          () => db.session((session) => session.query(text)),
          ...(text.startsWith("discard")
            ? []
            : [
                () => db.transaction((tx) => tx.query(text)),
                () => db.batch([sql`${sql.raw(text)}`]),
                () => db.transaction((tx) => tx.query(text).then(() => Promise.reject(new Error("own")))),
              ]),
        ]);
      for (const work of works) {
        if (db.plan.capabilities.sessionState) await work().catch((error) => expect(error).toMatchObject({ message: "own" }));
        else expect((await failureOf(work, { ...stateNeeded, fate: "not-sent" })).message).toContain("this target keeps none");
        expect(await look()).toEqual(before);
      }
    },
  },
  {
    title: "leaves nothing behind of a script",
    async run({ db, mark }) {
      const look = async () => (await db.query(LOOK)).rows;
      const before = await look();
      const text = `set search_path = ${mark}; select pg_advisory_lock(7001); insert into ${mark}.ledger values (7102)`;
      if (db.plan.capabilities.sessionState) await db.script(text);
      else await failureOf(() => db.script(text), { ...stateNeeded, fate: "not-sent" });
      expect(await look()).toEqual(before);
    },
  },
];

/** What is set on a connection, and stays with nobody. */
export const sessionState: Subject = { title: "session state", cases };
