import pg from "pg";

interface Env {
  readonly DATABASE_URL: string;
}

let pool: pg.Pool | undefined;

/** What one writes for Node: a pool for the whole process. Its socket belongs to the first request. */
export default {
  async fetch(_: Request, env: Env): Promise<Response> {
    pool ??= new pg.Pool({ connectionString: env.DATABASE_URL, max: 1 });
    const { rows } = await pool.query("select 1 as n");
    return Response.json(rows);
  },
};
