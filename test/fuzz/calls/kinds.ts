import { type Database, sql } from "../../../src/entry/node.ts";
import type { Random } from "../../support/random.ts";

/** What a call is made with. */
export interface CallInput {
  /** Nobody else's. */
  readonly number: number;
  /** What it writes. */
  readonly ids: readonly number[];
  readonly random: Random;
}

/** One kind of call. */
export interface Call {
  readonly name: string;
  /** How many rows it writes. */
  readonly writes?: number;
  /** Resolves with what was wrong of its answer; undefined for nothing. */
  readonly run: (db: Database, input: CallInput) => Promise<string | undefined>;
}

const other = (expected: unknown, got: unknown): string | undefined =>
  String(got) === String(expected) ? undefined : `${String(got)} instead of ${String(expected)}`;

/** A call that its caller gives up, or that has little time. */
function hurried({ random }: CallInput): { readonly signal?: AbortSignal; readonly deadlineMs?: number } {
  if (random.once(2)) return { deadlineMs: random.between(1, 20) };
  const abort = new AbortController();
  setTimeout(() => abort.abort(), random.between(0, 12));
  return { signal: abort.signal };
}

const look: Call = {
  name: "look",
  run: async (db, { number }) => other(number, (await db.query("select $1::int as n", [number])).rows[0]?.n),
};

const write: Call = {
  name: "write",
  writes: 1,
  run: async (db, { ids: [id] }) => other(id, (await db.query("insert into soak (id) values ($1) returning id", [id])).rows[0]?.id),
};

/** All kinds; the ordinary ones several times. */
export const calls: readonly Call[] = [
  ...Array.from({ length: 12 }, () => look),
  ...Array.from({ length: 8 }, () => write),
  {
    name: "look in a hurry",
    run: async (db, input) => other(input.number, (await db.query("select $1::int as n", [input.number], hurried(input))).rows[0]?.n),
  },
  {
    name: "write in a hurry",
    writes: 1,
    run: async (db, input) => {
      const { rows } = await db.query("insert into soak (id) values ($1) returning id", [input.ids[0]], hurried(input));
      return other(input.ids[0], rows[0]?.id);
    },
  },
  {
    name: "look that is slow now and then",
    run: async (db, { number, random }) => {
      const seconds = random.once(20) ? 0.03 : 0;
      return other(number, (await db.query("select waits($1, $2) as n", [seconds, number])).rows[0]?.n);
    },
  },
  {
    name: "slow write in a hurry",
    writes: 1,
    run: async (db, input) => {
      const values = [input.ids[0], input.random.once(10) ? 0.02 : 0];
      const { rows } = await db.query("insert into soak (id) select $1 from waits($2, 1) returning id", values, hurried(input));
      return other(input.ids[0], rows[0]?.id);
    },
  },
  {
    name: "slow look",
    run: async (db, { number }) => other(number, (await db.query("select $1::int as n from pg_sleep(0.02)", [number])).rows[0]?.n),
  },
  {
    name: "error",
    run: async (db, { number }) => {
      const error = await db.query("select 1 / ($1::int - $1::int)", [number]).catch((thrown) => thrown);
      return error.code === "22012" || error.fate !== "applied" ? undefined : `no error, or ${error.code}`;
    },
  },
  {
    name: "rows of a table that changes",
    run: async (db, { number }) => {
      const { rows } = await db.query("select *, $1::int as n from soak order by id desc limit 3", [number]);
      return rows.map((row) => other(number, row.n)).find((wrong) => wrong !== undefined);
    },
  },
  {
    name: "write of a row that is there",
    writes: 1,
    run: async (db, { ids: [id] }) => {
      await db.query("insert into soak (id) values ($1) returning id", [id]);
      const error = await db.query("insert into soak (id) values ($1) returning id", [id]).catch((thrown) => thrown);
      return error.code === "23505" || error.fate === "not-sent" || error.fate === "unknown" ? undefined : "it was written twice";
    },
  },
  {
    name: "batch",
    writes: 2,
    run: async (db, { ids: [one, two] }) => {
      const [, last] = await db.batch([
        sql`insert into soak (id) values (${one})`,
        sql`insert into soak (id) values (${two}) returning id`,
      ]);
      return other(two, (last?.rows[0] as { readonly id?: unknown } | undefined)?.id);
    },
  },
  {
    name: "transaction",
    writes: 2,
    run: (db, { ids: [one, two], number }) =>
      db.transaction(async (tx) => {
        await tx.sql`insert into soak (id) values (${one})`;
        const { rows } = await tx.query("select $1::int as n", [number]);
        await tx.sql`insert into soak (id) values (${two})`;
        return other(number, rows[0]?.n);
      }),
  },
  {
    name: "session",
    run: (db, { number }) =>
      db.session(async (session) => {
        const { rows } = await session.query("select $1::int as n", [number]);
        return other(number, rows[0]?.n);
      }),
  },
  {
    name: "read-only look",
    run: async (db, { number }) => other(number, (await db.query("select $1::int as n", [number], { readOnly: true })).rows[0]?.n),
  },
  {
    name: "look that may be repeated",
    run: async (db, { number }) => other(number, (await db.query("select $1::int as n", [number], { idempotent: true })).rows[0]?.n),
  },
];
