import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What the server does with a request whose body it has read. */
export type Reply = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server that answers as it is told: it stands for what an endpoint, or a load balancer before it, may do. */
export interface ToldServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Bodies of the requests so far. */
  readonly bodies: readonly string[];
  /** What is done from now on. */
  tell(reply: Reply): void;
}

/** An answer with a status, a body and headers. An object is written as JSON. */
export function answer(status: number, body: unknown = "", headers: Readonly<Record<string, string>> = {}): Reply {
  return (_, response) => {
    response.writeHead(status, headers);
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

/** An answer that never ends. */
export interface Endless {
  readonly reply: Reply;
  /** Bytes that were written so far. */
  written: number;
  /** Whether whoever asked has closed the connection. */
  closed: boolean;
}

/** Writes `piece` for as long as somebody reads, behind a status, or behind what `begin` writes. */
export function endless(piece: Buffer, begin: number | ((socket: NodeJS.WritableStream) => void)): Endless {
  const state: Endless = {
    written: 0,
    closed: false,
    reply(request, response) {
      const stream: NodeJS.WritableStream = typeof begin === "number" ? response : request.socket;
      if (typeof begin === "number") response.writeHead(begin);
      else begin(stream);
      const more = () => {
        while (!state.closed) {
          state.written += piece.length;
          if (!stream.write(piece)) return;
        }
      };
      stream.on("drain", more);
      request.socket.on("close", () => {
        state.closed = true;
      });
      more();
    },
  };
  return state;
}

/** A space every few milliseconds, for as long as somebody reads. */
export const dribble: Reply = (request, response) => {
  response.writeHead(200);
  const timer = setInterval(() => response.write(" "), 5);
  request.socket.on("close", () => clearInterval(timer));
};

const field = { name: "word", tableID: 0, columnID: 0, dataTypeID: 25, dataTypeSize: -1, dataTypeModifier: -1, format: "text" };

/** What an endpoint says of a statement that gave one row: `{ word: "x" }`. */
export const oneRow = { fields: [field], rows: [["x"]], command: "SELECT", rowCount: 1, rowAsArray: true };

/** Starts it on 127.0.0.1 and a free port. */
export async function startToldServer(): Promise<ToldServer> {
  let reply: Reply = answer(500);
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    bodies.push(body);
    reply(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    bodies,
    tell(next) {
      reply = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
