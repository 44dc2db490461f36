import { createHook } from "node:async_hooks";
import { Socket } from "node:net";
import type { Wire } from "../support/wire.ts";

/** What one call costs of what can be counted. */
type Cost = [roundTrips: number, writes: number, messages: string, bytes: number, timers: number, promises: number];

const WARM_UPS = 10;
const COUNTED = 10;

/**
 * Warms a call up whose connection goes through `wire`, and counts what it costs at least: what else this process does meanwhile, the test
 * runner's own work, only adds timers and promises. Throws when it does not send the same kinds of messages each time.
 */
export async function leastCost(wire: Wire, call: () => Promise<unknown>): Promise<Cost> {
  for (let run = 0; run < WARM_UPS; run++) await call();
  let least = await countCall(wire, call);
  for (let run = 1; run < COUNTED; run++) least = cheaper(least, await countCall(wire, call));
  return least;
}

function cheaper(left: Cost, right: Cost): Cost {
  if (left[2] !== right[2]) throw new Error(`It sent ${left[2]}, and then ${right[2]}.`);
  return left.map((cost, index) => (typeof cost === "number" ? Math.min(cost, right[index] as number) : cost)) as Cost;
}

async function countCall(wire: Wire, call: () => Promise<unknown>): Promise<Cost> {
  const counted = { writes: 0, messages: "", bytes: 0, timers: 0, promises: 0 };
  using _ = watching(Socket.prototype, "write", (socket) => {
    if (socket.remotePort === wire.port) counted.writes += 1;
  });
  using __ = watching(globalThis, "setTimeout", () => {
    counted.timers += 1;
  });
  const stopReading = wire.onMessage(({ from, type, body }) => {
    if (from !== "client") return;
    counted.messages += type;
    counted.bytes += 5 + body.length;
  });
  const promises = createHook({
    init(_id, type) {
      if (type === "PROMISE") counted.promises += 1;
    },
  });
  wire.reset();
  promises.enable();
  try {
    await call();
  } finally {
    promises.disable();
    stopReading();
  }
  return [wire.roundTrips(), counted.writes, counted.messages, counted.bytes, counted.timers, counted.promises];
}

/** Tells of every call of a method until it is disposed of. */
function watching<Target extends object>(target: Target, method: keyof Target, tell: (self: Target) => void): Disposable {
  const original = target[method] as (...args: unknown[]) => unknown;
  const watched = function (this: Target, ...args: unknown[]) {
    tell(this);
    return original.apply(this, args);
  };
  Object.assign(target, { [method]: Object.assign(watched, original) });
  return { [Symbol.dispose]: () => void Object.assign(target, { [method]: original }) };
}
