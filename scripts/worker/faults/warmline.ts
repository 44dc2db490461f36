import { createDatabase, sql } from "warmline";
import { hyperdrive } from "warmline/hyperdrive";

interface RequestContext {
  waitUntil(promise: Promise<unknown>): void;
}

const db = createDatabase({ tcp: hyperdrive() });

/** A worker that writes the id in its path, and reads it back in a batch. The database is at module scope. */
export default {
  async fetch({ url }: Request, _: unknown, context: RequestContext): Promise<Response> {
    const id = new URL(url).pathname.slice(1);
    return db.scope(context, async () => {
      await db.query(sql`insert into rounds (id) values (${id})`);
      const [read] = await db.batch([sql<{ id: string }>`select id from rounds where id = ${id}`, sql`select count(*) from rounds`]);
      return Response.json(read.rows);
    });
  },
};
