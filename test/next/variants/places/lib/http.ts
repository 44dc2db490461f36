import { createDatabase } from "warmline";

const db = createDatabase({ transport: "http" });

/** How many marks of a name there are. */
export async function count(name: string): Promise<number> {
  const [row] = await db.sql<{ n: number }>`select count(*)::int as n from marks where name = ${name}`;
  return row?.n ?? 0;
}

/** Makes a mark. */
export async function mark(name: string): Promise<void> {
  await db.sql`insert into marks (name) values (${name})`;
}
