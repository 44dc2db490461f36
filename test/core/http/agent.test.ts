import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createDatabase, type Database, type DatabaseOptions } from "../../../src/entry/node.ts";
import { type Network, startNetwork } from "../../lambda/network.ts";
import { failureOf, until } from "../databases.ts";
import { pause } from "../pool/passing-time.ts";
import { answer, oneRow, type Reply, startToldServer, type ToldServer } from "./told-server.ts";

const good = answer(200, oneRow);

let server: ToldServer;
let network: Network;
beforeAll(async () => {
  server = await startToldServer();
});
beforeEach(async () => {
  server.tell(good);
  // from here on the clock is the test's
  pause(0);
  network = await startNetwork({ host: "127.0.0.1", port: server.port });
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await network.close();
});
afterAll(() => server[Symbol.asyncDispose]());

function open(options: DatabaseOptions = {}): Database {
  const endpoint = `http://127.0.0.1:${network.port}`;
  return createDatabase({ host: "db.invalid", database: "app", user: "app", transport: "http", endpoint, deadlineMs: 10_000, ...options });
}

/** What the server is asked while `work` runs. */
async function asked(work: () => Promise<unknown>): Promise<number> {
  const before = server.bodies.length;
  await work();
  return server.bodies.length - before;
}

describe("connections to an endpoint", () => {
  test("are used again, one call after the other over one", async () => {
    await using db = open();
    for (let count = 0; count < 20; count++) await db.query("select");
    expect(network.connections()).toBe(1);
  });

  test("are counted while they serve, while they idle, and when they are too few", async () => {
    await using db = open();
    const counts = () => {
      const { total, idle, waiting } = db.stats();
      return { total, idle, waiting };
    };
    const held: (() => void)[] = [];
    server.tell((request, response) => void held.push(() => good(request, response)));
    const calls = Array.from({ length: 53 }, () => db.query("select"));
    await until(() => held.length === 50);
    expect(counts()).toEqual({ total: 50, idle: 0, waiting: 3 });
    server.tell(good);
    for (const release of held) release();
    await Promise.all(calls);
    await until(() => counts().idle === 50);
    expect(counts()).toEqual({ total: 50, idle: 50, waiting: 0 });
  });

  test("are shared by the databases of a process, and end with the last of them", async () => {
    const [one, two] = [open(), open({ database: "other" })];
    await one.query("select");
    await two.query("select");
    await one.close();
    expect([network.connections(), network.openConnections()]).toEqual([1, 1]);
    await two.query("select");
    await two.close();
    await until(() => network.openConnections() === 0);
    expect(network.connections()).toBe(1);
  });

  test("are bounded: 200 calls at once share 50", async () => {
    const waiting: (() => void)[] = [];
    server.tell((...exchange) => void waiting.push(() => good(...exchange)));
    await using db = open();
    const calls = Promise.all(Array.from({ length: 200 }, () => db.query("select")));
    await until(() => waiting.length === 50);
    server.tell(good);
    for (const reply of waiting) reply();
    expect(await calls).toHaveLength(200);
    expect(network.connections()).toBe(50);
  });

  test("are left alone when a call that waits for one is given up, and its statement never leaves", async () => {
    const waiting: (() => void)[] = [];
    server.tell((...exchange) => void waiting.push(() => good(...exchange)));
    await using db = open();
    const sent = await asked(async () => {
      const calls = Array.from({ length: 50 }, () => db.query("select"));
      await until(() => waiting.length === 50);
      const late = await Promise.all(Array.from({ length: 20 }, () => failureOf(db.query("select", [], { deadlineMs: 50 }))));
      for (const error of late) expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "not-sent" });
      server.tell(good);
      for (const reply of waiting) reply();
      await Promise.all(calls);
      await db.query("select");
    });
    expect([sent, network.connections(), network.openConnections()]).toEqual([51, 50, 50]);
  });

  test("keep no script alive that is done", async () => {
    const script = `
      import { createDatabase } from ${JSON.stringify(new URL("../../../src/entry/node.ts", import.meta.url).href)};
      const db = createDatabase({ host: "db.invalid", database: "app", user: "app", transport: "http", endpoint: process.env.ENDPOINT });
      const { rows } = await db.query("select");
      console.log(JSON.stringify(rows));
    `;
    const env = { PATH: process.env.PATH, ENDPOINT: `http://127.0.0.1:${network.port}` };
    // the endpoint would keep the connection for longer than this test may take
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { env, timeout: 25_000 });
    expect(stdout).toBe('[{"word":"x"}]\n');
  });

  test("are those of fetch where Node is told to use a proxy", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    await using plain = open();
    await plain.query("select");
    expect(fetched).not.toHaveBeenCalled();
    vi.stubEnv("NODE_USE_ENV_PROXY", "1");
    await using behindProxy = open();
    await behindProxy.query("select");
    expect(fetched).toHaveBeenCalledOnce();
  });
});

