import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A port of this machine on which nobody listens, and nobody can while it is held: it is the near end of connections. */
export interface RefusingPort extends AsyncDisposable {
  readonly port: number;
}

/** Takes one, on 127.0.0.1 and on ::1, for `localhost` is both. */
export async function takeRefusingPort(): Promise<RefusingPort> {
  const first = await hold("127.0.0.1");
  try {
    const second = await hold("::1", first.port);
    return {
      port: first.port,
      async [Symbol.asyncDispose]() {
        await first.letGo();
        await second.letGo();
      },
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // a machine without IPv6 has one loopback alone
    if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return { port: first.port, [Symbol.asyncDispose]: first.letGo };
    await first.letGo();
    // somebody has it there
    if (code === "EADDRINUSE") return takeRefusingPort();
    throw error;
  }
}

/** Holds a port of one address: any, or this. */
async function hold(host: string, localPort?: number): Promise<{ readonly port: number; letGo(): Promise<void> }> {
  const listener = createServer();
  let accepted: Socket | undefined;
  listener.once("connection", (socket: Socket) => {
    accepted = socket.on("error", () => {});
  });
  await once(listener.listen(0, host), "listening");
  const { port } = listener.address() as AddressInfo;
  const client = connect({ port, host, ...(localPort !== undefined && { localPort, localAddress: host }) });
  const letGo = async () => {
    client.destroy();
    accepted?.destroy();
    listener.close();
    await once(listener, "close");
  };
  try {
    await once(client, "connect");
  } catch (error) {
    await letGo();
    throw error;
  }
  return { port: client.localPort as number, letGo };
}
