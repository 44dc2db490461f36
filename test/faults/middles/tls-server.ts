import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import type { Address, Middle } from "../fault.ts";

/** How a server speaks TLS, or does not. */
export type TlsManner =
  /** With a certificate that holds for this machine, signed by `ca.pem`. */
  | "good"
  /** With one that is over, or is another host's, signed by `faulty-ca.pem`. */
  | "expired"
  | "other-host"
  /** Not at all: it says no, as a plain server does, or as someone on the way who wants to read along; and listens to what comes then. */
  | "none";

/** Postgres with TLS in front of it. */
export interface TlsServer extends Middle {
  /** From now on connections are met so. */
  speak(manner: TlsManner): void;
  /** Connections that asked for TLS so far. */
  readonly asked: number;
  /** Bytes that clients sent behind a refused or an unverified TLS: a login, where one comes. */
  readonly confided: number;
}

const SSL_REQUEST_BYTES = 8;
const path = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));
const read = (name: string) => readFileSync(path(name), "utf8");

const certificates = {
  good: { cert: read("server.pem"), key: read("server-key.pem") },
  expired: { cert: read("expired.pem"), key: read("faulty-key.pem") },
  "other-host": { cert: read("other-host.pem"), key: read("faulty-key.pem") },
} as const;

/** The files of the authorities: of good certificates, and of those that are over or another's. */
export const authorityFile = { good: path("ca.pem"), faulty: path("faulty-ca.pem") } as const;

/** Starts it before `next`, good at first. */
export async function startTlsServer(next: Address): Promise<TlsServer> {
  const sockets = new Set<Socket>();
  let manner: TlsManner = "good";
  let asked = 0;
  let confided = 0;

  const keep = <T extends Socket>(socket: T): T => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).once("close", () => sockets.delete(socket));
    return socket;
  };
  const meet = (plain: Socket) => {
    const how = manner;
    asked += 1;
    if (how === "none") {
      plain.on("data", (bytes: Buffer) => {
        confided += bytes.length;
      });
      plain.write("N");
      return;
    }
    plain.write("S");
    const secure = keep(new TLSSocket(plain, { isServer: true, ...certificates[how] }));
    secure.on("data", (bytes: Buffer) => {
      if (how !== "good") confided += bytes.length;
    });
    const onward = keep(connect(next.port, next.host));
    onward.once("close", () => secure.destroy());
    secure.once("close", () => onward.destroy());
    secure.pipe(onward).pipe(secure);
  };

  const listener = createServer({ noDelay: true }, (socket) => {
    keep(socket);
    socket.once("readable", () => {
      // SSLRequest is all that a client says before it is answered
      if (socket.read(SSL_REQUEST_BYTES) === null) socket.destroy();
      else meet(socket);
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { readonly port: number };
  return {
    host: "127.0.0.1",
    port,
    get asked() {
      return asked;
    },
    get confided() {
      return confided;
    },
    speak(next) {
      manner = next;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