test("a request says who sends it, and what it is", async () => {
  const sent = Promise.withResolvers<object>();
  server.tell((request, response) => {
    sent.resolve(request.headers);
    good(request, response);
  });
  await using db = open();
  await db.query("select");
  expect(await sent.promise).toMatchObject({ "user-agent": "warmline", "content-type": "application/json" });
});

describe("a connection that died while nothing was sent", () => {
  test.each(["fin", "rst"] as const)("is told before use: %s", async (kind) => {
    await using db = open();
    await db.query("select");
    network.lay({ kind });
    expect(await asked(() => db.query("insert"))).toBe(1);
    expect(network.strikes.map((strike) => strike.kind)).toEqual([kind]);
    expect(network.connections()).toBe(2);
  });

  const silent = ["rst-on-write", "swallow"] as const;

  test.each(silent)("is left behind after a pause longer than connections are kept: %s", async (kind) => {
    await using db = open();
    await db.query("select");
    network.lay({ kind });
    pause(31_000);
    expect(await asked(() => db.query("insert"))).toBe(1);
    expect(network.connections()).toBe(2);
  });

  test.each(silent)("is left behind after any pause where time stops between requests: %s", async (kind) => {
    await using db = open({ runtime: "lambda" });
    await db.query("select");
    network.lay({ kind });
    pause(1_500);
    expect(await asked(() => db.query("insert"))).toBe(1);
    expect(network.connections()).toBe(2);
  });

  test("is used again after a pause where time does not stop", async () => {
    await using db = open({ runtime: "node" });
    await db.query("select");
    pause(1_500);
    await db.query("select");
    expect(network.connections()).toBe(1);
  });

  test("is left behind by its age where time stops, however busy its neighbours are", async () => {
    await using db = open({ runtime: "lambda" });
    for (let half = 0; half <= 60; half++) {
      await db.query("select");
      pause(500);
    }
    expect(network.connections()).toBe(2);
  });

  test("leaves the fate unknown when it dies of the statement itself, which is not sent again", async () => {
    await using db = open();
    await db.query("select");
    network.lay({ kind: "rst-on-write" });
    const sent = await asked(async () => {
      expect(await failureOf(db.query("insert"))).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
    });
    expect([sent, network.strikes.length, network.connections()]).toEqual([0, 1, 1]);
  });
});

test("a call that runs for longer than connections are kept is not cut off when another comes", async () => {
  const running = Promise.withResolvers<() => void>();
  const slow: Reply = (...exchange) => running.resolve(() => good(...exchange));
  server.tell(slow);
  await using db = open();
  const first = db.query("select");
  const reply = await running.promise;
  server.tell(good);
  pause(60_000);
  await db.query("select");
  reply();
  expect((await first).rows).toEqual([{ word: "x" }]);
  await until(() => network.openConnections() === 1);
});
