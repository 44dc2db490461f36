import { Pool } from "pg";

/** What the handler tells of its one pooled connection. */
export interface PoolReply {
  readonly pid?: number;
  readonly connects: number;
  readonly code?: string | undefined;
  readonly message?: string;
}

// The way a function is commonly written, with the one thing without which it dies: a listener.
const pool = new Pool({
  connectionString: process.env.DATABASE_URL,
  max: 1,
  idleTimeoutMillis: Number(process.env.IDLE_TIMEOUT_MS ?? 10_000),
});
let connects = 0;
pool.on("connect", () => {
  connects += 1;
});
if (process.env.LISTENER !== "none") pool.on("error", () => {});

export async function handler(): Promise<PoolReply> {
  try {
    const { rows } = await pool.query<{ pid: number }>("select pg_backend_pid() as pid");
    return { pid: rows[0]?.pid ?? 0, connects };
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return { connects, code, message };
  }
}
