import { createDatabase } from "../../../src/entry/node.ts";
import { sharedPool } from "../../../src/entry/pool.ts";
import type { Random } from "../../support/random.ts";
import type { Rooms } from "./rooms.ts";
import { type Answer, QUESTION, type Wish } from "./wish.ts";

/** A handle that was wished for. */
export interface Handle {
  readonly wish: Wish;
  /** Makes a call, chosen by chance, and gives what the server answered to each of its statements. */
  ask(random: Random): Promise<readonly Answer[]>;
  close(): Promise<void>;
}

/** The ways to send a statement or two. */
type Way = () => Promise<readonly Answer[]>;

/** Makes one; nothing is connected before its first call. */
export function openHandle(wish: Wish, rooms: Rooms): Handle {
  const late = wish.over === "pool";
  const stay = rooms.enter(wish.room, { max: wish.max, late });
  const { ways, close } = late ? overPool(wish) : overDatabase(wish);
  return {
    wish,
    ask: (random) => stay.call(random.pick(ways)),
    close: () => stay.end(close),
  };
}

interface Opened {
  readonly ways: readonly Way[];
  readonly close: () => Promise<void>;
}

function overDatabase({ options }: Wish): Opened {
  const db = createDatabase({ ...options, transport: "pool" });
  const rows = (result: { readonly rows: readonly unknown[] }) => result.rows as readonly Answer[];
  const twice = async (held: { query(text: string): Promise<{ readonly rows: readonly unknown[] }> }) => [
    ...rows(await held.query(QUESTION)),
    ...rows(await held.query(QUESTION)),
  ];
  return {
    ways: [
      async () => rows(await db.query(QUESTION)),
      async () => rows(await db.query(QUESTION, [], { readOnly: true })),
      async () => rows(await db.query(QUESTION, [], { idempotent: true })),
      () => db.transaction(twice),
      () => db.session(twice),
    ],
    close: () => db.close(),
  };
}

function overPool({ options }: Wish): Opened {
  const pool = sharedPool(options);
  const query: Way = async () => (await pool.query<Answer>(QUESTION)).rows;
  const checkout: Way = async () => {
    const client = await pool.connect();
    try {
      return [...(await client.query<Answer>(QUESTION)).rows, ...(await client.query<Answer>(QUESTION)).rows];
    } finally {
      client.release();
    }
  };
  return { ways: [query, checkout], close: () => pool.end() };
}
