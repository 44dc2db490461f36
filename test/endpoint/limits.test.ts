import { createServer, type Socket } from "node:net";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import type { WebSocket } from "ws";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";
import { databaseUrl, eventually, pause, postTo, soon, times, useEndpoint } from "./local-endpoint.ts";
import { isReady, loginMessages, openTunnel } from "./tunnels.ts";

const { running, post, query } = useEndpoint();

/** What the endpoint promises: docs are held to these numbers by their readers. */
const MAX_HTTP = 16;
const MAX_SESSIONS = 64;

const opened: WebSocket[] = [];
afterEach(() => {
  for (const webSocket of opened.splice(0)) webSocket.terminate();
});

function tunnel(port = running().port) {
  const made = openTunnel(port);
  opened.push(made.webSocket);
  return made;
}

const named = (name: string) => databaseUrl((url) => url.searchParams.set("application_name", name));

/** Watches the server from beside the endpoint: how many backends have such a name, most and last. */
async function watch(like: string, url = inject("postgres").url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const count = async () =>
    (await client.query("select count(*)::int4 as n from pg_stat_activity where application_name like $1", [like])).rows[0].n as number;
  let most = 0;
  let watching = true;
  const over = (async () => {
    while (watching) most = Math.max(most, await count());
  })();
  return {
    count,
    async end() {
      watching = false;
      await over;
      await client.end();
      return most;
    },
  };
}

describe("connections to the server", () => {
  test("are never more than so many, over all logins, in a burst either", async () => {
    const watched = await watch("burst %");
    const answers = await Promise.all(
      times(60).map((index) => post({ query: "select pg_sleep(0.1)" }, { url: named(`burst ${index % 30}`) })),
    );
    expect(answers.map(({ status }) => status)).toEqual(times(60).map(() => 200));
    const kept = await watched.count();
    const most = await watched.end();
    expect(most).toBeLessThanOrEqual(MAX_HTTP);
    expect(most).toBeGreaterThan(MAX_HTTP / 2);
    expect(kept).toBeLessThanOrEqual(MAX_HTTP);
  });

  test("are never more than so many while logins come, fail and go away", async () => {
    const watched = await watch("mixed %");
    const wrong = databaseUrl((url) => {
      url.password = "wrong";
      url.searchParams.set("application_name", "mixed wrong");
    });
    const jobs = times(200).map(async (index) => {
      await pause(index * 3);
      const leaving = new AbortController();
      if (index % 3 === 0) setTimeout(() => leaving.abort(), 20);
      const text = index % 5 === 0 ? "select pg_terminate_backend(pg_backend_pid())" : "select pg_sleep(0.02)";
      const url = index % 7 === 0 ? wrong : named(`mixed ${index % 41}`);
      return post({ query: text }, { url, signal: leaving.signal }).catch(() => undefined);
    });
    await Promise.all(jobs);
    expect(await watched.end()).toBeLessThanOrEqual(MAX_HTTP);
    expect((await query("select 1 as n")).rows).toEqual([{ n: 1 }]);
  });

  test("for one login are used by all who wait, in their order, without a new login", async () => {
    const url = named("one login");
    const answers = await Promise.all(times(100).map(() => post({ query: "select pg_backend_pid() as pid, pg_sleep(0.01)" }, { url })));
    const pids = new Set(answers.map(({ body }) => (body.rows as { pid: number }[])[0]?.pid));
    expect(pids.size).toBeLessThanOrEqual(MAX_HTTP);
  });

  test("under WebSockets are never more than so many, and who waits gets the next", async () => {
    const watched = await watch("session %");
    const sessions = times(MAX_SESSIONS + 6).map((index) => ({ index, ...tunnel() }));
    for (const { status, webSocket, index } of sessions) {
      await status;
      webSocket.send(loginMessages(`session ${index}`));
    }
    const loggedIn = () => sessions.filter(({ text }) => isReady(text())).length;
    await eventually(
      soon(() => loggedIn()),
      (count) => count === MAX_SESSIONS,
    );
    await pause(300);
    expect([loggedIn(), await watched.count()]).toEqual([MAX_SESSIONS, MAX_SESSIONS]);
    // an HTTP request does not wait for sessions
    expect((await query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    for (const { webSocket } of sessions.filter(({ text }) => isReady(text())).slice(0, 6)) webSocket.send(Buffer.from("X\0\0\0\x04"));
    await eventually(
      soon(() => loggedIn()),
      (count) => count === MAX_SESSIONS + 6,
    );
    for (const { webSocket } of sessions) webSocket.terminate();
    await eventually(watched.count, (count) => count === 0);
    expect(await watched.end()).toBeLessThanOrEqual(MAX_SESSIONS);
  });
});

describe("where there is no room", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await server.stop();
  });

  /** An endpoint whose connections all sleep. */
  async function full(): Promise<{ endpoint: Endpoint; sleeping: Promise<unknown>[] }> {
    const endpoint = await startEndpoint({ databaseUrl: server.url(), port: 0 });
    const sleeping = times(MAX_HTTP).map(() => postTo(endpoint, { query: "select pg_sleep(600)" }, { url: server.url() }));
    const watched = await watch("%", server.url());
    await eventually(watched.count, (count) => count > MAX_HTTP);
    await watched.end();
    return { endpoint, sleeping };
  }

  test("a request waits no longer than fifteen seconds, and is told 53300 as by a server without room", async () => {
    const { endpoint, sleeping } = await full();
    const { status, body } = await postTo(endpoint, { query: "select 1" }, { url: server.url() });
    expect([status, body.code, body.severity]).toEqual([500, "53300", "FATAL"]);
    expect(Object.keys(body)).toHaveLength(17);
    await endpoint.stop();
    await Promise.all(sleeping);
  });

  test("a thousand wait, and one more is told 53300 at once", async () => {
    const { endpoint, sleeping } = await full();
    const codes: unknown[] = [];
    const asked = times(1_010).map(async () => {
      const { body } = await postTo(endpoint, { query: "select 1" }, { url: server.url() });
      codes.push(body.code);
    });
    await eventually(
      soon(() => [endpoint.requests, codes.length]),
      ([requests, told]) => requests === MAX_HTTP + 1_010 && told === 10,
    );
    expect(codes).toEqual(times(10).map(() => "53300"));
    await endpoint.stop();
    await Promise.all([...asked, ...sleeping]);
    expect(codes.slice(10)).toEqual(times(1_000).map(() => "08P01"));
  });

  test("a stop answers those who wait, at once", async () => {
    const { endpoint, sleeping } = await full();
    const waiting = times(20).map(() => postTo(endpoint, { query: "select 1" }, { url: server.url() }));
    await eventually(
      soon(() => endpoint.requests),
      (count) => count === MAX_HTTP + 20,
    );
    const from = Date.now();
    await endpoint.stop();
    expect(Date.now() - from).toBeLessThan(8_000);
    for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ status: 400, body: { code: "08P01" } });
    await Promise.all(sleeping);
  });

  test("a client that goes away while it waits takes nobody's place", async () => {
    const { endpoint, sleeping } = await full();
    const leaving = new AbortController();
    const gone = times(30).map(() =>
      postTo(endpoint, { query: "select 1" }, { url: server.url(), signal: leaving.signal }).catch(() => "gone"),
    );
    await eventually(
      soon(() => endpoint.requests),
      (count) => count === MAX_HTTP + 30,
    );
    leaving.abort();
    expect(await Promise.all(gone)).toEqual(times(30).map(() => "gone"));
    await endpoint.stop();
    await Promise.all(sleeping);
  });
});

