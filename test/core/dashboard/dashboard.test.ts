import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { afterEach, describe, expect, inject, test, vi } from "vitest";
import { dashboard } from "../../../src/adapters/dashboard.ts";
import { makeEventStreams } from "../../../src/dashboard/event-stream.ts";
import { makeFeed } from "../../../src/dashboard/feed.ts";
import { createDatabase, type Database } from "../../../src/entry/node.ts";
import { makeTeller, said } from "./told.ts";

const token = "a-token-of-20-letters";
const quiet = makeTeller();
/** What `@hono/node-server` passes on of a request from here. */
const here = { incoming: { socket: { remoteAddress: "127.0.0.1" } } };
const from = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });

function ask(
  path: string,
  { headers = {}, env = here, db = quiet as Pick<Database, "plan" | "stats" | "subscribe">, given = {} as { token?: string } } = {},
) {
  const app = new Hono().route("/_warmline", dashboard(db, given));
  return app.request(`http://localhost${path}`, { headers: { Host: "localhost:3000", ...headers } }, env as object);
}

afterEach(() => void vi.unstubAllEnvs());

describe("without a token", () => {
  test.each([
    ["Node", here],
    ["Node, over IPv6", from("::1")],
    ["Node, IPv4 within IPv6", from("::ffff:127.0.0.1")],
    ["Deno", { remoteAddr: { hostname: "127.0.0.1" } }],
    ["Bun", { requestIP: () => ({ address: "::1" }) }],
    ["Bun, with the server beside other things", { server: { requestIP: () => ({ address: "127.0.0.1" }) } }],
  ])("it is there for who asks from this machine: %s", async (_, env) => {
    const answer = await ask("/_warmline", { env: env as typeof here });
    expect([answer.status, answer.headers.get("Cache-Control")]).toEqual([200, "no-store"]);
  });

  test.each<[string, object, Record<string, string>]>([
    ["another machine", from("10.0.0.9"), {}],
    ["another machine that says it is this", from("10.0.0.9"), { Host: "127.0.0.1", "X-Forwarded-For": "127.0.0.1" }],
    ["a proxy on this machine", here, { "X-Forwarded-For": "10.0.0.9" }],
    ["a proxy that calls itself by another name", here, { Forwarded: "for=10.0.0.9" }],
    ...[
      "X-Forwarded-Port",
      "X-Original-Forwarded-For",
      "True-Client-IP",
      "Fly-Client-IP",
      "X-Envoy-External-Address",
      "CDN-Loop",
      "CF-Ray",
    ].map((name) => [`a proxy that says ${name}`, here, { [name]: "" }] as [string, object, Record<string, string>]),
    ["a proxy that is told nothing, as nginx is", { incoming: { ...here.incoming, httpVersion: "1.0" } }, {}],
    ["a page whose name leads here", here, { Host: "evil.example" }],
    ["another site's page", here, { Origin: "https://evil.example" }],
    ["another site's frame", here, { "Sec-Fetch-Site": "cross-site" }],
    ["a platform that says nothing of a socket", {}, {}],
    [
      "a binding of that name",
      {
        remoteAddr: 7,
        requestIP: () => {
          throw new Error("no");
        },
      },
      {},
    ],
  ])("it is not there for %s: the answer is the application's own for what is not there", async (_, env, headers) => {
    const answer = await ask("/_warmline", { env: env as typeof here, headers });
    const missing = await ask("/nothing", { env: env as typeof here, headers });
    expect([answer.status, await answer.text()]).toEqual([404, await missing.text()]);
    expect((await ask("/_warmline/events", { env: env as typeof here, headers })).status).toBe(404);
  });

  test("it is not there for a target of another name, whatever stands in Host", async () => {
    const app = new Hono().route("/_warmline", dashboard(quiet));
    const headers = { Host: "localhost" };
    expect((await app.request("http://evil.example/_warmline", { headers }, here)).status).toBe(404);
    expect((await app.request("http://evil.example/_warmline/events", { headers }, here)).status).toBe(404);
  });

  test("it is not there in production, nor for an empty token", async () => {
    expect((await ask("/_warmline", { env: from("10.0.0.9"), given: { token: "" } })).status).toBe(404);
    vi.stubEnv("NODE_ENV", "production");
    expect((await ask("/_warmline")).status).toBe(404);
  });
});

