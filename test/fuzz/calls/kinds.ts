import type pg from "pg";
import type { Database } from "../../../src/entry/node.ts";
import type { Random } from "../../support/random.ts";

/** What a call is made with. */
export interface CallInput {
  readonly db: Database;
  /** A handle on the connections of `db`, for code that was written for pg. */
  readonly pool: pg.Pool;
  /** Nobody else's. */
  readonly number: number;
  /** What it writes. */
  readonly ids: readonly number[];
  readonly random: Random;
  /** Calls `tell` when a statement has left with this number among its values; gives what ends this. */
  readonly onSent: (number: number, tell: () => void) => () => void;
}

/** One kind of call. */
export interface Call {
  readonly name: string;
  /** How many ids it writes. */
  readonly writes?: number;
  /** Whether it needs the state of a session, which a pooler does not keep. */
  readonly needsSession?: boolean;
  /** Whether it is one statement that is answered fast. */
  readonly quick?: boolean;
  /** Whether its caller may give it up, or a limit of its own may end it. */
  readonly hurries?: boolean;
  /** Whether its errors are those of pg's own client. */
  readonly foreign?: boolean;
  /** Resolves with what was wrong of its answer; undefined for nothing. */
  readonly run: (input: CallInput) => Promise<string | undefined>;
}

/** Thrown out of work that has to be undone by that. */
export class Undone extends Error {}

/** Where what is written stands: `soak` takes an id any number of times, so that one that is written twice is seen. */
export const schema = `
  create table soak (id bigint not null, changing int default 0);
  create index on soak (id);
  create table once (id bigint primary key);
  create table late (id bigint primary key, twin bigint unique deferrable initially deferred);
  create table claimed (id bigint primary key);
  create table counters (name int primary key, n bigint not null);
  insert into counters select name, 0 from generate_series(0, 3) as name;
  insert into late values (-1, -1);
  do $do$
    declare cells text;
    begin
      select string_agg(at || ' as w' || at, ', ') into cells from generate_series(1, 1600) as at;
      execute 'create table wide as select ' || cells;
      select string_agg(at || ' as w' || at, ', ') into cells from generate_series(1601, 1663) as at;
      execute 'create table wider as select ' || cells;
    end $do$;
  create function waits(seconds float8, n int) returns int language sql as 'select pg_sleep(seconds); select n'`;

/** How often each id stands there. */
export const written = `
  select id, count(*)::int as times
  from (select id from soak union all select id from once union all select id from late union all select id from claimed) as ids
  where id > 0 group by id`;

/** A text is in use for so many calls, beside others like it: one that was given up or lost is slow, and shares no more. */
const TEXT_LASTS = 1_000;
const LIKE_IT = 6;

/** The same statement by a text of its own, which changes in time. */
export function text(statement: string, { number, random }: CallInput): string {
  return `${statement} /* ${Math.floor(number / TEXT_LASTS)} ${random.between(1, LIKE_IT)} */`;
}

/** Says what came where something else had to. */
export function other(expected: unknown, got: unknown): string | undefined {
  return String(got) === String(expected) ? undefined : `${String(got)} instead of ${String(expected)}`;
}

/** Runs a call that its caller gives up, in the queue or on its way, or that has little time. */
export async function hurried<T>(
  { random, onSent, number, ids: [id = number] }: CallInput,
  run: (limits: { readonly signal?: AbortSignal; readonly deadlineMs?: number }) => Promise<T>,
): Promise<T> {
  const ms = random.between(1, random.pick([10, 40, 160]));
  if (random.once(3)) return run({ deadlineMs: ms });
  const abort = new AbortController();
  const giveUpIn = (wait: number) => setTimeout(() => abort.abort(), wait);
  const departed = random.once(2) ? () => giveUpIn(random.between(0, 6)) : undefined;
  if (departed === undefined) giveUpIn(ms);
  const forget = departed && onSent(id, departed);
  try {
    return await run({ signal: abort.signal });
  } finally {
    forget?.();
  }
}

/** The error of what has to fail by itself, if its code is another than that, or nobody refused it. */
export function unexpected(error: unknown, code: string): string | undefined {
  const { code: got, fate } = error as { readonly code?: unknown; readonly fate?: unknown };
  if (fate === undefined || fate === "applied") return `no error that says ${code}: ${String(error)}`;
  if (got === code) return fate === "refused" ? undefined : `${code}, and ${String(fate)}`;
  throw error;
}
