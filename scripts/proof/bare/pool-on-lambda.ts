import pg from "pg";

// As pg's documentation has it: made once per environment, and what befalls an idle connection is listened to.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
pool.on("error", () => {});

/** The work of `GET /proof` over a `pg.Pool` at module scope. */
export async function handler(): Promise<{ readonly statusCode: number; readonly body: string }> {
  const backend = await pool.query<{ pid: number }>("select pg_backend_pid() as pid");
  const work = await pool.query<{ products: number }>("select count(*)::integer as products from products");
  return {
    statusCode: 200,
    body: JSON.stringify({ transport: "bare pg.Pool", backendPid: backend.rows[0]?.pid, products: work.rows[0]?.products }),
  };
}
