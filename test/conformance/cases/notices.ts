import { expect } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { sql } from "../../../src/database/sql.ts";
import type { NoticeEvent } from "../../../src/transports/transport.ts";
import type { Bench, Case, Subject } from "../case.ts";

const secret = "canary-value";

/** What is said while `work` runs. */
async function heard(db: Database, work: () => Promise<unknown>): Promise<readonly NoticeEvent[]> {
  const events: NoticeEvent[] = [];
  const stop = db.subscribe((event) => {
    if (event.type === "notice") events.push(event);
  });
  try {
    await work();
  } finally {
    stop();
  }
  return events;
}

const shown = (events: readonly NoticeEvent[]) => events.map(({ severity, code, message, text }) => [severity, code, message, text]);

const careful = ["WARNING", "01ABC", "careful"] as const;

/** Every way to send a statement, and whether it is a connection that somebody holds. */
const ways: readonly (readonly [title: string, held: boolean, send: (db: Database) => Promise<unknown>])[] = [
  ["a query", false, (db) => db.query("select warn(1)")],
  ["a query that is READ ONLY", false, (db) => db.query("select warn(1)", [], { readOnly: true })],
  ["a batch", false, (db) => db.batch([sql`select 1`, sql`select warn(1)`, sql`select 2`])],
  ["a transaction", true, (db) => db.transaction((tx) => tx.query("select warn(1)"))],
  ["a batch of a transaction", true, (db) => db.transaction((tx) => tx.batch([sql`select 1`, sql`select warn(1)`]))],
  ["a session", true, (db) => db.session((session) => session.query("select warn(1)"))],
];

/** Over HTTP no answer holds any. */
const hears = ({ db }: Bench, held: boolean) => held || db.plan.notices === "calls";

const cases: readonly Case[] = [
  ...ways.map(
    ([title, held, send]): Case => ({
      title: `tells a warning in ${title} with its severity, its code and its statement`,
      async run(bench) {
        const events = await heard(bench.db, () => send(bench.db));
        expect(bench.db.plan.notices).toBe(bench.transport === "http" ? "sessions" : "calls");
        expect(shown(events)).toEqual(hears(bench, held) ? [[...careful, "select warn(1)"]] : []);
        if (events.length > 0) expect(events[0]).toMatchObject({ transport: bench.transport, routine: "exec_stmt_raise" });
      },
    }),
  ),
  {
    title: "tells what Postgres says itself, whole and fit for a log",
    async run({ db }) {
      const text = "drop table if exists nowhere_to_be_found";
      const events = await heard(db, () => db.session((session) => session.query(text)));
      expect(events.map((event) => JSON.parse(JSON.stringify(event)))).toMatchObject([
        { type: "notice", severity: "NOTICE", code: "00000", message: 'table "nowhere_to_be_found" does not exist, skipping', text },
      ]);
    },
  },
  {
    title: "keeps a parameter's value out of what a function says, and all that it says out of a log",
    async run({ db }) {
      const events = await heard(db, () => db.transaction((tx) => tx.sql`select say(${secret})`));
      expect(shown(events)).toEqual([["NOTICE", "00000", "said: [redacted]", "select say($1)"]]);
      expect(JSON.stringify(events)).not.toMatch(/said|canary/);
      const detailed = await heard(db, () => db.transaction((tx) => tx.query("select warn(1)")));
      expect(JSON.stringify(detailed)).not.toMatch(/careful|detail|hint/);
    },
  },
  {
    title: "tells what is said at COMMIT of the COMMIT, and of a script no statement",
    async run({ db }) {
      const atCommit = await heard(db, () => db.transaction((tx) => tx.sql`insert into told values (1)`));
      expect(shown(atCommit)).toEqual([["NOTICE", "00000", "at the end", "COMMIT"]]);
      const script = await heard(db, () => db.script("select 1; select warn(1)"));
      expect(shown(script)).toEqual([[...careful, null]]);
    },
  },
  {
    title: "tells what is said before a failure, and the failure is the caller's",
    async run({ db }) {
      const work = () => db.session((session) => session.sql`select warn(0), 1 / warn(0)`.catch(({ code }) => expect(code).toBe("22012")));
      expect((await heard(db, work)).length).toBeGreaterThan(0);
    },
  },
  {
    title: "tells each database of its own calls alone, and nobody who has stopped listening",
    async run({ db, open }) {
      const other = open();
      const aside = await heard(other, async () => {
        const stopped = await heard(db, async () => {});
        await db.session((session) => session.query("select warn(1)"));
        expect(stopped).toEqual([]);
      });
      expect(aside).toEqual([]);
    },
  },
];

/** What the server says beside its answers. */
export const notices: Subject = { title: "notices", cases };
