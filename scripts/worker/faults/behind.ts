import { createDatabase } from "warmline";
import { hyperdrive } from "warmline/hyperdrive";

const db = createDatabase({ tcp: hyperdrive() });

/**
 * A worker that goes on behind its response: the row it wrote is streamed, and read once more in a `waitUntil` with a scope of its own, which ends when the
 * stream has. What it finds wrong there shows as a row too many.
 */
export default {
  fetch({ url }: Request, _: unknown, ctx: { waitUntil(promise: Promise<unknown>): void }): Promise<Response> {
    const id = new URL(url).pathname.slice(1);
    return db.scope(ctx, async () => {
      await db.query("insert into rounds (id) values ($1)", [id]);
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const rows = db.stream("select id from rounds where id = $1", [id]).toReadable();
      ctx.waitUntil(rows.pipeTo(writable).then(() => db.scope(ctx, () => readAgain(id))));
      return new Response(readable);
    });
  },
};

async function readAgain(id: string): Promise<void> {
  const { rows } = await db.query("select count(*)::int as n from rounds where id = $1", [id]);
  if (rows[0]?.n !== 1) await db.query("insert into rounds (id) values ($1)", [id]);
}
