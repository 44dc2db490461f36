import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { inject } from "vitest";
import { errorResponse } from "../../../src/endpoint/backend-messages.ts";
import { takeStartupPacket } from "../../../src/wire/startup-messages.ts";

/** A SQLSTATE to turn a login away with, and behind a space what is said; or `reset`: without a word. */
export type Refusal = string;

/** What stands before the test's Postgres, and turns away whom it is told to. */
export interface Doorman extends AsyncDisposable {
  readonly port: number;
  /** Logins it has turned away. */
  readonly refused: number;
  /** Turns away the next logins, one with each of these. */
  refuse(...refusals: readonly Refusal[]): void;
}

/** Starts it on 127.0.0.1 and a free port; at first it lets everybody in. */
export async function startDoorman(): Promise<Doorman> {
  const { host, port: serverPort } = inject("postgres");
  const sockets = new Set<Socket>();
  let refusals: Refusal[] = [];
  let refused = 0;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  };
  const judge = (client: Socket, first: Buffer) => {
    const refusal = takeStartupPacket(first)?.message.kind === "startup" ? refusals.shift() : undefined;
    if (refusal === undefined) {
      const server = keep(connect(serverPort, host));
      server.write(first);
      client.pipe(server).pipe(client);
      return;
    }
    refused++;
    if (refusal === "reset") client.resetAndDestroy();
    else
      client.end(errorResponse({ severity: "FATAL", code: refusal.slice(0, 5), message: refusal.slice(6) || "turned away at the door" }));
  };
  const listener = createServer((client) => void keep(client).once("data", (first) => judge(client, first)));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    get refused() {
      return refused;
    },
    refuse(...next) {
      refusals = [...next];
      refused = 0;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const socket of sockets) socket.destroy();
      await once(listener, "close");
    },
  };
}
