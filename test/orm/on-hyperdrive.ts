import { createDatabase } from "warmline";
import { hyperdrive } from "warmline/hyperdrive";
import type { Orm, Place } from "./orm.ts";
import { perform } from "./perform.ts";

interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

/** A worker that runs a program over a Hyperdrive binding, in the scope of its request, and answers with what it came to. */
export function workerOverHyperdrive(orm: Orm) {
  const open = (own: object = {}) => createDatabase({ tcp: hyperdrive(), ...own });
  const anyOfThem = open();
  const answer = orm.atModuleScope?.(anyOfThem);
  return {
    async fetch(request: Request, _: unknown, context: Context): Promise<Response> {
      if (request.method === "GET") return Response.json((await anyOfThem.scope(context, async () => answer?.())) ?? null);
      const place = (await request.json()) as Place;
      return Response.json(await anyOfThem.scope(context, () => perform(orm, place, open)));
    },
  };
}
