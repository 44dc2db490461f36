import type { Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { urlAt } from "../core/databases.ts";
import { answer, oneRow, startToldServer, type ToldServer } from "../core/http/told-server.ts";
import { startNetwork } from "./network.ts";
import { ask, useWarmHandler } from "./warm-function.ts";

const deploy = useWarmHandler();
const write = { do: "query", text: "insert" } as const;

/** The endpoint's side of the last request's connection. */
let last: Socket;
let server: ToldServer;
beforeAll(async () => {
  server = await startToldServer();
  server.tell((request, response) => {
    last = request.socket;
    answer(200, oneRow)(request, response);
  });
});
afterAll(() => server[Symbol.asyncDispose]());

test.each(["fin", "rst", "rst-on-write", "withhold", "swallow"] as const)(
  "a connection to the endpoint that dies in a freeze fails no write, and none is sent twice: %s",
  async (kind) => {
    await using network = await startNetwork({ host: "127.0.0.1", port: server.port });
    const database = { transport: "http", endpoint: `http://127.0.0.1:${network.port}`, sslMode: "require" } as const;
    await using deployed = await deploy({ url: urlAt(), database });
    const environment = await deployed.environment();
    await ask(environment, write);
    for (let round = 1; round <= 3; round++) {
      const before = server.bodies.length;
      network.lay({ kind });
      if (kind === "withhold") last.end();
      await environment.freezeFor({ realMs: 50, wallClockMs: 2_000 });
      const { rows, failure } = await ask(environment, write);
      expect([failure, rows, server.bodies.length - before]).toEqual([null, [{ word: "x" }], 1]);
    }
    expect(network.connections()).toBe(4);
  },
);
