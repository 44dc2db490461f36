import { type Database, isWarmlineError, sql } from "../../../src/entry/node.ts";
import type { Random } from "../../support/random.ts";
import type { Books } from "./backend.ts";

/** What became of a call. */
export interface Outcome {
  readonly kind: string;
  /** Its code, where it failed. */
  readonly code: string | undefined;
  /** What is wrong with it. */
  readonly problem: string | undefined;
}

/** A call, and the pieces of work it writes. */
interface Call {
  readonly kind: string;
  readonly numbers: readonly number[];
  /** Whether what it writes must stand in a transaction block. */
  readonly inBlock?: boolean;
  /** @throws {Foreign} when it was given what is not its own */
  run(db: Database, limits: { readonly deadlineMs: number }): Promise<unknown>;
}

/** Rows that are not the caller's own. */
class Foreign extends Error {}

function own(rows: readonly unknown[], number: number): void {
  const got = (rows as readonly { readonly n?: unknown }[]).map(({ n }) => n);
  if (rows.length !== 1 || got[0] !== number) throw new Foreign(`asked ${number}, got ${JSON.stringify(rows)}`);
}

const select = (number: number) => sql`select ${number}::int as n`;
const insert = (number: number) => sql`insert into t values (${number})`;
const ignore = () => {};

type MakeCall = (next: () => number) => Call;

const makeInTransaction: readonly MakeCall[] = [
  (next) => {
    const [read, write] = [next(), next()];
    return {
      kind: "transaction",
      numbers: [write],
      inBlock: true,
      run: (db, limits) =>
        db.transaction(async (tx) => {
          await tx.query(insert(write));
          own((await tx.query(select(read))).rows, read);
        }, limits),
    };
  },
  (next) => {
    const numbers = [next(), next(), next()];
    return {
      kind: "transaction that swallows errors",
      numbers,
      inBlock: true,
      run: (db, limits) =>
        db.transaction(async (tx) => {
          for (const number of numbers) await tx.query(insert(number)).catch(ignore);
        }, limits),
    };
  },
  (next) => {
    const [outer, inner, read] = [next(), next(), next()];
    return {
      kind: "savepoint",
      numbers: [outer, inner],
      inBlock: true,
      run: (db, limits) =>
        db.transaction(async (tx) => {
          await tx.query(insert(outer));
          await tx.transaction(async (deeper) => {
            await deeper.query(insert(inner));
            own((await deeper.query(select(read))).rows, read);
          });
        }, limits),
    };
  },
  (next) => {
    const [first, second, third] = [next(), next(), next()];
    return {
      kind: "session",
      numbers: [second],
      run: (db, limits) =>
        db.session(async (session) => {
          own((await session.query(select(first))).rows, first);
          await session.query(insert(second));
          own((await session.query(select(third))).rows, third);
        }, limits),
    };
  },
];

const makeOnPool: readonly MakeCall[] = [
  (next) => {
    const number = next();
    return {
      kind: "query",
      numbers: [],
      run: async (db, limits) => own((await db.query(select(number), limits)).rows, number),
    };
  },
  (next) => {
    const number = next();
    return { kind: "insert", numbers: [number], run: (db, limits) => db.query(insert(number), limits) };
  },
  (next) => {
    const number = next();
    return {
      kind: "idempotent",
      numbers: [],
      run: async (db, limits) => own((await db.query(select(number), { ...limits, idempotent: true })).rows, number),
    };
  },
  (next) => {
    const number = next();
    return {
      kind: "readOnly",
      numbers: [],
      run: async (db, limits) => own((await db.query(select(number), { ...limits, readOnly: true })).rows, number),
    };
  },
  (next) => {
    const [first, second, write] = [next(), next(), next()];
    return {
      kind: "batch",
      numbers: [write],
      inBlock: true,
      async run(db, limits) {
        const results = await db.batch([select(first), insert(write), select(second)], limits);
        own(results[0]?.rows ?? [], first);
        own(results[2]?.rows ?? [], second);
      },
    };
  },
  (next) => {
    const number = next();
    return { kind: "script", numbers: [], run: (db, limits) => db.script(`select ${number}; select ${number}`, limits) };
  },
];

/** A call at random, of those the way has. */
export function makeCall(random: Random, way: "any" | "transactions", next: () => number): Call {
  return random.pick(way === "any" ? [...makeOnPool, ...makeInTransaction] : makeInTransaction)(next);
}

/** How often a text has to come before it travels by a name, and shares where it is fast. */
const RUNS_BEFORE = 3;

/**
 * Calls that share one connection, of texts that are new to it. By their names, so that a whole answer of another form is none of theirs: who is
 * given a sound answer to another exchange in flight cannot tell.
 */
export async function makeCrowd(
  db: Database,
  { size, round }: { readonly size: number; readonly round: number },
  next: () => number,
): Promise<Call[]> {
  const read = `select $1::int as n /* ${round} */`;
  const write = `insert into t values ($1) /* ${round} */`;
  for (let run = 0; run < RUNS_BEFORE; run++) for (const text of [read, write]) await db.query(text, [next()]);
  return Array.from({ length: size }, (_, at) => {
    const number = next();
    if (at % 2 === 0) {
      return {
        kind: "read among others",
        numbers: [],
        run: async (_, limits) => own((await db.query(read, [number], limits)).rows, number),
      };
    }
    return { kind: "write among others", numbers: [number], run: (_, limits) => db.query(write, [number], limits) };
  });
}

/** The call that has to succeed, whatever came before. */
export const healthyCall = (way: "any" | "transactions", next: () => number): Call => {
  const make = way === "any" ? makeOnPool[0] : makeInTransaction[0];
  return (make as MakeCall)(next);
};

/** What is wrong with how a call ended, held against what the server knows. */
export async function judgeCall(call: Call, ended: Promise<unknown>, books: Books): Promise<Outcome> {
  const { kind, numbers, inBlock = false } = call;
  const aloneIn = () => (inBlock ? numbers.find((number) => books.alone.has(number)) : undefined);
  try {
    await ended;
    const lost = numbers.find((number) => !books.done.has(number));
    const alone = aloneIn();
    const problem =
      lost !== undefined ? `told as done, and is not: ${lost}` : alone !== undefined ? "done outside of its transaction" : undefined;
    return { kind, code: undefined, problem };
  } catch (error) {
    if (error instanceof Foreign) return { kind, code: "FOREIGN", problem: `foreign rows: ${error.message}` };
    if (!isWarmlineError(error))
      return { kind, code: "STRANGE", problem: `not an error of ours: ${String((error as Error)?.stack ?? error)}` };
    const { code, fate } = error;
    const undone = fate === "refused" || fate === "not-sent";
    const problem = !code
      ? "an error without a code"
      : !fate
        ? "an error without a fate"
        : undone && numbers.some((number) => books.done.has(number))
          ? `told as ${fate}, and was done`
          : undone && aloneIn() !== undefined
            ? "done outside of its transaction"
            : undefined;
    return { kind, code: `${code} ${fate}`, problem };
  }
}
