import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startPosing } from "../support/posing-server.ts";
import { startPostgres } from "../support/postgres/server.ts";
import { takeRefusingPort } from "../support/refusing-port.ts";
import { activeBackends, ask, createOwnDatabase, holdWorkers } from "./databases.ts";
import { backendsLeft, type RunningWorker, startWorker } from "./harness.ts";

const { url: serverUrl } = inject("postgres");

const ways = [
  { name: "tcp", target: "postgres", pipelines: true, start: (url: string) => startWorker("requests.ts", { vars: { DATABASE_URL: url } }) },
  {
    name: "hyperdrive",
    target: "hyperdrive",
    pipelines: false,
    start: (url: string) => startWorker("requests.ts", { hyperdrive: { HYPERDRIVE: url } }),
  },
];

describe.each(ways)("a database at module scope, over $name", ({ name, target, pipelines, start }) => {
  let worker: RunningWorker;
  let databaseUrl: string;
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(new URL(path, worker.url), { ...init, signal: init.signal ?? AbortSignal.timeout(25_000) });
    return { status: response.status, body: (await response.text()) as string };
  };

  beforeAll(async () => {
    databaseUrl = await createOwnDatabase(`workers_${name}`);
    await ask(databaseUrl, "create table marks (mark text)");
    worker = await start(databaseUrl);
  });
  afterAll(() => worker?.stop());

  test("is found by itself", async () => {
    const plan = JSON.parse((await get("/plan")).body);
    expect(plan).toMatchObject({ runtime: "workerd", target, transport: "request", session: "request" });
  });

  test("serves one request after another, each over one connection of its own", async () => {
    for (let n = 0; n < 30; n++) {
      expect(await get("/one")).toEqual({ status: 200, body: '{"transport":"request","same":true,"reused":true}' });
    }
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("puts many calls of one request on their way together, where that was tried, and learns what is fast for the next", async () => {
    const many = async () => JSON.parse((await get("/many")).body);
    expect(await many()).toMatchObject({ right: true });
    const shared = { right: true, pids: 1, connects: 1, pipelined: pipelines ? 19 : 0 };
    // on a busy machine a text turns slow for a while
    await expect.poll(() => many()).toEqual(shared);
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("is shown by a dashboard at module scope, to one request what another does, and without a token to none", async () => {
    const headers = { Authorization: "Bearer a-token-of-20-letters" };
    expect((await get("/hidden")).status).toBe(404);
    expect((await get("/shown", { headers })).body).toMatch(/^<!doctype html>/);
    const leaving = new AbortController();
    const answer = await fetch(new URL("/shown/events", worker.url), { headers, signal: leaving.signal });
    const reader = (answer.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    let told = "";
    const until = async (pattern: RegExp) => {
      while (!pattern.test(told)) told += (await reader.read()).value ?? expect.fail(`It ended: ${told}`);
    };
    await until(/"transport":"request"/);
    expect((await get("/one")).status).toBe(200);
    await until(/\["q","[^"]+",\d+,[\d.]+,"warm"\]/);
    leaving.abort();
  });

  test("serves 50 requests at once, four times over", async () => {
    for (let round = 0; round < 4; round++) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => get("/one")));
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    }
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("rolls back what a throwing handler left open, and serves on", async () => {
    expect(await get("/throws")).toEqual({ status: 500, body: '{"code":"the handler threw"}' });
    expect((await get("/forgets")).status).toBe(200);
    expect(await backendsLeft(databaseUrl)).toBe(0);
    expect((await get("/transaction")).status).toBe(200);
    expect(await ask(databaseUrl, "select mark from marks")).toEqual([{ mark: "kept" }]);
  });

  test("ends a statement at its deadline, and serves on", async () => {
    expect(await get("/timeout")).toEqual({ status: 500, body: '{"code":"DEADLINE_EXCEEDED"}' });
    expect((await get("/one")).status).toBe(200);
    // without a CancelRequest nobody but the server ends what was given up
    if (name === "hyperdrive") {
      await ask(
        databaseUrl,
        "select pg_cancel_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()",
      );
    }
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("finishes what a client that went away had begun, and ends its connection", async () => {
    await using hold = await holdWorkers(databaseUrl);
    const leave = new AbortController();
    const gone = get("/sleep", { signal: leave.signal }).catch((error: Error) => error.name);
    while ((await activeBackends(databaseUrl, "pg_advisory_xact_lock")) === 0);
    leave.abort();
    expect(await gone).toBe("AbortError");
    await hold.release();
    while ((await activeBackends(databaseUrl, "pg_advisory_xact_lock")) > 0);
    expect(await backendsLeft(databaseUrl)).toBe(0);
    expect((await get("/one")).status).toBe(200);
  });

  test("opens six sockets, and fails the seventh call with a code", async () => {
    const { codes } = JSON.parse((await get("/seven")).body);
    expect(codes).toEqual([...Array<string>(6).fill("done"), "ACQUIRE_TIMEOUT"]);
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("is closed and released by a request while another one's query runs, without waiting for it", async () => {
    await using hold = await holdWorkers(databaseUrl);
    const held = get("/held");
    while ((await activeBackends(databaseUrl, "pg_advisory_xact_lock")) === 0);
    for (const path of ["/release", "/close", "/close"]) expect((await get(path)).status).toBe(200);
    expect(await activeBackends(databaseUrl, "pg_advisory_xact_lock")).toBe(1);
    await hold.release();
    expect((await held).status).toBe(200);
    expect(await get("/held")).toEqual({ status: 500, body: '{"code":"CLOSED"}' });
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("closed by the request that uses it, ends its connection when what runs there is answered, and no other database's", async () => {
    expect(await get("/closes")).toEqual({ status: 200, body: '{"held":1,"answer":"answered","total":0,"other":1}' });
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("tells a listener that one request subscribed of every request's connections", async () => {
    const transport = "request";
    const ids = new Set<string>();
    for (let n = 1; n <= 3; n++) {
      const { own: connectionId, told, stats } = JSON.parse((await get("/told")).body);
      expect(told).toEqual([
        { type: "connect", transport, connectionId, durationMs: expect.any(Number) },
        { type: "reuse", transport, connectionId },
      ]);
      expect(stats).toMatchObject({ connects: n, reuses: n, discarded: 0 });
      ids.add(connectionId);
    }
    expect(ids.size).toBe(3);
  });

  test("gives a call without a scope a connection for itself, and warns once", async () => {
    worker.harness.clearLogs();
    for (let n = 0; n < 5; n++) expect((await get("/unscoped")).status).toBe(200);
    expect(worker.harness.getLogs().filter(({ message }) => message.includes("outside of a scope"))).toHaveLength(1);
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });
});

test("what is written for Node hangs from the second request on, and these tests would tell", async () => {
  const worker = await startWorker("naive.ts", { vars: { DATABASE_URL: serverUrl } });
  const get = (withinMs: number) => fetch(worker.url, { signal: AbortSignal.timeout(withinMs) }).then(({ status }) => status);
  try {
    expect(await get(25_000)).toBe(200);
    expect(await get(3_000).catch((error: Error) => error.name)).not.toBe(200);
  } finally {
    await worker.stop();
  }
});

test("several hosts are tried in order, past one where nobody listens and one that is read-only", async () => {
  await using nowhere = await takeRefusingPort();
  const { url, port } = inject("postgres");
  await using standby = await startPosing(port, { in_hot_standby: "on" });
  const places = [nowhere.port, standby.port, port].map((one) => `127.0.0.1:${one}`).join();
  const several = `${url.replace(`@${new URL(url).host}`, `@${places}`)}?target_session_attrs=read-write`;
  const worker = await startWorker("requests.ts", { vars: { DATABASE_URL: several } });
  try {
    const response = await fetch(new URL("/one", worker.url));
    expect(await response.json()).toEqual({ transport: "request", same: true, reused: true });
    expect(standby.logins()).toBe(1);
  } finally {
    await worker.stop();
  }
});

test("a certificate that the platform does not trust is refused before anything is sent", async () => {
  const postgres = await startPostgres({ tls: true });
  const worker = await startWorker("requests.ts", { vars: { DATABASE_URL: `${postgres.url()}?sslmode=require` } });
  try {
    const response = await fetch(new URL("/one", worker.url));
    expect(await response.json()).toEqual({ code: "TLS_FAILED" });
    expect(decodeURIComponent(response.headers.get("said") ?? "")).toMatch(/trust public authorities alone/);
    expect(await backendsLeft(postgres.url())).toBe(0);
  } finally {
    await worker.stop();
    await postgres.stop();
  }
});
