import { connect, type Socket } from "node:net";
import { createMessageReader, type Piece, type PostgresMessage } from "./postgres-messages.ts";
import { createTripCounter } from "./round-trips.ts";

/** One client's connection through a wire. */
export interface WireConnection {
  hold(what: "both" | "server"): void;
  resume(): void;
  cut(): void;
}

/** What is to happen at a message: the connection is cut, before or after the message is passed on, or half of it. */
export interface Cut {
  readonly passOn: boolean | "half";
  done(): void;
}

/** What a connection is made of. */
export interface WireConnectionOptions {
  readonly client: Socket;
  readonly target: { readonly host: string; readonly port: number };
  readonly delayMs: number;
  judge(message: PostgresMessage): Cut | undefined;
  onRoundTrip(): void;
  onClose(): void;
}

/** Joins `client` to the target until both sides are closed. */
export function createConnection(options: WireConnectionOptions): WireConnection {
  const { client, target, delayMs, judge, onRoundTrip, onClose } = options;
  const server = connect({ ...target, allowHalfOpen: true, noDelay: true });
  const reader = createMessageReader();
  const trips = createTripCounter();
  const cutBoth = () => {
    reset(client);
    reset(server);
  };

  const noteClient = (piece: Piece) => {
    if (trips.client(piece)) onRoundTrip();
  };
  const toServer = createLane({ from: client, to: server, delayMs: 0, read: reader.readClient, judge, passed: noteClient, cut: cutBoth });
  const toClient = createLane({ from: server, to: client, delayMs, read: reader.readServer, judge, passed: trips.server, cut: cutBoth });

  for (const side of [client, server]) side.on("close", () => client.destroyed && server.destroyed && onClose());
  return {
    hold(what) {
      toClient.hold();
      if (what === "both") toServer.hold();
    },
    resume() {
      toServer.resume();
      toClient.resume();
    },
    cut: cutBoth,
  };
}

interface LaneOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly delayMs: number;
  read(chunk: Buffer): readonly Piece[];
  judge(message: PostgresMessage): Cut | undefined;
  passed(piece: Piece): void;
  cut(): void;
}

/** One direction of a connection. */
function createLane({ from, to, delayMs, read, judge, passed, cut }: LaneOptions): { hold(): void; resume(): void } {
  let held = false;
  let over = false;
  let draining = false;
  let kept: (() => void)[] = [];

  /** Everything takes the same way, so that nothing overtakes: first the distance, then the hold. */
  const arrive = (act: () => void) => {
    const land = () => (held ? void kept.push(act) : act());
    if (delayMs === 0) land();
    else setTimeout(land, delayMs);
  };
  const pass = (pieces: readonly Piece[], then?: () => void) => {
    arrive(() => {
      for (const piece of pieces) passed(piece);
      if (!to.writable) return then?.();
      const bytes = Buffer.concat(pieces.map((piece) => piece.bytes));
      if (to.write(bytes, then) || draining) return;
      draining = true;
      from.pause();
      to.once("drain", () => {
        draining = false;
        if (!held) from.resume();
      });
    });
  };

  from.on("data", (chunk) => {
    if (over) return;
    const pieces = read(chunk);
    for (const [index, { message }] of pieces.entries()) {
      const found = message && judge(message);
      if (found === undefined) continue;
      over = true;
      const last = found.passOn === "half" ? [firstHalf(pieces[index] as Piece)] : pieces.slice(index, found.passOn ? index + 1 : index);
      pass([...pieces.slice(0, index), ...last], () => {
        if (found.passOn === true) {
          // A reset could overtake the message: whoever receives it is told of the end after it.
          reset(from);
          to.end();
        } else {
          cut();
        }
        found.done();
      });
      return;
    }
    if (pieces.length > 0) pass(pieces);
  });
  from.on("end", () => arrive(() => to.end()));
  from.on("error", () => arrive(() => reset(to)));

  return {
    hold() {
      held = true;
      from.pause();
    },
    resume() {
      held = false;
      const waiting = kept;
      kept = [];
      for (const act of waiting) act();
      from.resume();
    },
  };
}

function firstHalf({ bytes }: Piece): Piece {
  return { bytes: bytes.subarray(0, Math.ceil(bytes.length / 2)), message: undefined };
}

/** Not one that was told to end: libuv refuses to reset what shuts down, and Node then keeps the handle, and does not exit. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
