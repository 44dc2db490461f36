import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import type { Random } from "../../support/random.ts";
import type { Wire } from "../../support/wire.ts";

/** What is struck: the link, and the server behind it. */
export interface StrikeGround {
  readonly wire: Wire;
  /** A client that is not struck. */
  readonly outside: Client;
  readonly random: Random;
}

/** One way to harm whoever is at work; resolves with how often it has struck. */
type Strike = (ground: StrikeGround) => Promise<number> | number;

const others = `from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`;

/** Messages that pass before a connection is cut at one. */
const SOON = 60;
/** How long answers are held back, milliseconds. */
const LONGEST_SILENCE_MS = 40;

const killOne: Strike = async ({ outside }) =>
  (await outside.query(`select pg_terminate_backend(pid) from (select pid ${others} order by random() limit 1) as one`)).rowCount ?? 0;

/** By name, what is done to them. */
export const strikes: Readonly<Record<string, Strike>> = {
  "a backend is killed": killOne,
  "every backend is killed": async ({ outside }) => (await outside.query(`select pg_terminate_backend(pid) ${others}`)).rowCount ?? 0,
  "a table changes, and a backend is killed": async (ground) => {
    await ground.outside.query("alter table soak alter changing type bigint").catch(() => {});
    await ground.outside.query("alter table soak alter changing type int").catch(() => {});
    return killOne(ground);
  },
  "every link is reset": ({ wire }) => {
    wire.cut();
    return 1;
  },
  "a link is reset at a message": ({ wire, random }) => {
    cutSoon(wire, random, random.once(2));
    return 1;
  },
  "a link is reset within a message": ({ wire, random }) => {
    cutSoon(wire, random, "half");
    return 1;
  },
  "the server is not heard for a while": async ({ wire, random }) => {
    wire.holdServer("open");
    await delay(random.between(1, LONGEST_SILENCE_MS));
    wire.resume();
    return 1;
  },
};

function cutSoon(wire: Wire, random: Random, passOn: boolean | "half"): void {
  let left = random.between(0, SOON);
  const from = random.pick(["client", "server"]);
  // not within a login: that is another test's
  void wire.cutAt((message) => message.from === from && /^[1-9A-OQT-Zacdnst]$/.test(message.type) && left-- <= 0, { passOn });
}
