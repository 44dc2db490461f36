import { createDatabase } from "warmline";
import type { Orm, Place } from "./orm.ts";
import { perform } from "./perform.ts";

/** A worker that runs a program over SQL over HTTP, and answers with what it came to. */
export function workerOverHttp(orm: Orm) {
  const answer = orm.atModuleScope?.(createDatabase());
  return {
    async fetch(request: Request): Promise<Response> {
      if (request.method === "GET") return Response.json((await answer?.()) ?? null);
      const place = (await request.json()) as Place;
      const { url, endpoint } = place;
      return Response.json(await perform(orm, place, (own) => createDatabase({ url, endpoint, ...own })));
    },
  };
}
