import { connect, type Socket } from "node:net";
import type { Fault } from "./network.ts";

/** One client's connection through a network. */
export interface Link {
  lay(fault: Fault): void;
  /** What lies on it. */
  fault(): Fault["kind"] | undefined;
  /** Resets both sides. */
  reset(): void;
}

/** What a link is made of. */
export interface LinkOptions {
  readonly client: Socket;
  readonly target: { readonly host: string; readonly port: number };
  /** Called once for each fault laid, when it is first felt. */
  onStrike(kind: Fault["kind"]): void;
  onClose(): void;
}

type Side = "client" | "server";

/** Joins `client` to the target until both sides are closed. */
export function openLink({ client, target, onStrike, onClose }: LinkOptions): Link {
  const { host, port } = target;
  const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const sides = { client, server };
  const other = { client: server, server: client };
  const lines = { client: createLine(), server: createLine() };
  let fault: Fault | undefined;
  let leftBytes = 0;
  let withheld: (() => void)[] = [];
  let felt = false;

  const strike = (kind: Fault["kind"]) => {
    if (!felt) onStrike(kind);
    felt = true;
  };
  const reset = () => {
    client.resetAndDestroy();
    server.resetAndDestroy();
  };
  /** Passes something on in its turn: withheld, late, or at once. */
  const pass = (from: Side, act: () => void) => {
    if (fault?.kind === "withhold" && from === "server") return void withheld.push(act);
    if (fault?.kind === "delay") strike("delay");
    lines[from](fault?.kind === "delay" ? fault.delayMs : 0, act);
  };
  /** Passes bytes on one by one. The line keeps their order, whatever follows them. */
  const drip = (bytes: Buffer, delayMs: number) => {
    strike("drip");
    fault = undefined;
    for (const [index, byte] of bytes.entries()) {
      lines.server((index + 1) * delayMs, () => client.writable && client.write(Uint8Array.of(byte)));
    }
  };
  const release = () => {
    const acts = withheld;
    withheld = [];
    fault = undefined;
    if (acts.length > 0) strike("withhold");
    for (const act of acts) act();
  };
  const cut = (from: Side, last: Buffer) => {
    strike("cut-after");
    fault = { kind: "swallow" };
    const reader = other[from];
    if (!reader.writable) return reset();
    reader.write(last, () => {
      // A reset could overtake what was written: the reader gets that, and the end behind it.
      reader.destroySoon();
      sides[from].resetAndDestroy();
    });
  };

  const onData = (from: Side, bytes: Buffer) => {
    if (fault?.kind === "swallow") return strike("swallow");
    if (fault?.kind === "rst-on-write") {
      if (from === "server") return;
      strike("rst-on-write");
      client.resetAndDestroy();
      // The server would wait for ever for a client that is gone.
      server.destroy();
      return;
    }
    if (fault?.kind === "cut-after" && fault.from === from) {
      if (bytes.length >= leftBytes) return cut(from, bytes.subarray(0, leftBytes));
      leftBytes -= bytes.length;
    }
    if (fault?.kind === "drip" && from === "server") return drip(bytes, fault.delayMs);
    pass(from, () => other[from].writable && other[from].write(bytes));
    if (from === "client" && fault?.kind === "withhold") release();
  };
  const onEnd = (from: Side, end: () => void) => {
    if (fault?.kind === "swallow") return strike("swallow");
    if (fault?.kind === "rst-on-write" && from === "server") return;
    pass(from, end);
  };
  for (const from of ["client", "server"] as const) {
    const socket = sides[from];
    socket.on("data", (bytes) => onData(from, bytes));
    socket.on("end", () => onEnd(from, () => other[from].end()));
    socket.on("error", () => onEnd(from, () => other[from].resetAndDestroy()));
    socket.on("close", () => client.destroyed && server.destroyed && onClose());
  }
  return {
    fault: () => fault?.kind,
    lay(laid) {
      fault = laid;
      felt = false;
      if (laid.kind === "cut-after") leftBytes = laid.bytes;
      if (laid.kind !== "fin" && laid.kind !== "rst") return;
      strike(laid.kind);
      if (laid.kind === "rst") return reset();
      client.end();
      server.end();
    },
    reset,
  };
}

/** A direction in which nothing overtakes, however the delay changes. */
function createLine(): (delayMs: number, act: () => void) => void {
  const waiting: (() => void)[] = [];
  return (delayMs, act) => {
    if (delayMs === 0 && waiting.length === 0) return act();
    waiting.push(act);
    setTimeout(() => waiting.shift()?.(), delayMs);
  };
}
