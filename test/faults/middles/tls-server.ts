import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Address, Middle } from "../fault.ts";

/** How a server speaks TLS, or does not. */
export type TlsManner =
  /** With a certificate that holds for this machine, signed by an authority the clients trust. */
  | "good"
  /** With one that is over, or is another host's, by an authority they trust; or with a good one by an authority they do not know. */
  | "expired"
  | "other-host"
  | "stranger"
  /** Not at all: it says no, as a plain server does, or as someone on the way who wants to read along; and listens to what comes then. */
  | "none"
  /** Not at all, and it does not say so. */
  | "nothing";

/** Postgres, or SQL over HTTP, with TLS in front of it. */
export interface TlsServer extends Middle {
  /** From now on connections are met so; those that were told nothing end. */
  speak(manner: TlsManner): void;
  /** Connections that asked for TLS so far. */
  readonly asked: number;
  /** Bytes that clients sent behind a refused or an unverified TLS: a login or a request, where one comes. */
  readonly confided: number;
}

const SSL_REQUEST_BYTES = 8;
/** Types of TLS records, and what their length stands at the end of. Source: RFC 8446, section 5.1. */
const [ALERT, HANDSHAKE] = [21, 22];
const RECORD_HEAD_BYTES = 5;
const read = (name: string) => readFileSync(new URL(`../../support/tls/${name}`, import.meta.url), "utf8");

const certificates = {
  good: { cert: read("server.pem"), key: read("server-key.pem") },
  expired: { cert: read("expired.pem"), key: read("faulty-key.pem") },
  "other-host": { cert: read("other-host.pem"), key: read("faulty-key.pem") },
  stranger: { cert: read("stranger.pem"), key: read("faulty-key.pem") },
} as const;

/** Starts it before `next`, good at first. TLS is asked for as Postgres has it, or begins at once, as for https. */
export async function startTlsServer(next: Address, { https }: { readonly https: boolean }): Promise<TlsServer> {
  const sockets = new Set<Socket>();
  const unanswered = new Set<Socket>();
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
    if (how === "nothing") return void unanswered.add(plain.resume());
    if (how === "none") return refuse(plain);
    if (!https) plain.write("S");
    const secure = keep(new TLSSocket(plain, { isServer: true, ...certificates[how] }));
    secure.on("data", (bytes: Buffer) => {
      if (how !== "good") confided += bytes.length;
    });
    const onward = keep(connect(next.port, next.host));
    onward.once("close", () => secure.destroy());
    secure.once("close", () => onward.destroy());
    secure.pipe(onward).pipe(secure);
  };
  const refuse = (plain: Socket) => {
    let said: Buffer = Buffer.alloc(0);
    plain.on("data", (bytes: Buffer) => {
      const before = beyondTls(said);
      said = Buffer.concat([said, bytes]);
      confided += beyondTls(said) - before;
    });
    if (https) plain.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    else plain.write("N");
  };

  const listener = createServer({ noDelay: true }, (socket) => {
    keep(socket);
    socket.once("readable", () => {
      // SSLRequest is all that a client says to Postgres before it is answered
      if (https ? socket.readableLength === 0 : socket.read(SSL_REQUEST_BYTES) === null) socket.destroy();
      else meet(socket);
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { readonly port: number };
  return {
    host: "127.0.0.1",
    port,
    https,
    get asked() {
      return asked;
    },
    get confided() {
      return confided;
    },
    speak(next) {
      manner = next;
      for (const socket of unanswered) socket.destroy();
      unanswered.clear();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}

/** How much of what a client said is no handshake and no alert of TLS, bytes: what it meant for whoever listens. */
function beyondTls(said: Buffer): number {
  let at = 0;
  while (said[at] === ALERT || said[at] === HANDSHAKE) {
    if (at + RECORD_HEAD_BYTES > said.length) return 0;
    at += RECORD_HEAD_BYTES + said.readUInt16BE(at + 3);
  }
  return Math.max(0, said.length - at);
}
