import postgres from "postgres";
import { type Bindings, connectionString } from "./bindings.ts";

let sql: postgres.Sql | undefined;

/** The same worker with `postgres` at module scope. */
export default {
  async fetch({ url }: Request, bindings: Bindings): Promise<Response> {
    sql ??= postgres(connectionString(bindings));
    const id = new URL(url).pathname.slice(1);
    await sql`insert into rounds (id) values (${id})`;
    return Response.json(await sql`select id from rounds where id = ${id}`);
  },
};
