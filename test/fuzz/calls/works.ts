import { sql } from "../../../src/entry/node.ts";
import { type Call, type CallInput, hurried, other, Undone } from "./kinds.ts";

const insert = (id: number | undefined) => sql`insert into soak (id) values (${id}) returning id`;

const batch = async ({ db, ids: [one, two], number }: CallInput, options = {}): Promise<string | undefined> => {
  const results = await db.batch([insert(one), sql`select ${number}::int as n`, insert(two)], options);
  const [first, look, last] = results.map(({ rows }) => rows[0] as { readonly id?: unknown; readonly n?: unknown } | undefined);
  return other(one, first?.id) ?? other(number, look?.n) ?? other(two, last?.id);
};

const transaction = ({ db, ids: [one, two], number }: CallInput, options = {}): Promise<string | undefined> =>
  db.transaction(async (tx) => {
    await tx.query(insert(one));
    const { rows } = await tx.query("select $1::int as n", [number]);
    await tx.query(insert(two));
    return other(number, rows[0]?.n);
  }, options);

/** Calls of several statements, and those of code that was written for pg. */
export const works: readonly Call[] = [
  { name: "batch", writes: 2, run: batch },
  { name: "batch in a hurry", hurries: true, writes: 2, run: (input) => hurried(input, (limits) => batch(input, limits)) },
  {
    name: "batch that fails",
    writes: 1,
    run: async ({ db, ids: [id], number }) => {
      await db.batch([insert(id), sql`select 1 / (${number}::int - ${number}::int)`, insert(id)]);
      return "a batch that fails was done";
    },
  },
  { name: "transaction", writes: 2, run: transaction },
  { name: "transaction in a hurry", hurries: true, writes: 2, run: (input) => hurried(input, (limits) => transaction(input, limits)) },
  { name: "transaction that may run again", writes: 2, run: (input) => transaction(input, { retries: 3 }) },
  {
    name: "transaction that collides with others",
    writes: 1,
    run: ({ db, ids: [id], random }) =>
      db.transaction(
        async (tx) => {
          // one behind the other in any order: some wait for each other
          for (const name of random.shuffle([0, 1, 2, 3]).slice(0, 2))
            await tx.query("update counters set n = n + 1 where name = $1", [name]);
          return other(id, (await tx.query(insert(id))).rows[0]?.id);
        },
        { isolation: random.pick(["read committed", "repeatable read", "serializable"]), retries: random.between(0, 3) },
      ),
  },
  {
    name: "transaction within a transaction",
    writes: 1,
    run: ({ db, ids: [id] }) =>
      db.transaction(async (tx) => {
        await tx.transaction(async (inner) => {
          await inner.query(insert(id));
        });
        await tx
          .transaction(async (inner) => {
            await inner.query(insert(id));
            throw new Undone();
          })
          .catch((thrown) => {
            if (!(thrown instanceof Undone)) throw thrown;
          });
        return undefined;
      }),
  },
  {
    name: "transaction that its caller undoes",
    writes: 1,
    run: ({ db, ids: [id] }) =>
      db.transaction(async (tx) => {
        await tx.query(insert(id));
        throw new Undone();
      }),
  },
  {
    name: "session with a transaction of its own",
    writes: 1,
    run: ({ db, ids: [id] }) =>
      db.session(async (session) => {
        await session.query("begin");
        const { rows } = await session.query(insert(id));
        await session.query("commit");
        return other(id, rows[0]?.id);
      }),
  },
  {
    name: "session that leaves a transaction open",
    writes: 1,
    run: async ({ db, ids: [id] }) => {
      await db.session(async (session) => {
        await session.query("begin");
        await session.query(insert(id));
      });
      throw new Undone();
    },
  },
  {
    name: "query of pg's",
    foreign: true,
    writes: 1,
    run: async ({ pool, ids: [id] }) => other(id, (await pool.query("insert into soak (id) values ($1) returning id", [id])).rows[0]?.id),
  },
  {
    name: "client of pg's",
    foreign: true,
    run: async ({ pool, number }) => {
      const client = await pool.connect();
      let failure: Error | undefined;
      try {
        // at once: they stand in pg's own queue
        const answers = await Promise.all([0, 1].map((more) => client.query("select $1::int as n", [number + more])));
        return other(number, answers[0]?.rows[0]?.n) ?? other(number + 1, answers[1]?.rows[0]?.n);
      } catch (thrown) {
        failure = thrown as Error;
        throw thrown;
      } finally {
        client.release(failure);
      }
    },
  },
  {
    name: "transaction of pg's",
    foreign: true,
    writes: 1,
    run: async ({ pool, ids: [id] }) => {
      const client = await pool.connect();
      let failure: Error | undefined;
      try {
        await client.query("begin");
        const { rows } = await client.query("insert into soak (id) values ($1) returning id", [id]);
        await client.query("commit");
        return other(id, rows[0]?.id);
      } catch (thrown) {
        failure = thrown as Error;
        throw thrown;
      } finally {
        client.release(failure);
      }
    },
  },
];
