import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { startEndpoint } from "../../../src/endpoint/endpoint.ts";
import type { PostgresServer } from "../../support/postgres/server.ts";
import { createMessageReader, isCommandComplete, type PostgresMessage } from "../../support/postgres-messages.ts";
import { type Address, isOverHttp, type Middle, type Way } from "../fault.ts";

/** A server whose messages are in Russian, as `lc_messages` makes them; the binaries of the tests have no translations. */
export interface Translator extends Middle {
  /** Severities translated so far. */
  readonly translated: number;
  /** Ends the connection at the next command with this tag, when it was done: the server says farewell where it would say that it is ready. */
  farewellBehind(tag: string): void;
  /** Farewells said so far in that place. */
  readonly farewells: number;
}

const severities: Readonly<Record<string, string>> = { ERROR: "ОШИБКА", FATAL: "ВАЖНО", PANIC: "ПАНИКА" };
const farewell = "SFATAL\0VFATAL\0C57P01\0Mthe connection is terminated\0Fpostgres.c\0L3000\0RProcessInterrupts\0\0";

/** Stands right before Postgres; over HTTP an endpoint of its own stands before it. */
export async function startTranslator(next: Address, server: PostgresServer, way: Way): Promise<Translator> {
  await using stack = new AsyncDisposableStack();
  const target = isOverHttp(way) ? server : next;
  const sockets = new Set<Socket>();
  let translated = 0;
  let farewells = 0;
  let isLast: ((message: PostgresMessage) => boolean) | undefined;

  const listener = createServer((client) => {
    const upstream = connect({ host: target.host, port: target.port });
    const reader = createMessageReader();
    let ending = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("end", () => upstream.end());
    upstream.on("end", () => client.end());
    client.on("data", (chunk) => {
      for (const { bytes } of reader.readClient(chunk)) upstream.write(bytes);
    });
    upstream.on("data", (chunk) => {
      for (const { bytes, message } of reader.readServer(chunk)) {
        if (client.writableEnded) return;
        if (message?.type === "E") {
          translated += 1;
          client.write(translate(message.body));
          continue;
        }
        if (message && isLast?.(message)) {
          isLast = undefined;
          ending = true;
        }
        if (ending && message?.type === "Z") {
          farewells += 1;
          client.end(translate(Buffer.from(farewell)));
          upstream.destroy();
          return;
        }
        client.write(bytes);
      }
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const own = listener.address() as { readonly port: number };
  const url = new URL(server.url());
  url.port = String(own.port);
  const endpoint = isOverHttp(way) ? await startEndpoint({ databaseUrl: url.href, port: 0 }) : undefined;
  if (endpoint !== undefined) stack.defer(() => endpoint.stop());
  const held = stack.move();
  return {
    host: "127.0.0.1",
    port: endpoint?.port ?? own.port,
    get translated() {
      return translated;
    },
    get farewells() {
      return farewells;
    },
    farewellBehind(tag) {
      isLast = isCommandComplete(tag);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** An ErrorResponse whose localized severity is another; the one that is never localized, field V, stays. */
function translate(body: Buffer): Buffer {
  const [first = "", ...rest] = body.toString("utf8").split("\0");
  const severity = first.slice(1);
  const text = Buffer.from([`S${severities[severity] ?? severity}`, ...rest].join("\0"));
  const head = Buffer.alloc(5);
  head.write("E", "latin1");
  head.writeUInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]);
}
