import { failing, otherwise, struckOnItsWay } from "../expected.ts";
import type { Fault, Ground, Round, Way } from "../fault.ts";
import { strikeNextWrite } from "./next-write.ts";

const options = { deadlineMs: 1_000 };

const givenUp = (way: Way) => struckOnItsWay(way, "DEADLINE_EXCEEDED");

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
    async round({ way, admin, applicationName, back, write }) {
      const { lock, release } = await admin.lock();
      const writing = write(lock);
      await admin.waiting(applicationName);
      back.holdServer("open");
      await release();
      await admin.waiting(applicationName, false);
      // the server went on, and whoever waits for it was told nothing
      const outcome = await writing;
      return { struck: outcome.state !== "ok", wrong: otherwise(outcome, givenUp(way)) };
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
  const { way, admin, applicationName, front, write } = ground;
  const before = front.strikes.length;
  const { lock, release } = await admin.lock();
  const writing = write(lock);
  await admin.waiting(applicationName);
  front.lay(fault);
  await release();
  const outcome = await writing;
  const wrong = fault.kind === "drip" ? failing(outcome) : otherwise(outcome, givenUp(way));
  return { struck: front.strikes.length > before, wrong };
}
