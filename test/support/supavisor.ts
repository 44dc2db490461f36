import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What stands in for Supavisor in transaction mode. */
export interface Supavisor extends AsyncDisposable {
  readonly port: number;
}

/** A Sync, at the beginning of what has arrived. */
const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);

/** ReadyForQuery outside of a transaction, which gives the link to the server back. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** BackendKeyData, before the process id. */
const KEY = Buffer.from([0x4b, 0, 0, 0, 12]);

/**
 * Takes what arrives as Supavisor 2 does of a client that holds no link to the server: what begins with a Sync is answered with ReadyForQuery, and
 * what stands behind it in the same packet is dropped. It makes up process ids, too. Source: supabase/supavisor, `client_handler.ex`.
 */
export async function startSupavisor(target: { readonly host: string; readonly port: number }): Promise<Supavisor> {
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ ...target, noDelay: true });
    let holdsLink = true;
    let isLogin = true;
    client.on("data", (packet) => {
      if (!holdsLink && packet.subarray(0, SYNC.length).equals(SYNC)) return void client.write(READY);
      holdsLink = true;
      server.write(packet);
    });
    server.on("data", (packet) => {
      const at = isLogin ? packet.indexOf(KEY) : -1;
      if (at >= 0) packet.writeInt32BE(0x7fff_ffff, at + KEY.length);
      if (packet.subarray(-READY.length).equals(READY)) holdsLink = isLogin = false;
      client.write(packet);
    });
    for (const [socket, other] of [[client, server] as const, [server, client] as const]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
