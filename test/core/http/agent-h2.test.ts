import { once } from "node:events";
import { readFileSync } from "node:fs";
import { constants, createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDatabase, type Database } from "../../../src/entry/node.ts";
import { type Network, startNetwork } from "../../lambda/network.ts";
import { failureOf, until } from "../databases.ts";
import { oneRow } from "./told-server.ts";

const pem = (name: string) => readFileSync(new URL(`../../support/tls/${name}.pem`, import.meta.url), "utf8");
const good = JSON.stringify(oneRow);

type Reply = (stream: ServerHttp2Stream) => void;
const succeed: Reply = (stream) => {
  stream.respond({ ":status": 200 });
  stream.end(good);
};

const trusted = getCACertificates("default");
let server: Http2SecureServer;
let network: Network;
let reply: Reply;
/** Protocol of each request, in order. */
let versions: string[];
let db: Database;

beforeAll(async () => {
  setDefaultCACertificates([...trusted, pem("ca")]);
  server = createSecureServer({ cert: pem("server"), key: pem("server-key"), allowHTTP1: true });
  // what a client takes away is the client's affair
  server.on("sessionError", () => {});
  server.on("request", (request, response) => {
    versions.push(request.httpVersion);
    request.resume().on("end", () => (request.httpVersion === "2.0" ? reply(response.stream) : response.end(good)));
    response.stream?.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
beforeEach(async () => {
  [reply, versions] = [succeed, []];
  network = await startNetwork({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  const endpoint = `https://127.0.0.1:${network.port}`;
  db = createDatabase({ host: "db.invalid", database: "app", user: "app", transport: "http", endpoint, deadlineMs: 10_000 });
});
afterEach(async () => {
  await db.close();
  await network.close();
});
afterAll(() => {
  setDefaultCACertificates(trusted);
  server.close();
});

/** Streams that wait for an answer. */
function held(): ServerHttp2Stream[] {
  const streams: ServerHttp2Stream[] = [];
  reply = (stream) => void streams.push(stream);
  return streams;
}

test("an endpoint that offers HTTP/2 is spoken to over one connection, however many calls there are", async () => {
  await Promise.all(Array.from({ length: 50 }, () => db.query("select")));
  expect(new Set(versions)).toEqual(new Set(["2.0"]));
  expect([versions.length, network.connections()]).toEqual([50, 1]);
});

test("a call that is given up ends its own statement, and no other", async () => {
  const streams = held();
  const controller = new AbortController();
  const given = failureOf(db.query("select", [], { signal: controller.signal }));
  await until(() => streams.length === 1);
  const others = Array.from({ length: 10 }, () => db.query("select"));
  await until(() => streams.length === 11);
  const ended = once(streams[0] as ServerHttp2Stream, "close");
  controller.abort();
  expect(await given).toMatchObject({ code: "ABORTED", fate: "unknown" });
  await ended;
  expect(streams[0]?.aborted).toBe(true);
  for (const stream of streams.slice(1)) succeed(stream);
  expect(await Promise.all(others)).toHaveLength(10);
  expect(network.connections()).toBe(1);
});

test("an answer that never ends is left at the limit with its stream, and no other call is", async () => {
  const streams = held();
  const given = failureOf(db.query("select"));
  await until(() => streams.length === 1);
  const others = Array.from({ length: 10 }, () => db.query("select"));
  await until(() => streams.length === 11);
  const [endless] = streams as [ServerHttp2Stream];
  const ended = once(endless, "close");
  const piece = Buffer.alloc(65_536, " ");
  const more = () => {
    while (!endless.destroyed && endless.write(piece));
  };
  endless.respond({ ":status": 200 });
  endless.on("drain", more);
  more();
  expect(await given).toMatchObject({ code: "RESPONSE_TOO_LARGE", fate: "unknown" });
  await ended;
  for (const stream of streams.slice(1)) succeed(stream);
  expect(await Promise.all(others)).toHaveLength(10);
  expect(network.connections()).toBe(1);
});

describe("a request that the endpoint leaves unanswered is sent once, and its fate is unknown", () => {
  const ends: readonly (readonly [string, Reply])[] = [
    ["the stream is refused", (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)],
    ["the stream is reset", (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
    ["the session is destroyed", (stream) => stream.session?.destroy()],
    ["the connection is reset", () => network.lay({ kind: "rst" })],
    ["the connection ends", () => network.lay({ kind: "fin" })],
    [
      "the body is cut",
      (stream) => {
        stream.respond({ ":status": 200 });
        stream.write(good.slice(0, 20), () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
      },
    ],
  ];

  test.each(ends)("%s", async (_, end) => {
    reply = end;
    const failure = await failureOf(db.query("insert"));
    expect(failure).toMatchObject({ name: "ConnectionError", fate: "unknown", retryable: false });
    reply = succeed;
    await db.query("select");
    expect(versions).toHaveLength(2);
  });
});

test("an endpoint that says goodbye answers what it has, and the next call takes another connection", async () => {
  const streams = held();
  const call = db.query("select");
  await until(() => streams.length === 1);
  const session = (streams[0] as ServerHttp2Stream).session as ServerHttp2Session;
  session.goaway();
  // its answer comes when the goodbye was read
  await new Promise((resolve) => session.ping(resolve));
  reply = succeed;
  await db.query("select");
  succeed(streams[0] as ServerHttp2Stream);
  expect((await call).rows).toEqual([{ word: "x" }]);
  expect([versions.length, network.connections()]).toEqual([2, 2]);
});

test("neighbours of a refused request are answered", async () => {
  const streams = held();
  const calls = Array.from({ length: 5 }, () => db.query("select"));
  await until(() => streams.length === 5);
  const [refused, ...others] = await Promise.all([
    failureOf(calls[0] as Promise<unknown>),
    ...calls.slice(1),
    (async () => {
      streams[0]?.close(constants.NGHTTP2_REFUSED_STREAM);
      for (const stream of streams.slice(1)) succeed(stream);
    })(),
  ]);
  expect(refused).toMatchObject({ fate: "unknown" });
  expect(others).toHaveLength(5);
  expect(versions).toHaveLength(5);
});
