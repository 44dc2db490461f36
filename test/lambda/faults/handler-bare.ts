import pg from "pg";
import type { RoundEvent, RoundReply } from "./contender.ts";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });

/** Does one write by itself, over pg's pool as it is. */
export async function handler({ id }: RoundEvent): Promise<RoundReply> {
  const { rows } = await pool.query<RoundReply>("insert into rounds (id) values ($1) returning pg_backend_pid() as pid", [id]);
  return { pid: rows[0]?.pid ?? 0 };
}
