import { expect } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { sql } from "../../../src/database/sql.ts";
import type { TracingMessages } from "../../../src/observe/messages.ts";
import type { Case, Subject } from "../case.ts";

type Name = keyof TracingMessages;
const { process } = globalThis as unknown as { readonly process: NodeJS.Process };
const secret = "canary-value";

/** The edge has none, whatever this test runs on. */
const channelsOf = (db: Database) => (db.plan.runtime === "edge-light" ? undefined : process.getBuiltinModule("node:diagnostics_channel"));

/** The ends that are told while `work` runs. */
async function endsOf<N extends Name>(db: Database, name: N, work: () => Promise<unknown>): Promise<TracingMessages[N][] | undefined> {
  const end = channelsOf(db)?.channel(`tracing:${name}:asyncEnd`);
  const ends: TracingMessages[N][] = [];
  const listen = (message: unknown) => void ends.push(message as TracingMessages[N]);
  end?.subscribe(listen);
  try {
    await work();
  } finally {
    end?.unsubscribe(listen);
  }
  return end && ends;
}

const cases: readonly Case[] = [
  {
    title: "tells of a query with its text, where it went and what came, and without its values",
    async run({ db, transport }) {
      const ends = await endsOf(db, "warmline:query", () => db.query("select $1::text as value", [secret]));
      const { runtime, target } = db.plan;
      const told = { operation: "query", within: null, texts: ["select $1::text as value"], transport, runtime, target, roundTrips: 1 };
      if (ends !== undefined) expect(ends).toMatchObject([{ ...told, retries: 0, rowCount: 1, returnedRows: 1, code: null, fate: null }]);
      expect(JSON.stringify(ends ?? [])).not.toContain(secret);
    },
  },
  {
    title: "tells of what failed with its fate and SQLSTATE",
    async run({ db }) {
      const ends = await endsOf(db, "warmline:query", () => db.query("select $1::int", [secret]).catch(() => {}));
      if (ends !== undefined) expect(ends).toMatchObject([{ code: "22P02", sqlState: "22P02", fate: "refused", rowCount: null }]);
    },
  },
  {
    title: "has the store of a transaction's span in its queries, in its callback, and nowhere else",
    async run({ db }) {
      const channels = channelsOf(db);
      if (channels === undefined) return;
      const { AsyncLocalStorage } = process.getBuiltinModule("node:async_hooks");
      const store = new AsyncLocalStorage<string>();
      const parents: (readonly [string, string | undefined])[] = [];
      const names = ["warmline:transaction", "warmline:query"] as const;
      const starts = names.map((name) => channels.channel(`tracing:${name}:start`));
      // in Workers a store that is bound alone is no subscriber
      const listen = () => {};
      for (const start of starts) start.subscribe(listen);
      names.forEach((name, index) => {
        starts[index]?.bindStore(store, () => {
          parents.push([name, store.getStore()]);
          return name;
        });
      });
      try {
        const inside = await db.transaction(async (tx) => {
          await tx.sql`select 1`;
          await tx.batch([sql`select 2`, sql`select 3`]);
          return store.getStore();
        });
        expect([inside, store.getStore()]).toEqual(["warmline:transaction", undefined]);
      } finally {
        for (const start of starts) {
          start.unbindStore(store);
          start.unsubscribe(listen);
        }
      }
      expect(parents).toEqual([
        ["warmline:transaction", undefined],
        ["warmline:query", "warmline:transaction"],
        ["warmline:query", "warmline:transaction"],
      ]);
    },
  },
  {
    title: "breaks no call where a subscriber throws into it, as in Workers",
    async run({ db }) {
      // elsewhere the runtime catches it, and ends what runs the suite
      if (db.plan.runtime !== "workerd") return;
      const { start, asyncEnd, error } = process.getBuiltinModule("node:diagnostics_channel").tracingChannel("warmline:query");
      const told: unknown[] = [];
      const hear = (reason: unknown) => void told.push(reason);
      const own = new Error("of the subscriber");
      const fail = () => {
        throw own;
      };
      const others = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection").on("unhandledRejection", hear);
      for (const channel of [start, asyncEnd, error]) channel.subscribe(fail);
      try {
        expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
        await expect(db.query("selec")).rejects.toMatchObject({ code: "42601" });
      } finally {
        for (const channel of [start, asyncEnd, error]) channel.unsubscribe(fail);
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
      process.off("unhandledRejection", hear);
      for (const other of others) process.on("unhandledRejection", other);
      expect(told).toEqual(Array.from({ length: 5 }, () => own));
    },
  },
  {
    title: "counts what a transaction and a session send",
    async run({ db }) {
      const transactions = await endsOf(db, "warmline:transaction", () =>
        db.transaction(async (tx) => {
          await tx.sql`select 1`;
          await tx.sql`select 2`;
        }),
      );
      if (transactions !== undefined) expect(transactions).toMatchObject([{ roundTrips: 3, retries: 0, connectionId: expect.any(String) }]);
      const sessions = await endsOf(db, "warmline:session", () => db.session((session) => session.query("select 1")));
      if (sessions !== undefined) expect(sessions).toMatchObject([{ operation: "session", roundTrips: 1 }]);
    },
  },
  {
    title: "tells of a connection that is opened, where one is",
    async run({ db, open, transport }) {
      const own = open({ name: "traced" });
      const connects = await endsOf(db, "warmline:connect", () => own.session((session) => session.query("select 1")));
      if (connects === undefined) return;
      const opened = connects.filter(({ connectionId }) => connectionId !== null);
      expect(opened).toMatchObject([{ transport, code: null, database: own.plan.server.database }]);
    },
  },
];

/** Tracing channels, where the runtime has them. */
export const tracing: Subject = { title: "tracing channels", cases };
