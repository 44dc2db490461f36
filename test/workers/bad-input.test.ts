import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { answer, dribble, endless, type Reply, startToldServer, type ToldServer } from "../core/http/told-server.ts";
import { type LocalWorker, serveWorker } from "../support/worker/runtime.ts";

const password = "canary-of-the-password";
const spaces = Buffer.alloc(65_536, " ");

/** What the worker tells of the error of `select 1`. */
interface Told {
  readonly name: string;
  readonly message: string;
  readonly code: string;
  readonly fate: string;
  readonly own: boolean;
}

async function ask(worker: LocalWorker, path: string): Promise<Told> {
  const response = await fetch(new URL(path, worker.url), { signal: AbortSignal.timeout(20_000) });
  const text = await response.text();
  expect(response.status, text).toBe(500);
  expect(text).not.toContain(password);
  return JSON.parse(text);
}

describe("a worker over HTTP whose endpoint", () => {
  let server: ToldServer;
  let worker: LocalWorker;
  const elsewhere = (endpoint: string) => ask(worker, `/elsewhere?${new URLSearchParams({ endpoint })}`);

  beforeAll(async () => {
    server = await startToldServer();
    const vars = { DATABASE_URL: `postgres://app:${password}@db.invalid/app?sslmode=require` };
    worker = await serveWorker("test/workers/http.ts", { vars, flags: ["no_nodejs_compat"] });
  });
  afterAll(async () => {
    await worker?.[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const unknown = (code: string) => ({ code, fate: "unknown" });
  const faults: readonly (readonly [string, Reply, Partial<Told>])[] = [
    ["answers 401", answer(401), { code: "HTTP_STATUS", fate: "refused" }],
    ["answers 404", answer(404, "not found"), { code: "HTTP_STATUS", fate: "refused" }],
    ["answers 429", answer(429, { msg: "slow down" }), { code: "HTTP_STATUS", fate: "refused" }],
    ["answers 500", answer(500, { msg: "internal" }), unknown("HTTP_STATUS")],
    ["answers 502 with HTML", answer(502, "<html><body>Bad gateway</body></html>"), unknown("HTTP_STATUS")],
    ["answers 503", answer(503, { msg: "unavailable" }), unknown("HTTP_STATUS")],
    ["answers 507", answer(507, { message: "too large" }), unknown("HTTP_STATUS")],
    ["answers half a JSON", answer(200, '{"fields":[{"name":"wo'), unknown("BAD_RESPONSE")],
    ["answers with an empty body", answer(200), unknown("BAD_RESPONSE")],
    ["answers without an end", endless(spaces, 200).reply, unknown("RESPONSE_TOO_LARGE")],
    ["answers 500 without an end", endless(spaces, 500).reply, unknown("HTTP_STATUS")],
    ["answers 401 without an end", endless(spaces, 401).reply, { code: "HTTP_STATUS", fate: "refused" }],
    ["dribbles", dribble, { name: "CancelledError", ...unknown("DEADLINE_EXCEEDED") }],
    ["redirects", answer(307, "", { location: "https://elsewhere.invalid/sql" }), unknown("REDIRECT_REFUSED")],
    ["answers nothing", () => {}, { name: "CancelledError", ...unknown("DEADLINE_EXCEEDED") }],
    ["ends the connection instead of answering", (request) => request.socket.end(), unknown("CONNECTION_LOST")],
    ["resets the connection instead of answering", (request) => request.socket.resetAndDestroy(), unknown("CONNECTION_LOST")],
  ];

  test.each(faults)("%s is told with a code and a fate, within the deadline, and asked once", async (_, reply, error) => {
    server.tell(reply);
    const asked = server.bodies.length;
    expect(await elsewhere(server.url)).toMatchObject({ name: "ConnectionError", own: true, ...error });
    expect(server.bodies.length - asked).toBe(1);
  });

  test("is Postgres itself, which speaks no HTTP, is told with a code and a fate", async () => {
    const { host, port } = inject("postgres");
    expect(await elsewhere(`http://${host}:${port}`)).toMatchObject({ ...unknown("CONNECTION_LOST"), own: true });
  });

  test("answers with what is no HTTP is told with a code and a fate", async () => {
    const other = createServer((socket) => socket.once("data", () => socket.end("SSH-2.0-OpenSSH\r\n"))).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { readonly port: number };
    expect(await elsewhere(`http://127.0.0.1:${port}`)).toMatchObject({ ...unknown("CONNECTION_LOST"), own: true });
    other.close();
  });

  test("is not there is told with a code and a fate", async () => {
    const gone = await startToldServer();
    await gone[Symbol.asyncDispose]();
    expect(await elsewhere(gone.url)).toMatchObject({ ...unknown("CONNECTION_LOST"), own: true });
  });
});

const missing: readonly (readonly [title: string, bindings: Parameters<typeof serveWorker>[1], error: Partial<Told>, names: string])[] = [
  ["no binding at all", {}, { code: "MISSING_SETTING" }, "DATABASE_URL"],
  [
    "a Hyperdrive binding, and its transport not handed in",
    { hyperdrive: { HYPERDRIVE: `postgres://app:${password}@127.0.0.1:5432/app` } },
    { code: "NO_TRANSPORT" },
    '"warmline/hyperdrive"',
  ],
  [
    "the URL of a host that speaks no SQL over HTTP",
    { vars: { DATABASE_URL: `postgres://app:${password}@db.example.com/app` } },
    { code: "NO_TRANSPORT" },
    "endpoint",
  ],
  ["a URL that is none", { vars: { DATABASE_URL: password } }, { code: "INVALID_SETTING" }, "URL"],
];

test.each(missing)("a worker that is given %s says in an error what to add", async (_, bindings, error, named) => {
  await using worker = await serveWorker("test/workers/http.ts", bindings);
  const told = await ask(worker, "/query");
  expect(told).toMatchObject({ name: "ConfigError", fate: "not-sent", own: true, ...error });
  expect(told.message).toContain(named);
});
