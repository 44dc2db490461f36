import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { type Network, startNetwork } from "../lambda/network.ts";
import type { PostgresServer } from "../support/postgres/server.ts";
import { startWire, type Wire } from "../support/wire.ts";
import { type Address, type Fault, isOverHttp, type Middle, type Way } from "./fault.ts";

/** What stands between a contender and Postgres: network, the row's own middle, the endpoint where the way is HTTP, wire. */
export interface World extends AsyncDisposable {
  readonly front: Network;
  readonly back: Wire;
  readonly middle: Middle;
  /** Of SQL over HTTP, through the network; null on other ways. */
  readonly endpoint: string | null;
  /** The database, through the network where the way is not HTTP. */
  readonly url: string;
  /** Takes every fault off. */
  heal(): Promise<void>;
}

/** Builds it, from the server to the client. */
export async function openWorld(fault: Fault, way: Way, server: PostgresServer): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    const back = stack.use(await startWire(server));
    const overHttp = isOverHttp(way);
    const behind = await standBehind(overHttp, { server, back, stack });
    const middle: Middle = (await fault.middle?.(behind, server, way)) ?? { ...behind, [Symbol.asyncDispose]: async () => {} };
    stack.use(middle);
    const front = stack.use(await startNetwork(middle));
    const url = new URL(server.url());
    const host = fault.byName ? "localhost" : "127.0.0.1";
    url.hostname = host;
    if (fault.login !== undefined) {
      url.username = fault.login.user;
      url.password = encodeURIComponent(fault.login.password);
    }
    url.port = String(overHttp ? server.port : front.port);
    return {
      front,
      back,
      middle,
      endpoint: overHttp ? `${middle.https ? "https" : "http"}://${host}:${front.port}` : null,
      url: url.href,
      async heal() {
        await front.admit();
        front.reset("swallow");
        back.resume();
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

interface Behind {
  readonly server: PostgresServer;
  readonly back: Wire;
  readonly stack: AsyncDisposableStack;
}

async function standBehind(overHttp: boolean, { server, back, stack }: Behind): Promise<Address> {
  if (!overHttp) return { host: "127.0.0.1", port: back.port };
  const databaseUrl = new URL(server.url());
  databaseUrl.port = String(back.port);
  const endpoint = await startEndpoint({ databaseUrl: databaseUrl.href, port: 0 });
  stack.defer(() => endpoint.stop());
  return { host: "127.0.0.1", port: endpoint.port };
}
