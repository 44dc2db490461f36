import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { serveWorker, type WorkerBindings } from "../support/worker/runtime.ts";
import { activeBackends, ask, createOwnDatabase, holdWorkers } from "./databases.ts";
import { backendsLeft, startWorker } from "./harness.ts";

interface Worker {
  readonly url: URL;
  stop(): Promise<void>;
}

interface Place {
  readonly place: string;
  readonly flags: readonly string[];
  readonly start: (bindings: WorkerBindings) => Promise<Worker>;
  /** Wrangler's harness passes every request on by itself: it opens no WebSockets, and an aborted one does not end. */
  readonly direct: boolean;
}

const serve = async (bindings: WorkerBindings): Promise<Worker> => {
  const worker = await serveWorker("test/workers/http.ts", bindings);
  return { url: worker.url, stop: async () => worker[Symbol.asyncDispose]() };
};

const places: readonly Place[] = [
  { place: "under wrangler's harness", flags: [], start: (bindings) => startWorker("http.ts", bindings), direct: false },
  { place: "in workerd", flags: [], start: serve, direct: true },
  { place: "in workerd without nodejs_compat", flags: ["no_nodejs_compat"], start: serve, direct: true },
];

describe.each(places)("a database over HTTP at module scope, $place", ({ place, flags, start, direct }) => {
  let endpoint: Endpoint;
  let worker: Worker;
  let databaseUrl: string;
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(new URL(path, worker.url), { ...init, signal: init.signal ?? AbortSignal.timeout(25_000) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  beforeAll(async () => {
    databaseUrl = await createOwnDatabase(`workers_http_${places.findIndex((one) => one.place === place)}`);
    await ask(databaseUrl, "create table marks (mark text)");
    endpoint = await startEndpoint({ databaseUrl, port: 0 });
    worker = await start({ vars: { DATABASE_URL: databaseUrl, WARMLINE_ENDPOINT: endpoint.url }, flags });
  });
  afterAll(async () => {
    await worker?.stop();
    await endpoint?.stop();
  });
  // what a test leaves at work in the server would be there for the next
  beforeEach(async () => {
    while ((await activeBackends(databaseUrl)) > 0);
  });

  test("is found by itself", async () => {
    expect((await get("/plan")).body).toMatchObject({ runtime: "workerd", transport: "http", session: "websocket" });
  });

  test("sends one subrequest for a query, and one for a batch", async () => {
    for (const path of ["/query", "/batch"]) {
      const before = endpoint.requests;
      expect((await get(path)).status).toBe(200);
      expect(endpoint.requests - before).toBe(1);
    }
  });

  test("serves 50 requests at once, four times over, each with one subrequest", async () => {
    const before = endpoint.requests;
    for (let round = 0; round < 4; round++) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => get("/query")));
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    }
    expect(endpoint.requests - before).toBe(200);
  });

  test("answers a statement that fails with its SQLSTATE, and the name of its error is whole after minifying", async () => {
    expect(await get("/fails")).toMatchObject({ status: 500, body: { name: "DatabaseError", code: "22012", fate: "refused", own: true } });
  });

  test("gives a statement up at its deadline, and serves on", async () => {
    const given = await get(`/timeout?seconds=${direct ? 600 : 1}`);
    expect(given).toMatchObject({ status: 500, body: { name: "CancelledError", code: "DEADLINE_EXCEEDED", fate: "unknown" } });
    // the server ends it too
    while ((await activeBackends(databaseUrl)) > 0);
    expect((await get("/query")).status).toBe(200);
  });

  test("serves on after a client that went away in the middle of a query", async () => {
    await using hold = await holdWorkers(databaseUrl);
    const leave = new AbortController();
    const gone = get("/sleep", { signal: leave.signal }).catch((error: Error) => error.name);
    while ((await activeBackends(databaseUrl)) === 0);
    leave.abort();
    expect(await gone).toBe("AbortError");
    await hold.release();
    while ((await activeBackends(databaseUrl)) > 0);
    expect((await get("/query")).status).toBe(200);
  });

  test("is closed and released by a request while another one's query runs, without waiting for it", async () => {
    await using hold = await holdWorkers(databaseUrl);
    const held = get("/held");
    while ((await activeBackends(databaseUrl)) === 0);
    for (const path of ["/release", "/close", "/close"]) expect((await get(path)).status).toBe(200);
    expect(await activeBackends(databaseUrl)).toBe(1);
    await hold.release();
    expect((await held).status).toBe(200);
    expect(await get("/held")).toMatchObject({ status: 500, body: { code: "CLOSED" } });
  });

  if (!direct) return;

  test("runs transactions over a WebSocket, and leaves none of them open", async () => {
    for (let n = 0; n < 10; n++) expect((await get("/transaction")).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 20 }, () => get("/transaction")));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await get("/throws")).toMatchObject({ status: 500, body: { message: "the handler threw" } });
    expect((await get("/forgets")).status).toBe(200);
    expect((await get("/query")).status).toBe(200);
    expect(await ask(databaseUrl, "select mark, count(*)::int as n from marks group by mark")).toEqual([{ mark: "kept", n: 30 }]);
    // what the endpoint keeps for POSTs ends with it: then nothing is left
    await endpoint.stop();
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });
});
