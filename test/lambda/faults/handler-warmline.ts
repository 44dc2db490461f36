import { createDatabase, sql } from "../../../src/entry/node.ts";
import type { RoundEvent, RoundReply } from "./contender.ts";

const db = createDatabase();

/** Does one write by itself, as a function would that records an order. */
export async function handler({ id }: RoundEvent): Promise<RoundReply> {
  const { rows } = await db.query(sql<RoundReply>`insert into rounds (id) values (${id}) returning pg_backend_pid() as pid`);
  return { pid: rows[0]?.pid ?? 0 };
}
