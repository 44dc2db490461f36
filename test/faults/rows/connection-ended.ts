import { until } from "../admin.ts";
import { otherwise, struckOnItsWay } from "../expected.ts";
import type { Fault, Ground, Round, Way } from "../fault.ts";
import { strikeNextWrite } from "./next-write.ts";

const everywhere: readonly Way[] = ["pool", "http", "websocket", "request", "lambda"];
/** Where a connection waits for the next call. */
const kept: readonly Way[] = ["pool", "http", "lambda"];

/** Connections that end, in words or without. */
export const ended: readonly Fault[] = [
  { group: "connection", name: "FIN while idle", ways: kept, rounds: 10, round: (ground) => endIdle(ground, "fin") },
  { group: "connection", name: "FIN in flight", ways: everywhere, rounds: 10, round: (ground) => endWaiting(ground, "fin") },
  { group: "connection", name: "RST while idle", ways: kept, rounds: 10, round: (ground) => endIdle(ground, "rst") },
  { group: "connection", name: "RST in flight", ways: everywhere, rounds: 10, round: (ground) => endWaiting(ground, "rst") },
  {
    group: "connection",
    name: "RST on the next write",
    ways: kept,
    rounds: 10,
    round: (ground) => strikeNextWrite(ground, "rst-on-write"),
  },
];

/** Ends what is open; the client has seen it before the next write, unless it is frozen. */
async function endIdle(ground: Ground, kind: "fin" | "rst"): Promise<Round> {
  const { front } = ground;
  const laid = front.lay({ kind });
  await ground.pause();
  if (ground.way !== "lambda") await until(() => front.openConnections() === 0);
  const { state, code } = await ground.write();
  return { struck: laid > 0, wrong: state === "ok" ? undefined : `the next write fails (${code})` };
}

/** Ends the connection while its statement waits in the server, and is carried out afterwards. */
async function endWaiting({ way, admin, applicationName, front, write }: Ground, kind: "fin" | "rst"): Promise<Round> {
  const { lock, release } = await admin.lock();
  const writing = write(lock);
  await admin.waiting(applicationName);
  const laid = front.lay({ kind });
  const outcome = await writing;
  await release();
  return { struck: laid > 0, wrong: otherwise(outcome, struckOnItsWay(way, "CONNECTION_LOST")) };
}
