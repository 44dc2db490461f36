import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, createOwnDatabase } from "./databases.ts";
import { backendsLeft, type RunningWorker, startWorker } from "./harness.ts";

const ways = [
  { name: "tcp", start: (url: string) => startWorker("pool.ts", { vars: { DATABASE_URL: url } }) },
  { name: "hyperdrive", start: (url: string) => startWorker("pool.ts", { hyperdrive: { HYPERDRIVE: url } }) },
];

describe.each(ways)("a sharedPool at module scope, over $name", ({ name, start }) => {
  let worker: RunningWorker;
  let databaseUrl: string;
  const get = async (path: string) => {
    const response = await fetch(new URL(path, worker.url), { signal: AbortSignal.timeout(25_000) });
    const body = await response.text();
    return { status: response.status, body: body.startsWith("<") ? body : JSON.parse(body) };
  };
  const answered = (body: unknown) => ({ status: 200, body });

  beforeAll(async () => {
    databaseUrl = await createOwnDatabase(`workers_pool_${name}`);
    await ask(databaseUrl, "create table marks (id int primary key generated always as identity, mark text not null)");
    worker = await start(databaseUrl);
  });
  afterAll(() => worker?.stop());

  test("is a pg.Pool, and has read and opened nothing", async () => {
    expect(await get("/is")).toEqual(answered({ isPool: true, counts: [0, 0, 0] }));
  });

  test("answers whatever pg's query takes", async () => {
    expect(await get("/forms")).toEqual(
      answered({
        called: [{ n: 1 }],
        config: [[2]],
        result: true,
        named: [{ n: 3 }],
        several: [[{ n: 4 }], [{ n: 5 }]],
        bytes: [6],
        streamed: 250,
        counts: [1, 1, 0],
      }),
    );
  });

  test("serves one request after another, each over one connection of its own, which ends with it", async () => {
    for (let n = 0; n < 30; n++) expect(await get("/one")).toEqual(answered(true));
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("tells its listeners of every request's connections", async () => {
    for (let n = 0; n < 3; n++) expect(await get("/events")).toEqual(answered(["connect", "acquire", "release", "acquire", "release"]));
  });

  test("gives pg's errors a fate", async () => {
    expect(await get("/refused")).toEqual({
      status: 500,
      body: { name: "error", code: "22012", fate: "refused", message: "division by zero" },
    });
  });

  test.each(["drizzle", "kysely"])("carries the queries, transactions and rollbacks of %s, 50 requests at once", async (orm) => {
    const right = { drizzle: { found: "drizzle", same: true }, kysely: { found: "kysely", message: "stop", n: "1" } }[orm];
    const answers = await Promise.all(Array.from({ length: 50 }, () => get(`/${orm}`)));
    expect(answers).toEqual(Array.from({ length: 50 }, () => answered(right)));
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("opens a connection of its own for a response that streams", async () => {
    expect(await get("/after")).toEqual(answered([{ word: "later" }]));
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("gives calls without a scope connections for themselves, and warns once", async () => {
    worker.harness.clearLogs();
    const pids = (await get("/unscoped")).body;
    expect(pids[0]).not.toBe(pids[1]);
    const [own, again] = (await get("/unscoped-client")).body;
    expect(own).toBe(again);
    expect(worker.harness.getLogs().filter(({ message }) => message.includes("outside of a scope"))).toHaveLength(1);
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test.each(["/keep", "/keep-held", "/keep-unscoped"])(
    "refuses what is asked on the client of another request (%s), and goes on",
    async (keep) => {
      expect((await get(keep)).status).toBe(200);
      for (const use of ["/use", "/use-cursor", "/use-release"]) {
        const { status, body } = await get(use);
        expect([status, body]).toMatchObject([500, { name: "UsageError", code: "REQUEST_OVER", fate: "not-sent" }]);
      }
      expect(await get("/one")).toEqual(answered(true));
    },
  );

  test.each([
    ["/ended", { name: "Error", code: "CLOSED", fate: "not-sent" }, "Leave end out"],
    ["/own", { name: "ConfigError", code: "NO_TRANSPORT", fate: "not-sent" }, "sharedPool({ tcp: hyperdrive() })"],
    ["/none", { name: "ConfigError", code: "MISSING_SETTING", fate: "not-sent" }, "Bind Hyperdrive"],
  ])("says at %s what helps", async (path, error, remedy) => {
    const { status, body } = await get(path);
    expect([status, body]).toMatchObject([500, error]);
    expect(body.message).toContain(remedy);
  });
});
