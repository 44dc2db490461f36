// The same database file with a pool at module level, as it is written without this package: what the app is compared with.
import pg from "pg";

interface Statement {
  readonly text: string;
}

export const settings = {};

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 5 });
pool.on("error", () => {});

// biome-ignore lint/suspicious/noExplicitAny: what pg gives
const run = async (client: Pick<pg.Pool, "query">, text: string, values?: unknown[]): Promise<any[]> =>
  (await client.query(text, values)).rows;

const tagged =
  (client: Pick<pg.Pool, "query">) =>
  (strings: TemplateStringsArray, ...values: unknown[]) =>
    run(client, String.raw({ raw: strings }, ...values.map((_, index) => `$${index + 1}`)), values);

export const db = {
  sql: tagged(pool),
  batch: (statements: readonly Statement[]) => Promise.all(statements.map(async ({ text }) => ({ rows: await run(pool, text) }))),
  async transaction<T>(work: (tx: { readonly sql: ReturnType<typeof tagged> }) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    try {
      await client.query("begin");
      const result = await work({ sql: tagged(client) });
      await client.query("commit");
      return result;
    } catch (error) {
      await client.query("rollback");
      throw error;
    } finally {
      client.release();
    }
  },
  stats: () => ({ connects: pool.totalCount, total: pool.totalCount, reuses: 0 }),
  plan: { max: 5, runtime: "node", transport: "pool", reasons: { transport: "pool: at module level", max: "5: the option" } },
};
