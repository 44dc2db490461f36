import { inject } from "vitest";
import { WebSocket } from "ws";

/** A WebSocket to an endpoint's `/v2`, and what became of it. */
export interface Tunnel {
  readonly webSocket: WebSocket;
  /** What came through it so far. */
  readonly text: () => string;
  /** 101 when it was opened, or the status it was refused with. */
  readonly status: Promise<number | undefined>;
  readonly closed: Promise<void>;
}

/** Opens a WebSocket to `/v2`; whoever opens it ends it. */
export function openTunnel(port: number, path = "/v2"): Tunnel {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  const received: Buffer[] = [];
  webSocket.on("message", (data: Buffer) => received.push(data));
  webSocket.on("error", () => undefined);
  return {
    webSocket,
    text: () => Buffer.concat(received).toString("latin1"),
    status: new Promise<number | undefined>((resolve) => {
      webSocket.once("open", () => resolve(101));
      webSocket.once("unexpected-response", (_, response) => {
        response.destroy();
        resolve(response.statusCode);
      });
    }),
    closed: new Promise<void>((resolve) => webSocket.once("close", () => resolve())),
  };
}

/** StartupMessage and the password in one, as Neon's driver sends them. */
export function loginMessages(name: string, password = inject("postgres").password): Buffer {
  const { user, database } = inject("postgres");
  const pairs = Buffer.from(`user\0${user}\0database\0${database}\0application_name\0${name}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + pairs.length, 0);
  head.writeInt32BE(196_608, 4);
  const secret = Buffer.from(`${password}\0`);
  const type = Buffer.from("p\0\0\0\0");
  type.writeInt32BE(4 + secret.length, 1);
  return Buffer.concat([head, pairs, type, secret]);
}

/** Whether the login is over. */
export const isReady = (text: string) => text.includes("Z\0\0\0\x05I");
