import type { Fault, Ground, Round } from "../fault.ts";
import { strikeNextWrite } from "./next-write.ts";

const options = { deadlineMs: 1_000 };

/** Connections that say nothing, or hardly anything, and do not end. */
export const silent: readonly Fault[] = [
  {
    group: "connection",
    name: "swallowed both ways while idle",
    // where a connection waits for the next call
    ways: ["pool", "http", "lambda"],
    rounds: 5,
    bareRounds: 1,
    options,
    round: (ground) => strikeNextWrite(ground, "swallow"),
  },
  {
    group: "connection",
    name: "swallowed both ways in flight",
    ways: ["pool", "http", "websocket", "request", "lambda"],
    rounds: 5,
    bareRounds: 1,
    options,
    round: (ground) => layWaiting(ground, { kind: "swallow" }),
  },
  {
    group: "connection",
    name: "answers swallowed, statements not",
    ways: ["pool", "http", "websocket", "request", "lambda"],
    rounds: 5,
    bareRounds: 1,
    options,
    async round({ admin, applicationName, back, write }) {
      const { lock, release } = await admin.lock();
      const writing = write(lock);
      await admin.waiting(applicationName);
      back.holdServer("open");
      await release();
      await admin.waiting(applicationName, false);
      // the server went on, and whoever waits for it was told nothing
      const { state } = await writing;
      return { struck: state !== "ok" };
    },
  },
  {
    group: "connection",
    name: "slow drip",
    ways: ["pool", "http", "websocket", "request", "lambda"],
    rounds: 5,
    round: (ground) => layWaiting(ground, { kind: "drip", delayMs: 1 }),
  },
];

/** Lays it on the connection while its statement waits in the server; then the server answers. */
async function layWaiting(
  ground: Ground,
  fault: { readonly kind: "swallow" } | { readonly kind: "drip"; readonly delayMs: number },
): Promise<Round> {
  const { admin, applicationName, front, write } = ground;
  const before = front.strikes.length;
  const { lock, release } = await admin.lock();
  const writing = write(lock);
  await admin.waiting(applicationName);
  front.lay(fault);
  await release();
  await writing;
  return { struck: front.strikes.length > before };
}
