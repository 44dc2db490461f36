import { type Call, hurried, other, text, unexpected } from "./kinds.ts";

const insert = "insert into soak (id) values ($1) returning id";
const slowInsert = "insert into soak (id) select $1 from waits($2, 1) returning id";

/** Calls of one statement that writes. */
export const writes: readonly Call[] = [
  ...Array.from(
    { length: 10 },
    (): Call => ({
      name: "write",
      quick: true,
      writes: 1,
      run: async (input) => other(input.ids[0], (await input.db.query(text(insert, input), [input.ids[0]])).rows[0]?.id),
    }),
  ),
  {
    name: "write in a hurry",
    quick: true,
    hurries: true,
    writes: 1,
    run: (input) =>
      hurried(input, async (limits) =>
        other(input.ids[0], (await input.db.query(text(insert, input), [input.ids[0]], limits)).rows[0]?.id),
      ),
  },
  {
    name: "write of some milliseconds",
    quick: true,
    writes: 1,
    run: async (input) => {
      const values = [input.ids[0], input.random.between(1, 5) / 1_000];
      return other(input.ids[0], (await input.db.query(text(slowInsert, input), values)).rows[0]?.id);
    },
  },
  {
    name: "slow write in a hurry",
    quick: true,
    hurries: true,
    writes: 1,
    run: (input) =>
      hurried(input, async (limits) => {
        const values = [input.ids[0], input.random.once(4) ? 0.02 : 0.003];
        return other(input.ids[0], (await input.db.query(text(slowInsert, input), values, limits)).rows[0]?.id);
      }),
  },
  {
    name: "write of many rows, which give much",
    quick: true,
    writes: 3,
    run: async ({ db, ids }) => {
      const { rows } = await db.query("insert into soak (id) select unnest($1::bigint[]) returning id, repeat(id::text, 2000) as large", [
        ids,
      ]);
      return rows.map(({ id, large }, at) => other(`${ids[at]}`.repeat(2_000), large) ?? other(ids[at], id)).find(Boolean);
    },
  },
  {
    name: "write of a row that is there",
    writes: 1,
    run: async ({ db, ids: [id] }) => {
      await db.query("insert into once values ($1) returning id", [id]);
      const again = await db.query("insert into once values ($1) returning id", [id]).catch((thrown) => thrown);
      try {
        return unexpected(again, "23505");
      } catch {
        // what became of it does not touch what is there
        return undefined;
      }
    },
  },
  {
    name: "write that is refused when it is committed",
    quick: true,
    writes: 1,
    run: async ({ db, ids: [id] }) => {
      await db.query("insert into late values ($1, -1) returning id", [id]);
      return "a deferred constraint was passed over";
    },
  },
  {
    name: "write whose answer cannot be read",
    quick: true,
    writes: 1,
    run: async ({ db, ids: [id] }) => {
      await db.query("insert into soak (id) values ($1) returning id, macaddr '08:00:2b:01:02:03' as unreadable", [id]);
      return "what cannot be read was read";
    },
  },
  {
    name: "write that may be repeated",
    quick: true,
    writes: 1,
    run: async ({ db, ids: [id] }) => {
      const upsert = "insert into claimed values ($1) on conflict (id) do update set id = excluded.id returning id";
      return other(id, (await db.query(upsert, [id], { idempotent: true })).rows[0]?.id);
    },
  },
  {
    name: "write that may be repeated, with little time for each attempt",
    hurries: true,
    writes: 1,
    run: async ({ db, ids: [id], random }) => {
      const upsert = "insert into claimed select $1 from waits($2, 1) on conflict (id) do update set id = excluded.id returning id";
      const values = [id, random.once(4) ? 0.03 : 0];
      return other(id, (await db.query(upsert, values, { idempotent: true, attemptTimeoutMs: random.between(5, 60) })).rows[0]?.id);
    },
  },
];
