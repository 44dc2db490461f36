import { createPool, type Pool } from "mysql2/promise";
import { keep } from "warmline/keep";

/** A pool of mysql2, for a function that serves one request at a time. */
export const mysql = keep(
  "mysql",
  () =>
    createPool({
      uri: process.env.MYSQL_URL ?? "",
      // an environment of Lambda serves one request at a time; each connection more is one of the server's slots
      connectionLimit: 1,
      // without a bound, calls that wait for a server that is gone pile up until the memory is full
      queueLimit: 100,
      connectTimeout: 3_000,
      // maxIdle stays as it is: below connectionLimit it starts a timer, which is due when a frozen environment wakes, and reconnects
    }),
  {
    // mysql2 hands out a connection without a look at it
    isFresh: (pool, { idleMs }) => idleMs < 1_000 || answers(pool),
    close: (pool) => pool.end(),
  },
);

/** Whether the server answers on the connection that comes next; one that does not is destroyed, for its goodbye would wait for ever. */
async function answers(pool: Pool): Promise<boolean> {
  const connection = await pool.getConnection();
  try {
    await connection.query({ sql: "select 1", timeout: 200 });
    connection.release();
    return true;
  } catch {
    connection.destroy();
    return false;
  }
}
