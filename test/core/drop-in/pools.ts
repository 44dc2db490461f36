import pg from "pg";
import { sharedPool, WarmPool, type WarmPoolOptions } from "../../../src/entry/pool.ts";
import { urlAt } from "../databases.ts";

type Make = (options?: pg.PoolConfig) => pg.Pool;

/** The pools that have to behave alike, by name: what holds for pg's own proves that a test is right. */
export const pools: readonly (readonly [name: string, make: Make])[] = [
  ["pg.Pool", (options) => new pg.Pool(withAddress(options))],
  ["WarmPool", (options) => new WarmPool(withAddress(options) as WarmPoolOptions)],
];

/** The same, and a handle on a shared pool, which is nobody's but the test's. */
export const handles: readonly (readonly [name: string, make: Make])[] = [
  ...pools,
  ["sharedPool", (options) => sharedPool({ ...withAddress(options), name: crypto.randomUUID() } as WarmPoolOptions)],
];

function withAddress(options: pg.PoolConfig = {}): pg.PoolConfig {
  return options.connectionString || options.host || options.port ? options : { connectionString: urlAt(), ...options };
}

/** The pieces of an address, for options that say them one by one. */
export function pieces(): { host: string; port: number; user: string; password: string; database: string } {
  const { hostname, port, username, password, pathname } = new URL(urlAt());
  return { host: hostname, port: Number(port), user: username, password, database: pathname.slice(1) };
}

/** What somebody is told, as one thing. */
export function told<T>(
  call: (callback: (error: unknown, value: T) => void) => unknown,
): Promise<{ error: unknown; value: T; returned: unknown }> {
  return new Promise((resolve) => {
    const returned: unknown = call((error, value) => queueMicrotask(() => resolve({ error, value, returned })));
  });
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<NodeJS.ErrnoException & { fate?: string; retryable?: boolean }> {
  try {
    await promise;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error("It did not fail.");
}
