import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import type { Message } from "../../fuzz/server/answers.ts";
import { Backend, type Books } from "../../fuzz/server/backend.ts";

/** A server on 127.0.0.1 that answers rightly, and on demand hands its answers over, to be said in another way. */
export interface ScriptedServer extends AsyncDisposable {
  readonly port: number;
  /** What the statements of each connection wrote that it has read, in the order of connecting. */
  readonly books: readonly Books[];
  /** Keeps the answers to the next exchanges back until there are so many, and resolves with them. */
  keep(count: number): Promise<Kept>;
  /** Answers the next BEGIN as one that was cancelled. */
  refuseNextBegin(): void;
}

/** Answers that were not given, all of one connection. */
export interface Kept {
  readonly answers: readonly (readonly Message[])[];
  /** Says these bytes; resolves when the client has had time to read them. */
  say(bytes: Uint8Array): Promise<void>;
  /** Ends the connection. */
  end(how: "fin" | "rst"): void;
}

interface Keeping {
  readonly count: number;
  readonly answers: (readonly Message[])[];
  readonly resolve: (kept: Kept) => void;
}

/** Starts one. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  const books: Books[] = [];
  let keeping: Keeping | undefined;
  let refusesBegin = false;

  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const own: Books = { done: new Set(), alone: new Set() };
    books.push(own);
    const backend = new Backend({
      line: { send: (bytes) => void socket.write(bytes), end: () => socket.end() },
      books: own,
      asksPassword: false,
      refusesBegin() {
        const refuses = refusesBegin;
        refusesBegin = false;
        return refuses;
      },
      reply({ kind, messages }) {
        if (keeping === undefined || kind === "login") return void socket.write(bytesOf(messages));
        const { answers, count, resolve } = keeping;
        if (answers.push(messages) < count) return;
        keeping = undefined;
        resolve({
          answers,
          say: (bytes) => saying(socket, bytes),
          end: (how) => (how === "fin" ? socket.end() : socket.resetAndDestroy()),
        });
      },
    });
    socket.on("data", (chunk) => backend.read(chunk)).on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    books,
    keep: (count) => new Promise((resolve) => (keeping = { count, answers: [], resolve })),
    refuseNextBegin() {
      refusesBegin = true;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const socket of sockets) socket.destroy();
      await once(listener, "close");
    },
  };
}

/** The bytes of messages, one behind the other. */
export function bytesOf(messages: readonly Message[]): Buffer {
  return Buffer.concat(messages.map(({ bytes }) => bytes));
}

/** This process is both ends: what is written here is read in the next turn of the event loop. */
async function saying(socket: Socket, bytes: Uint8Array): Promise<void> {
  await new Promise((resolve) => socket.write(bytes, resolve));
  await turn();
  await turn();
}
