import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import { takeRefusingPort } from "../../support/refusing-port.ts";
import { failureOf } from "../databases.ts";
import { answer, oneRow, type Reply, startToldServer, type ToldServer } from "./told-server.ts";

/** Codes that come out of connecting, and out of a connection that has long been there. */
const codes = ["EHOSTUNREACH", "ENETUNREACH", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT"] as const;

let server: ToldServer;
/** This process' ends of its connections, by their own port. */
const clients = new Map<number | undefined, Socket>();
const opened = channel("net.client.socket");
const remember = (message: unknown) => {
  const { socket } = message as { readonly socket: Socket };
  socket.once("connect", () => clients.set(socket.localPort, socket));
};

beforeAll(async () => {
  opened.subscribe(remember);
  server = await startToldServer();
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  opened.unsubscribe(remember);
  await server[Symbol.asyncDispose]();
});

/** What Node makes of a read that the system fails: the socket is destroyed with it. Source: Node's `lib/internal/stream_base_commons.js`. */
function failedRead(code: (typeof codes)[number]): Error {
  return Object.assign(new Error(`read ${code}`), { code, errno: -constants.errno[code], syscall: "read" });
}

/** The post was read; then the client's system says that the server cannot be reached. */
const breakOff =
  (code: (typeof codes)[number]): Reply =>
  ({ socket }) =>
    clients.get(socket.remotePort)?.destroy(failedRead(code));

/** The two ways a post leaves Node. */
const ways: readonly { readonly way: string; readonly choose: () => void }[] = [
  { way: "connections of its own", choose: () => {} },
  { way: "fetch", choose: () => vi.stubEnv("NODE_USE_ENV_PROXY", "1") },
];

describe.each(ways)("over $way", ({ choose }) => {
  beforeEach(choose);

  const open = (options: DatabaseOptions = {}): Database =>
    createDatabase({
      host: "db.invalid",
      database: "app",
      user: "app",
      transport: "http",
      endpoint: server.url,
      deadlineMs: 10_000,
      ...options,
    });

  test.each(codes)(
    "a request that was read, and whose connection then fails with %s, is asked once and may have been done",
    async (code) => {
      server.tell(breakOff(code));
      await using db = open();
      for (const send of [() => db.query("insert"), () => db.batch([sql`insert`, sql`insert`])]) {
        const before = server.bodies.length;
        expect(await failureOf(send())).toMatchObject({
          name: "ConnectionError",
          code: "CONNECTION_LOST",
          fate: "unknown",
          retryable: false,
          cause: expect.objectContaining({ code, syscall: "read" }),
        });
        expect(server.bodies.length - before).toBe(1);
      }
      expect(db.stats().retries).toBe(0);
    },
  );

  test("the same on a connection that has served before", async () => {
    server.tell(answer(200, oneRow));
    await using db = open();
    await db.query("select");
    server.tell(breakOff("EHOSTUNREACH"));
    const before = server.bodies.length;
    expect(await failureOf(db.query("insert"))).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
    expect(server.bodies.length - before).toBe(1);
  });

  test("what may be done twice is asked again", async () => {
    let asked = 0;
    server.tell((...exchange) => (++asked === 1 ? breakOff("ECONNREFUSED") : answer(200, oneRow))(...exchange));
    await using db = open();
    const { via } = await db.query("select", [], { idempotent: true });
    expect([via.attempts, asked]).toEqual([2, 2]);
  });

  test("a connection that is refused was sent nothing, and is asked for five times", async () => {
    await using nowhere = await takeRefusingPort();
    await using db = open({ endpoint: `http://127.0.0.1:${nowhere.port}` });
    expect(await failureOf(db.query("insert"))).toMatchObject({ code: "CONNECT_FAILED", fate: "not-sent", retryable: true });
    expect(db.stats().retries).toBe(4);
  });

  test("addresses that all refuse were sent nothing", async () => {
    await using nowhere = await takeRefusingPort();
    await using db = open({ endpoint: `http://localhost:${nowhere.port}` });
    expect(await failureOf(db.query("insert"))).toMatchObject({ code: "CONNECT_FAILED", fate: "not-sent", retryable: true });
  });

  test("a name that does not exist was sent nothing", async () => {
    await using db = open({ endpoint: "https://endpoint.invalid" });
    expect(await failureOf(db.query("insert"))).toMatchObject({ fate: "not-sent", retryable: true });
  });
});
