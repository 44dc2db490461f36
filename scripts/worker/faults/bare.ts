import pg from "pg";
import { type Bindings, connectionString } from "./bindings.ts";

let pool: pg.Pool | undefined;

/** The same worker with pg's own pool at module scope, as one writes it for Node. */
export default {
  async fetch({ url }: Request, bindings: Bindings): Promise<Response> {
    pool ??= new pg.Pool({ connectionString: connectionString(bindings), max: 1 });
    const id = new URL(url).pathname.slice(1);
    await pool.query("insert into rounds (id) values ($1)", [id]);
    const { rows } = await pool.query("select id from rounds where id = $1", [id]);
    return Response.json(rows);
  },
};
