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

/** What Postgres says of the name that a client gave at login, and what Supavisor says in its place. */
const NAME_GIVEN = parameterStatus("application_name", "warmline");
const NAME_SAID = parameterStatus("application_name", "Supavisor");

/**
 * Takes what arrives as Supavisor 2 does of a client that holds no link to the server: what begins with a Sync is answered with ReadyForQuery, and
 * what stands behind it in the same packet is dropped. Its process ids are small numbers, as Postgres' own are, and it tells of its own
 * application_name, under which it is logged in at the server. Source: supabase/supavisor, `client_handler.ex`, `db_handler.ex`, `server.ex`.
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
      client.write(isLogin ? renamed(packet) : packet);
      if (packet.subarray(-READY.length).equals(READY)) holdsLink = isLogin = false;
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

function renamed(packet: Buffer): Buffer {
  const at = packet.indexOf(NAME_GIVEN);
  return at < 0 ? packet : Buffer.concat([packet.subarray(0, at), NAME_SAID, packet.subarray(at + NAME_GIVEN.length)]);
}

function parameterStatus(name: string, value: string): Buffer {
  const text = Buffer.from(`${name}\0${value}\0`);
  const head = Buffer.from([0x53, 0, 0, 0, 0]);
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]);
}
