import { isCommandComplete } from "../../support/postgres-messages.ts";

import { until } from "../admin.ts";
import { type Expected, otherwise, struckOnItsWay } from "../expected.ts";
import type { Fault, Ground, Round } from "../fault.ts";
import type { Outcome } from "../outcome.ts";

/** Sessions the server itself ends. */
export const killed: readonly Fault[] = [
  {
    group: "connection",
    name: "backend killed idle",
    // where a connection waits for the next call
    ways: ["pool", "http", "lambda"],
    rounds: 10,
    async round(ground) {
      const killed = await ground.admin.kill(ground.applicationName, "idle");
      await ground.pause();
      // what was used a moment ago is not asked: the farewell has to have arrived
      if (ground.way !== "lambda") await until(() => ground.back.openConnections() === 0);
      const { state, code } = await ground.write();
      return { struck: killed > 0, wrong: state === "ok" ? undefined : `the next write fails (${code})` };
    },
  },
  {
    group: "connection",
    name: "backend killed in flight",
    ways: ["pool", "http", "websocket", "request", "lambda"],
    rounds: 10,
    round: (ground) => killWaiting(ground, struckOnItsWay(ground.way, "57P01"), (lock) => ground.write(lock)),
  },
  {
    group: "connection",
    name: "backend killed in a transaction",
    ways: ["pool", "http", "websocket", "request", "lambda"],
    rounds: 10,
    // a batch has its COMMIT with it
    round: (ground) =>
      killWaiting(ground, { code: "57P01", fate: ground.way === "http" ? "unknown" : "refused" }, (lock) => ground.transaction(lock)),
  },
  {
    group: "connection",
    name: "connection lost between COMMIT and its answer",
    ways: ["pool", "http", "websocket", "request", "lambda"],
    rounds: 10,
    round: (ground) => loseAnswer(ground, "COMMIT", () => ground.transaction()),
  },
  {
    group: "connection",
    name: "connection lost between a write and its answer",
    // over a WebSocket a write by itself is a transaction's
    ways: ["pool", "http", "request", "lambda"],
    rounds: 10,
    round: (ground) => loseAnswer(ground, "INSERT 0 1", () => ground.write()),
  },
  {
    group: "connection",
    name: "connection lost in the middle of a write's answer",
    ways: ["pool", "http", "request", "lambda"],
    rounds: 10,
    round: (ground) => loseAnswer(ground, "INSERT 0 1", () => ground.write(), "half"),
  },
];

/** Ends the backend while the call waits for a lock in it. */
async function killWaiting(
  { admin, applicationName }: Ground,
  expected: Expected,
  call: (lock: number) => Promise<Outcome>,
): Promise<Round> {
  const { lock, release } = await admin.lock();
  const calling = call(lock);
  await admin.waiting(applicationName);
  const killed = await admin.kill(applicationName, "active");
  const outcome = await calling;
  await release();
  return { struck: killed > 0, wrong: otherwise(outcome, expected) };
}

/** Cuts the connection when the server reports the command done: that message is lost, all of it or its second half, and the command was done. */
async function loseAnswer(
  { way, back }: Ground,
  tag: string,
  call: () => Promise<Outcome>,
  passOn: false | "half" = false,
): Promise<Round> {
  let struck = false;
  const cut = back.cutAt(isCommandComplete(tag), { passOn }).then(() => {
    struck = true;
  });
  const outcome = await call();
  if (struck) await cut;
  // over HTTP it is the endpoint that loses it
  return { struck, wrong: otherwise(outcome, { code: way === "http" ? "HTTP_STATUS" : "CONNECTION_LOST", fate: "unknown" }) };
}
