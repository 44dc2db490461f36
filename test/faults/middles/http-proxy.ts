import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import { connect, type Socket } from "node:net";
import type { Address, Middle } from "../fault.ts";

/** An answer as the endpoint gave it. */
export interface PassedAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** What is done with a request instead of answering it. `pass` hands it on to the endpoint, which carries it out. */
export type Trick = (exchange: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  pass(): Promise<PassedAnswer>;
}) => Promise<void>;

/** A load balancer before the endpoint, which answers as it is told. */
export interface HttpProxy extends Middle {
  /** From now on this is done with every `POST`; undefined passes all on. */
  play(trick: Trick | undefined): void;
  /** From now on a WebSocket is answered with this status; undefined passes all on. */
  refuseUpgrades(status: number | undefined): void;
  /** Requests on which a trick was played, and upgrades refused, so far. */
  readonly struck: number;
}

/** Starts it before `next`. */
export async function startHttpProxy(next: Address): Promise<HttpProxy> {
  const sockets = new Set<Socket>();
  let trick: Trick | undefined;
  let upgradeStatus: number | undefined;
  let struck = 0;

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const pass = () => passOn(next, request, Buffer.concat(chunks));
    if (trick !== undefined) {
      struck += 1;
      // the client may be gone by the time the trick is over
      return void trick({ request, response, pass }).catch(() => response.destroy());
    }
    await pass().then(
      ({ status, body }) => response.writeHead(status, { "content-length": body.length, "access-control-allow-origin": "*" }).end(body),
      () => response.destroy(),
    );
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request, socket: Socket, head) => {
    socket.on("error", () => socket.destroy());
    if (upgradeStatus !== undefined) {
      struck += 1;
      socket.end(`HTTP/1.1 ${upgradeStatus} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const onward = connect(next.port, next.host);
    onward.on("error", () => socket.destroy()).on("close", () => socket.destroy());
    socket.once("close", () => onward.destroy());
    const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    onward.write(`GET ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  return {
    host: "127.0.0.1",
    port,
    get struck() {
      return struck;
    },
    play(next) {
      trick = next;
    },
    refuseUpgrades(status) {
      upgradeStatus = status;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sends the request on; a client that goes away takes it along, as a load balancer would have it. */
function passOn(next: Address, { method, url, headers }: IncomingMessage, body: Buffer): Promise<PassedAnswer> {
  return new Promise((resolve, reject) => {
    const { connection: _, host: __, ...rest } = headers;
    const onward = send({ host: next.host, port: next.port, method, path: url, headers: rest, agent: false }, async (answer) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of answer) chunks.push(chunk);
        resolve({ status: answer.statusCode ?? 502, body: Buffer.concat(chunks) });
      } catch (error) {
        reject(error);
      }
    });
    onward.on("error", reject);
    onward.end(body);
  });
}
