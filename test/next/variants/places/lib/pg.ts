import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 });
pool.on("error", () => {});

export async function count(name: string): Promise<number> {
  const { rows } = await pool.query("select count(*)::int as n from marks where name = $1", [name]);
  return rows[0].n;
}

export async function mark(name: string): Promise<void> {
  await pool.query("insert into marks (name) values ($1)", [name]);
}
