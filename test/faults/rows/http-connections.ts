import { setTimeout as delay } from "node:timers/promises";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import { failing, otherwise } from "../expected.ts";
import type { Fault, Middle } from "../fault.ts";
import { type HttpProxy, startHttpProxy, type Trick } from "../middles/http-proxy.ts";

/** The endpoint itself, which can be ended and started again elsewhere. */
interface RestartableEndpoint extends Middle {
  restart(): Promise<void>;
}

const DEADLINE_MS = 500;

const slow = (name: string, trick: Trick): Fault<HttpProxy> => ({
  group: "http",
  name,
  ways: ["http"],
  rounds: 5,
  bareRounds: 2,
  options: { deadlineMs: DEADLINE_MS },
  middle: startHttpProxy,
  async round(ground) {
    const { middle } = ground;
    const before = middle.struck;
    middle.play(async (exchange) => {
      middle.play(undefined);
      await trick(exchange);
    });
    const { code, fate } = await ground.write();
    middle.play(undefined);
    const wrong = code === "DEADLINE_EXCEEDED" && fate === "unknown" ? undefined : `${code}, ${fate} at the deadline`;
    return { struck: middle.struck > before, wrong };
  },
});

const slowness: readonly Fault<HttpProxy>[] = [
  slow("slow headers", async ({ pass }) => void (await pass())),
  slow("slow body", async ({ response, pass }) => {
    const { body } = await pass();
    response.writeHead(200, { "content-length": body.length });
    for (const byte of body.subarray(0, 40)) {
      if (response.destroyed) return;
      response.write(Buffer.from([byte]));
      await delay(50);
    }
  }),
];

const sockets: readonly Fault[] = [
  {
    group: "http",
    name: "dead keep-alive socket",
    ways: ["http"],
    rounds: 10,
    async round({ front, write }) {
      const before = front.strikes.length;
      front.lay({ kind: "rst-on-write" });
      const outcome = await write();
      return { struck: front.strikes.length > before, wrong: otherwise(outcome, { code: "CONNECTION_LOST", fate: "unknown" }) };
    },
  },
  {
    group: "http",
    name: "keep-alive socket ended while idle",
    ways: ["http"],
    rounds: 10,
    async round({ front, write }) {
      const before = front.strikes.length;
      front.lay({ kind: "fin" });
      const outcome = await write();
      // the end may have been seen in time, and be on its way when the request is written: either has to be told truly
      const wrong = failing(outcome) && otherwise(outcome, { code: "CONNECTION_LOST", fate: "unknown" });
      return { struck: front.strikes.length > before, wrong };
    },
  },
];

const restart: Fault<RestartableEndpoint> = {
  group: "http",
  name: "endpoint restarted under load",
  ways: ["http", "websocket"],
  rounds: 3,
  async middle(_, server) {
    const start = () => startEndpoint({ databaseUrl: server.url(), port: 0 });
    let endpoint: Endpoint = await start();
    return {
      host: "127.0.0.1",
      get port() {
        return endpoint.port;
      },
      async restart() {
        await endpoint.stop();
        endpoint = await start();
      },
      [Symbol.asyncDispose]: () => endpoint.stop(),
    };
  },
  async round({ middle, front, send, id }) {
    const { port } = middle;
    const loading = send("load", { prefix: id(), callers: 4, forMs: 1_000 }, { limitMs: 20_000 });
    const opened = front.connections();
    await delay(300);
    await middle.restart();
    const { settled } = await loading;
    return { struck: middle.port !== port && front.connections() > opened && settled.length > 0 };
  },
};

/** Slowness, connections that end or have ended, and an endpoint that goes and comes back. */
export const httpConnections: readonly Fault[] = [...slowness, ...sockets, restart];
