import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { failureOf, openDirect, until } from "../databases.ts";
import { openRequest } from "./open-request.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
beforeAll(async () => {
  direct = await openDirect();
});
afterAll(() => direct?.end());

const applicationName = "core request cancelling";
const countSleeping = async () =>
  (await direct.query("select 1 from pg_stat_activity where application_name = $1 and wait_event = 'PgSleep'", [applicationName])).rowCount;

describe("a statement that is given up while the request has no socket left", () => {
  test.each([5, 0])("is cancelled at the server, with %i sockets held beside it and the rest idle", async (held) => {
    await using db = openRequest({ max: 6, applicationName });
    await runRequest(db, async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const begun = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
      const ends = Promise.withResolvers<void>();
      const holders = begun.map((begins, index) =>
        db.session(() => {
          begins.resolve();
          return index < held ? promise : ends.promise;
        }),
      );
      await Promise.all(begun.map((begins) => begins.promise));
      const controller = new AbortController();
      const failure = failureOf(db.query("select pg_sleep(600)", [], { signal: controller.signal }));
      await until(async () => (await countSleeping()) === 1);
      ends.resolve();
      await Promise.all(holders.slice(held));
      expect(db.stats()).toMatchObject({ total: 6, idle: 5 - held });
      controller.abort();
      const { code, fate } = await failure;
      // an idle connection gives its socket up for the answer to come in time; where there is none, the statement's own has to
      expect([code, held === 0 || fate]).toEqual(["ABORTED", held === 0 || "unknown"]);
      expect(db.stats().total).toBe(held === 0 ? 4 : 5);
      await until(async () => (await countSleeping()) === 0);
      resolve();
      await Promise.all(holders);
      expect((await db.query("select 1")).rowCount).toBe(1);
    });
  });
});
