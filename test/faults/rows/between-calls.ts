import { until } from "../admin.ts";
import type { Fault, Ground, Round } from "../fault.ts";

/** What befalls the connection of a request between two of its calls. */
const blows: readonly (readonly [name: string, strike: (ground: Ground) => Promise<number>])[] = [
  ["backend killed", ({ admin, applicationName }) => admin.kill(applicationName, "idle")],
  ["FIN", async ({ front }) => front.lay({ kind: "fin" })],
  ["RST", async ({ front }) => front.lay({ kind: "rst" })],
];

/** Connections that end while a request holds them and does something else. */
export const betweenCalls: readonly Fault[] = blows.map(
  ([name, strike]): Fault => ({
    group: "connection",
    name: `${name} between two calls of a request`,
    ways: ["request"],
    rounds: 10,
    // bare, a connection ends with its call
    bareRounds: 0,
    round: (ground) => strikeBetween(ground, strike),
  }),
);

async function strikeBetween(ground: Ground, strike: (ground: Ground) => Promise<number>): Promise<Round> {
  const { admin, applicationName, front, send, id } = ground;
  // the last request's own may not be gone yet
  await until(async () => (await admin.backends(applicationName)).length === 0);
  const writing = send("paused", { first: id(), second: id() });
  await send("untilPaused", {});
  const struck = await strike(ground);
  await until(() => front.openConnections() === 0);
  await send("goOn", {});
  const { state, code } = await writing;
  return { struck: struck > 0, wrong: state === "ok" ? undefined : `the next write fails (${code})` };
}