describe("with a token", () => {
  const basic = (pair: string) => ({ Authorization: `Basic ${btoa(pair)}` });

  test.each<[string, Record<string, string>]>([
    ["a password, with any name", basic(`me:${token}`)],
    ["a password without a name", basic(`:${token}`)],
    ["a bearer token", { Authorization: `Bearer ${token}` }],
  ])("it is there from anywhere for %s", async (_, headers) => {
    const answer = await ask("/_warmline", { env: from("10.0.0.9"), headers, given: { token } });
    expect(answer.status).toBe(200);
    expect(await answer.text()).not.toContain(token);
  });

  test.each<[string, Record<string, string>]>([
    ["nothing", {}],
    ["another", { Authorization: "Bearer another-of-20-letters" }],
    ["its beginning", { Authorization: `Bearer ${token.slice(0, -1)}` }],
    ["what is no base64", { Authorization: "Basic %%%" }],
    ["another scheme", { Authorization: `Digest ${token}` }],
  ])("%s is answered with a question for it, from this machine too", async (_, headers) => {
    for (const path of ["/_warmline", "/_warmline/events"]) {
      const answer = await ask(path, { headers, given: { token } });
      expect([answer.status, answer.headers.get("WWW-Authenticate")]).toEqual([401, 'Basic realm="warmline", charset="UTF-8"']);
    }
  });

  test("that stands in the URL is none", async () => {
    expect((await ask(`/_warmline?token=${token}`, { given: { token } })).status).toBe(401);
  });

  test("guards the dashboard, and nothing else of an application it is at the root of", async () => {
    const app = new Hono().route("/", dashboard(quiet, { token })).get("/own", (c) => c.text("own"));
    const [own, page] = [await app.request("/own"), await app.request("/")];
    expect([own.status, own.headers.get("Cache-Control"), page.status]).toEqual([200, null, 401]);
  });

  test("that can be guessed is refused", () => {
    expect(() => dashboard(quiet, { token: 1234 as never })).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
    expect(() => dashboard(quiet, { token: "hunter2" })).toThrow(expect.objectContaining({ code: "INVALID_OPTION", setting: "token" }));
  });
});

test("the page is one file of less than 60 KB that may load nothing else and be framed by nobody", async () => {
  const answer = await ask("/_warmline");
  const page = await answer.text();
  expect(page.length).toBeLessThan(60_000);
  expect(page).not.toMatch(/(src|href)="(?!data:,)|url\(|@import|style="|onclick/);
  const policy = answer.headers.get("Content-Security-Policy") ?? "";
  expect(policy).toMatch(
    /^default-src 'none'; script-src 'sha256-\S+'; style-src 'sha256-\S+'; connect-src 'self'; .*frame-ancestors 'none'$/,
  );
  expect(policy).not.toContain("unsafe");
  // nothing to press but what stops the picture
  expect(page.match(/<button/g)).toHaveLength(1);
});

test("it tells of a database of one's own: its plan, its numbers, and an error with a caret and without its value", async () => {
  const secret = "canary-2m";
  await using db = createDatabase({ url: inject("postgres").url, name: "dashboard" });
  const app = new Hono().route("/_warmline", dashboard(db));
  await db.query("select 1");
  await db.query(`select '${secret}', nothing from nowhere`, []).catch(() => {});
  await db.query("select $1::int", [secret]).catch(() => {});
  const answer = await app.request("http://localhost/_warmline/events", { headers: { Host: "localhost" } }, here);
  expect(answer.headers.get("Content-Type")).toMatch(/^text\/event-stream/);
  const reader = answer.body?.getReader();
  const told = [said((await reader?.read())?.value ?? new Uint8Array()), said((await reader?.read())?.value ?? new Uint8Array())];
  await reader?.cancel();
  expect(told).toMatchObject([
    { name: "hello", data: { plan: { transport: "pool", reasons: { transport: expect.any(String) } } } },
    { name: "frame", data: { totals: { calls: 3, failed: 2, fates: { refused: 2 } }, stats: { total: 1, breaker: "closed" } } },
  ]);
  expect(told[1]?.data.errors).toMatchObject([
    { code: "22P02" },
    { code: "42P01", excerpt: expect.stringMatching(/^ {4}select '\*+', nothing from nowhere\n +\^$/) },
  ]);
  expect(JSON.stringify(told)).not.toContain(secret);
  expect(JSON.stringify(told)).not.toContain(new URL(inject("postgres").url).password);
});

