import { sharedPool } from "warmline/pool";

const pool = sharedPool({ applicationName: "places", max: 2 });

export async function count(name: string): Promise<number> {
  const { rows } = await pool.query("select count(*)::int as n from marks where name = $1", [name]);
  return rows[0].n;
}

export async function mark(name: string): Promise<void> {
  await pool.query("insert into marks (name) values ($1)", [name]);
}
