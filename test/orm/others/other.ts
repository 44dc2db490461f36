import type pg from "pg";

/** Code written for pg that is given a pool, and does real work with it. */
export type Other = (bench: PoolBench) => Promise<void>;

/** What it works with. */
export interface PoolBench {
  /** At most three connections to an empty database. */
  readonly pool: pg.Pool;
  /** Makes pools of that kind, for what makes its own, and is told where. */
  readonly Pool: new (
    options: pg.PoolConfig,
  ) => pg.Pool;
  readonly url: string;
  /** Notes a value, which has to be the same over pg's own pool, and what is expected of it. */
  readonly check: (title: string, actual: unknown, expected: unknown) => void;
  /** A package that is installed by the script alone. */
  readonly tool: <T>(name: string) => Promise<T>;
}

/** The pools that a program is run over; the first is what the others are held against. */
export const poolNames = ["pg.Pool", "WarmPool", "sharedPool"] as const;

/** Where a program is to find its server, and over which pool. */
export interface OtherPlace {
  readonly url: string;
  readonly pool: (typeof poolNames)[number];
}