test("it says what lacks where there is no plan, and shows no numbers", async () => {
  vi.stubEnv("DATABASE_URL", undefined);
  const answer = await ask("/_warmline/events", { db: createDatabase() });
  const reader = answer.body?.getReader();
  const told = said((await reader?.read())?.value ?? new Uint8Array());
  const first = said((await reader?.read())?.value ?? new Uint8Array());
  await reader?.cancel();
  expect(told.data).toMatchObject({ plan: { trouble: expect.stringContaining("DATABASE_URL") } });
  expect(first.data).toMatchObject({ totals: { calls: 0 } });
});

test("whoever leaves before the first frame makes no room for more than may look", async () => {
  const streams = makeEventStreams();
  const feed = makeFeed(quiet);
  for (let n = 0; n < 3; n++) await streams.answer(feed, undefined).body?.cancel();
  expect(streams.viewers).toBe(0);
  feed.close();
});

test("who stops reading without leaving has a place for as long as an answer lasts, and no longer", async () => {
  vi.useFakeTimers();
  try {
    const app = new Hono().route("/_warmline", dashboard(quiet));
    const look = () => app.request("http://localhost/_warmline/events", { headers: { Host: "localhost" } }, here);
    const readers = [];
    for (let n = 0; n < 500; n++) {
      const reader = (await look()).body?.getReader();
      await reader?.read();
      readers.push(reader);
    }
    expect((await look()).status).toBe(503);
    await vi.advanceTimersByTimeAsync(31_000);
    expect((await look()).status).toBe(200);
    // who reads on after all finds the end, and asks anew
    expect(await readers[0]?.read()).toEqual({ done: true, value: undefined });
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test.each([
  ["/_warmline", (app: Hono) => app],
  ["/admin/_warmline", (app: Hono) => new Hono().route("/admin", app)],
])("it is there with a slash behind its path as well, and nothing else is below it: %s", async (path, mount) => {
  const app = mount(new Hono().route("/_warmline", dashboard(quiet, { token })).get("/_warmline/own", (c) => c.text("own")));
  const get = (end: string, headers: Record<string, string> = { Authorization: `Bearer ${token}` }) =>
    app.request(`http://localhost${path}${end}`, { headers });
  const [plain, slashed, query] = [await get(""), await get("/"), await get("/?a=b/")];
  expect([slashed.status, await slashed.text()]).toEqual([200, await plain.text()]);
  expect([...slashed.headers]).toEqual([...plain.headers]);
  expect([query.status, (await get("/", {})).status]).toEqual([200, 401]);
  expect([await (await get("/own", {})).text(), (await get("/none")).status, (await get("//")).status]).toEqual(["own", 404, 404]);
});

test("a server of Node's stops at once while somebody looks who asks on over the same connection", async () => {
  const app = new Hono().route("/_warmline", dashboard(quiet));
  const server = createServer(getRequestListener(app.fetch));
  let accepted: Socket | undefined;
  server.on("connection", (socket) => {
    accepted = socket;
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const looking = connect((server.address() as AddressInfo).port, "127.0.0.1").setEncoding("utf8");
  const request = "GET /_warmline/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
  looking.write(request);
  let told = "";
  looking.on("data", (text) => {
    told += text;
    // as a page does whose stream has ended
    if (told.endsWith("0\r\n\r\n")) looking.write(request);
  });
  await expect.poll(() => told).toContain("event: frame");
  expect(told).toMatch(/^connection: close\r$/im);
  // what takes nothing for so long Node cuts off
  expect(accepted?.timeout).toBe(30_000);
  const ended = once(looking, "close");
  server.close();
  await Promise.all([once(server, "close"), ended]);
});
