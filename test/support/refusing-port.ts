import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** A port of 127.0.0.1 that refuses connections, and that nobody else is given before it is disposed of. */
export interface RefusingPort extends AsyncDisposable {
  readonly port: number;
}

/** Takes one: it is the client's end of a connection that stays open, so it is in use, and nobody listens there. */
export async function takeRefusingPort(): Promise<RefusingPort> {
  const listener = createServer();
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const accepted = once(listener, "connection");
  const client = connect((listener.address() as AddressInfo).port, "127.0.0.1");
  await Promise.all([accepted, once(client, "connect")]);
  return {
    port: client.localPort as number,
    async [Symbol.asyncDispose]() {
      client.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