describe("a server that hangs", () => {
  const sockets = new Set<Socket>();
  /** Beginnings of what it was sent: P of a statement, Q of a reset, X of a farewell. */
  const heard: string[] = [];
  /** Lets everybody log in, answers one statement and nothing else, and closes nothing. */
  const hanging = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => socket.write(Buffer.from("R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x01\0\0\0\x01Z\0\0\0\x05I", "latin1")));
    socket.on("data", (bytes: Buffer) => {
      heard.push(String.fromCharCode(bytes[0] ?? 0));
      const answer = "1\0\0\0\x042\0\0\0\x04n\0\0\0\x04C\0\0\0\x0dSELECT 0\0Z\0\0\0\x05I";
      if (bytes[0] === 0x50 && bytes.includes("answered")) socket.write(Buffer.from(answer, "latin1"));
    });
  });
  beforeAll(() => new Promise<void>((resolve) => hanging.listen(0, "127.0.0.1", resolve)));
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    hanging.close();
  });

  test("does not hold up a stop, over HTTP and WebSocket", async () => {
    const { port } = hanging.address() as { port: number };
    const endpoint = await startEndpoint({ databaseUrl: `postgres://127.0.0.1:${port}/x`, port: 0 });
    const url = `postgres://u:p@127.0.0.1:${port}/x`;
    const asked = times(MAX_HTTP + 3).map((index) =>
      postTo(endpoint, { query: index % 2 ? "answered" : "select 1" }, { url }).catch(() => undefined),
    );
    const { webSocket, status, text } = tunnel(endpoint.port);
    await status;
    webSocket.send(loginMessages("hanging"));
    await eventually(
      soon(() => text()),
      isReady,
    );
    webSocket.send(Buffer.from("X\0\0\0\x04"));
    webSocket.close();
    const count = (letter: string) => heard.filter((one) => one === letter).length;
    await eventually(
      soon(() => [endpoint.requests, count("Q"), count("X")]),
      ([requests = 0, resets = 0, farewells = 0]) => requests === MAX_HTTP + 3 && resets >= 6 && farewells >= 1,
    );
    const from = Date.now();
    await endpoint.stop();
    expect(Date.now() - from).toBeLessThan(10_000);
    await Promise.all(asked);
  });
});
