import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createMessageReader, type Piece } from "./postgres-messages.ts";

/** A server that says something else of itself at login than it is. */
export interface PosingServer extends AsyncDisposable {
  readonly port: number;
  /** Statements it was sent, since it was started. */
  readonly statements: () => number;
  /** Logins it was asked for. */
  readonly logins: () => number;
}

/** Stands before a server on 127.0.0.1. Of the parameters in `says` the server's own word is passed on as the value given, or, with null, not at all. */
export async function startPosing(port: number, says: Readonly<Record<string, string | null>>): Promise<PosingServer> {
  const sockets = new Set<Socket>();
  let statements = 0;
  let logins = 0;
  const pose = ({ bytes, message }: Piece): Buffer => {
    if (message?.type !== "S") return bytes;
    const [name = ""] = message.body.toString().split("\0");
    const value = says[name];
    if (value === undefined) return bytes;
    if (value === null) return Buffer.alloc(0);
    const body = Buffer.from(`${name}\0${value}\0`);
    const head = Buffer.from("S....");
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const listener = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    const reader = createMessageReader();
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy()).on("close", () => to.destroy());
    }
    client.on("data", (chunk) => {
      const pieces = reader.readClient(chunk);
      for (const { message } of pieces) {
        if (message?.type === "startup") logins++;
        if (message?.type === "Q" || message?.type === "P") statements++;
      }
      server.write(Buffer.concat(pieces.map(({ bytes }) => bytes)));
    });
    server.on("data", (chunk) => client.write(Buffer.concat(reader.readServer(chunk).map(pose))));
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    statements: () => statements,
    logins: () => logins,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const socket of sockets) socket.destroy();
      await once(listener, "close");
    },
  };
}
