import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, inject, test } from "vitest";
import { until, urlAt } from "../core/databases.ts";
import { startWire } from "../support/wire.ts";
import { startNetwork } from "./network.ts";
import { ask, useWarmHandler } from "./warm-function.ts";

const deploy = useWarmHandler();
const query = { do: "query", text: "select 1 as one" } as const;

describe("an environment on demand", () => {
  test("connects while it is initialized, and its first query uses that connection", async () => {
    await using network = await startNetwork(inject("postgres"));
    await using deployed = await deploy({ url: urlAt(network) });
    const environment = await deployed.environment();
    const { stats } = await ask(environment, { do: "look", until: { idle: 1 } });
    expect([stats.reuses, await deployed.backends(), network.connections()]).toEqual([0, 1, 1]);
    expect((await ask(environment, query)).rows).toEqual([{ one: 1 }]);
    expect([await deployed.backends(), network.connections()]).toEqual([1, 1]);
  });

  test("does not wait for a server that never answers: its first invocation runs meanwhile", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    await using deployed = await deploy({ url: urlAt(server.address() as AddressInfo) });
    const environment = await deployed.environment();
    expect((await ask(environment, { do: "look" })).stats).toMatchObject({ running: 1, connects: 0 });
    expect(environment.deaths).toEqual([]);
    await deployed.stop();
    server.close();
  });

  test("survives a server that is down, has asked it once, and its first call tells why", async () => {
    await using network = await startNetwork({ host: "127.0.0.1", port: await closedPort() });
    await using deployed = await deploy({ url: urlAt(network) });
    const environment = await deployed.environment();
    await ask(environment, { do: "look", until: { running: 0, total: 0 } });
    expect(network.connections()).toBe(1);
    const { failure } = await ask(environment, query);
    expect(failure).toMatchObject({ code: "CONNECT_FAILED", fate: "not-sent", message: expect.stringMatching(/^Connecting to .* failed/) });
    expect([environment.inits, environment.deaths, environment.logs()]).toEqual([1, [], ""]);
  });

  test("does not connect ahead where warmUp is false", async () => {
    await using deployed = await deploy({ url: urlAt(), database: { warmUp: false } });
    expect((await ask(await deployed.environment(), { do: "look" })).stats).toMatchObject({ transport: null, running: 0 });
  });
});

describe.each([["provisioned-concurrency"], ["snap-start"]] as const)(
  "an environment that is initialized ahead by %s",
  (initializationType) => {
    test("connects at its first call, which may be hours away", async () => {
      await using network = await startNetwork(inject("postgres"));
      await using deployed = await deploy({ url: urlAt(network), initializationType });
      const environment = await deployed.environment();
      await environment.freezeFor({ wallClockMs: 3_600_000 });
      expect((await ask(environment, { do: "look" })).stats).toMatchObject({ transport: null, running: 0 });
      expect([await deployed.backends(), network.connections()]).toEqual([0, 0]);
      expect((await ask(environment, query)).rows).toEqual([{ one: 1 }]);
      expect(network.connections()).toBe(1);
    });

    test("waits for no connection that was on its way when it was frozen, and is another's or gone when it wakes", async () => {
      // a distance: init is over before the login is
      await using wire = await startWire(inject("postgres"), { delayMs: 300 });
      await using network = await startNetwork({ host: "127.0.0.1", port: wire.port });
      // by its timer alone it would be waited for as long
      const database = { warmUp: true, connectTimeoutMs: 20_000 };
      await using deployed = await deploy({ url: urlAt(network), initializationType, database });
      const environment = await deployed.environment();
      await until(() => network.lay({ kind: "swallow" }) === 1);
      await environment.freezeFor({ wallClockMs: 3_600_000 });
      expect(await ask(environment, query, { deadlineMs: 10_000 })).toMatchObject({ rows: [{ one: 1 }], failure: null });
      expect(network.connections()).toBe(2);
    });
  },
);

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
