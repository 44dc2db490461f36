import { DurableObject } from "cloudflare:workers";
import { createDatabase } from "warmline";
import { hyperdrive } from "warmline/hyperdrive";

const db = createDatabase({ tcp: hyperdrive() });
const overHttp = createDatabase({ url: "postgres://u:p@db.invalid/d", endpoint: "http://127.0.0.1:9" });

const pid = async () => (await db.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid;
const twoPids = async () => [await pid(), await pid()];

interface Ctx {
  waitUntil(promise: Promise<unknown>): void;
}

/** What was asked behind a response, for the next request to tell. */
let behind: unknown = null;

const handlers: Readonly<Record<string, (ctx: Ctx, count: number) => Promise<Response>>> = {
  // begun while the request is answered, and going on when it is
  async "/wait-until"(ctx) {
    const answered = Promise.withResolvers<void>();
    const first = await pid();
    const later = async () => {
      await answered.promise;
      behind = [first, ...(await twoPids())];
    };
    ctx.waitUntil(db.scope(ctx, later));
    setTimeout(answered.resolve, 100);
    return Response.json("answered");
  },
  // begun behind the response
  async "/stream"(ctx) {
    await pid();
    let rows = 0;
    const body = new ReadableStream({
      async pull(controller) {
        const pids = await db.scope(ctx, twoPids);
        controller.enqueue(new TextEncoder().encode(`${JSON.stringify(pids)}\n`));
        if (++rows === 2) controller.close();
      },
    });
    return new Response(body);
  },
  async "/rows"(_, count) {
    return new Response(db.stream("select n from generate_series(1, $1::int) n", [count]).toReadable() as ReadableStream);
  },
  "/two": async () => Response.json(await twoPids()),
  "/behind": async () => Response.json(behind),
  "/connects": async () => Response.json(db.stats().connects),
};

interface Stub {
  fetch(request: Request): Promise<Response>;
}

interface Env {
  readonly ROOM: { getByName(name: string): Stub };
}

/** Keeps its connection from one event to the next. */
export class Room extends DurableObject {
  readonly #told: unknown[] = [];

  fetch(request: Request): Promise<Response> {
    return db.scope(this.ctx, async () => {
      const { pathname } = new URL(request.url);
      if (pathname === "/told") return Response.json(this.#told);
      if (pathname === "/alarm") await this.ctx.storage.setAlarm(Date.now());
      if (pathname === "/throws") await db.query("select 1 / 0").catch(() => {});
      if (pathname === "/killed") await db.query("select pg_terminate_backend(pg_backend_pid())").catch(() => {});
      if (pathname === "/abort") this.ctx.abort();
      if (pathname === "/many") return Response.json(await Promise.all(Array.from({ length: 4 }, pid)));
      return Response.json(await pid());
    });
  }

  alarm(): Promise<void> {
    return db.scope(this.ctx, async () => void this.#told.push(await pid()));
  }
}

export default {
  fetch(request: Request, env: Env, ctx: Ctx): Promise<Response> {
    const { pathname, searchParams, hostname } = new URL(request.url);
    const room = searchParams.get("room");
    if (room !== null) return env.ROOM.getByName(room).fetch(new Request(`http://${hostname}${pathname}`));
    const handle = handlers[pathname] as (typeof handlers)[string];
    // a database over HTTP is as good as any to say what a request is
    return overHttp.scope(ctx, () => handle(ctx, Number(searchParams.get("count"))));
  },
};
