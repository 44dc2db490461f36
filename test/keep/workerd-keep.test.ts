import pg from "pg";
import { describe, expect, inject, test } from "vitest";
import { requestScope } from "../../src/adapters/hono.ts";
import { keep } from "../../src/keep/workerd.ts";

/** A request that tells when all it was to wait for is over. */
function openRequest() {
  const waitedFor: Promise<unknown>[] = [];
  return { context: { waitUntil: (promise: Promise<unknown>) => void waitedFor.push(promise) }, over: () => Promise.all(waitedFor) };
}

function keepThings(scope?: "process") {
  const made: { closed: boolean }[] = [];
  const create = () => made[made.push({ closed: false }) - 1] as { closed: boolean };
  const close = (thing: { closed: boolean }) => {
    thing.closed = true;
  };
  return { made, kept: keep("thing", create, { close, ...(scope && { scope }) }) };
}

describe("what is kept in Workers", () => {
  test("is a connection for each request, which the server sees end with it", async () => {
    const { url } = inject("postgres");
    const create = async () => {
      const client = new pg.Client({ connectionString: url });
      client.on("error", () => {});
      await client.connect();
      return client;
    };
    const kept = keep("pg", create, { close: (client) => client.end() });
    const ask = async () => {
      const { rows } = await (await kept()).query<{ pid: number }>("select pg_backend_pid() as pid");
      return rows[0]?.pid;
    };
    const requests = Array.from({ length: 3 }, openRequest);
    const pids = await Promise.all(requests.map(({ context }) => kept.scope(context, async () => [await ask(), await ask(), await ask()])));
    expect(pids.map((own) => new Set(own).size)).toEqual([1, 1, 1]);
    expect(new Set(pids.flat()).size).toBe(3);
    await Promise.all(requests.map(({ over }) => over()));
    const { context, over } = openRequest();
    await kept.scope(context, async () => {
      const left = "select from pg_stat_activity where pid = any($1)";
      await expect.poll(async () => (await (await kept()).query(left, [pids.flat()])).rowCount).toBe(0);
    });
    await over();
  });

  test("belongs to a request, and ends with it", async () => {
    const { kept, made } = keepThings();
    const requests = [openRequest(), openRequest()];
    const serve = () => Promise.all([kept(), kept(), kept.use((thing) => thing)]);
    const given = await Promise.all(requests.map(({ context }) => kept.scope(context, serve)));
    expect(given.map((things) => new Set(things).size)).toEqual([1, 1]);
    expect(new Set(given.flat())).toEqual(new Set(made));
    await Promise.all(requests.map(({ over }) => over()));
    expect(made).toEqual([{ closed: true }, { closed: true }]);
  });

  test.each<[string, () => never | Promise<never>]>([
    ["throws", () => expect.fail("at once")],
    ["rejects", () => Promise.reject(new Error("later"))],
  ])("ends also with a request that %s", async (_, fail) => {
    const { kept, made } = keepThings();
    const { context, over } = openRequest();
    const serve = async () => kept.scope(context, () => [kept(), fail()][1]);
    await expect(serve()).rejects.toThrow();
    await over();
    expect(made).toEqual([{ closed: true }]);
  });

  test("shares the scope of whatever else is kept, and Hono's", async () => {
    const { kept } = keepThings();
    const other = keep("other", () => ({}));
    const { context, over } = openRequest();
    await requestScope(other)({ executionCtx: context }, async () => expect(await kept()).toBe(await kept()));
    await over();
  });

  test("is refused to what outlives its scope, where nobody would close it", async () => {
    const { kept, made } = keepThings();
    const { context, over } = openRequest();
    const late = Promise.withResolvers<void>();
    const outliving = kept.scope(context, () => ({ ask: late.promise.then(() => kept()) }));
    await over();
    late.resolve();
    await expect(outliving.ask).rejects.toMatchObject({ code: "NO_SCOPE" });
    expect(made).toEqual([]);
  });

  test("ends though another is used for ever", async () => {
    const { kept, made } = keepThings();
    const hung = keep("hung", () => ({}));
    const { context } = openRequest();
    await kept.scope(context, async () => {
      void hung.use(() => new Promise(() => {}));
      await kept();
    });
    await expect.poll(() => made).toEqual([{ closed: true }]);
  });

  test("is refused outside of a scope", async () => {
    const { kept, made } = keepThings();
    for (const call of [kept, () => kept.use(() => {}), kept.close]) {
      await expect(call()).rejects.toMatchObject({ name: "UsageError", code: "NO_SCOPE", retryable: false });
    }
    expect(made).toEqual([]);
  });

  test("is the process' where it is said to be", async () => {
    const { kept, made } = keepThings("process");
    const { context, over } = openRequest();
    expect(await kept.scope(context, () => kept())).toBe(await kept());
    await over();
    expect(made).toEqual([{ closed: false }]);
    await kept.close();
    expect(made).toEqual([{ closed: true }]);
  });
});
