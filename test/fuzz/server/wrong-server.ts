import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Random } from "../../support/random.ts";
import type { Message } from "./answers.ts";
import { Backend, type Books, type Line, type Reply } from "./backend.ts";
import { type Misdeed, misdeeds, type Said } from "./misdeeds.ts";

/** A server on 127.0.0.1 that speaks Postgres' protocol, and once in a while another. */
export interface WrongServer extends AsyncDisposable {
  readonly port: number;
  readonly books: Books;
  /** Misbehaves once, with the first reply that gives occasion behind `after` others. Until then, and afterwards, all is right. */
  arm(misdeed: Misdeed, random: Random, after: number): void;
  /** Resolves with whether it has misbehaved since it was armed, when all of it has been said. From now on it does not. */
  disarm(): Promise<boolean>;
  /** How many connections there are now. */
  readonly connections: number;
}

/** Starts one, over TCP or over WebSocket. */
export async function startWrongServer(over: "tcp" | "websocket"): Promise<WrongServer> {
  const books: Books = { done: new Set(), alone: new Set() };
  const backends = new Set<Line>();
  let armed: { readonly misdeed: Misdeed; readonly random: Random; after: number } | undefined;
  let struck = false;
  const later = new Set<Promise<void>>();

  const strike = () => {
    if (armed === undefined || armed.after-- > 0) return undefined;
    return armed;
  };
  const reply = (right: Reply, line: OpenLine) => {
    const due = strike();
    const said = due?.misdeed(right, due.random);
    if (said !== undefined) {
      struck = true;
      armed = undefined;
    }
    const { messages, afterwards, ends, cut = 0, bytewise = false }: Said = said ?? { messages: right.messages };
    const bytes = bytesOf(messages);
    const kept = bytes.subarray(0, bytes.length - cut);
    if (bytewise) for (let at = 0; at < kept.length; at++) line.send(kept.subarray(at, at + 1));
    else line.send(kept);
    const end = () => {
      if (ends === "silence") line.mute();
      else if (ends !== undefined) line.end(ends);
    };
    if (afterwards === undefined) end();
    else later.add(sayLater(line, afterwards, ends !== undefined).then(end));
  };
  const serve = (line: OpenLine) => {
    backends.add(line);
    const refusesBegin = () => {
      const due = armed?.misdeed === misdeeds["begin refused"] && strike() !== undefined;
      if (due) {
        struck = true;
        armed = undefined;
      }
      return due;
    };
    const backend = new Backend({ line, books, asksPassword: over === "websocket", refusesBegin, reply: (right) => reply(right, line) });
    return {
      read: (chunk: Buffer) => {
        if (!line.muted) backend.read(chunk);
      },
      gone: () => backends.delete(line),
    };
  };

  if (over === "tcp") {
    const listener = createServer({ noDelay: true }, (socket) => {
      const { read, gone } = serve(lineOver(socket));
      socket.on("data", read).on("error", () => socket.destroy());
      socket.on("close", gone);
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return server(listener);
  }
  const listener = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/v2" });
  listener.on("connection", (socket) => {
    const { read, gone } = serve(lineOverWebSocket(socket));
    socket.on("message", (data) => read(data as Buffer)).on("error", () => socket.terminate());
    socket.on("close", gone);
  });
  await once(listener, "listening");
  return server(listener);

  function server(listener: { address(): unknown; close(): unknown }): WrongServer {
    return {
      port: (listener.address() as AddressInfo).port,
      books,
      arm(misdeed, random, after) {
        armed = { misdeed, random, after };
        struck = false;
      },
      async disarm() {
        armed = undefined;
        await Promise.all(later);
        later.clear();
        return struck;
      },
      get connections() {
        return backends.size;
      },
      async [Symbol.asyncDispose]() {
        listener.close();
        for (const line of backends) line.end("rst");
      },
    };
  }
}

/** Resolves when it has been said, and there was time to hear it. */
async function sayLater(line: OpenLine, { messages, afterMs }: NonNullable<Said["afterwards"]>, isFarewell: boolean): Promise<void> {
  if (typeof afterMs === "object") await afterMs;
  else await new Promise((resolve) => (afterMs === 0 ? setImmediate(resolve) : setTimeout(resolve, afterMs)));
  line.send(bytesOf(messages));
  // whoever has said farewell does nothing more
  if (isFarewell) line.mute();
  await new Promise((resolve) => setTimeout(resolve, 10));
}

function bytesOf(messages: readonly Message[]): Buffer {
  return Buffer.concat(messages.map(({ bytes }) => bytes));
}

interface OpenLine extends Line {
  readonly muted: boolean;
  /** Says and hears nothing any more. */
  mute(): void;
}

function lineOver(socket: Socket): OpenLine {
  let muted = false;
  return {
    get muted() {
      return muted;
    },
    mute() {
      muted = true;
    },
    send(bytes) {
      if (!muted && socket.writable) socket.write(bytes);
    },
    end(how) {
      if (how === "rst") socket.resetAndDestroy();
      else socket.end();
    },
  };
}

function lineOverWebSocket(socket: WebSocket): OpenLine {
  let muted = false;
  return {
    get muted() {
      return muted;
    },
    mute() {
      muted = true;
    },
    send(bytes) {
      if (!muted && socket.readyState === socket.OPEN) socket.send(bytes);
    },
    end(how) {
      if (how === "rst") socket.terminate();
      else socket.close();
    },
  };
}
