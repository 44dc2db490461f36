import { setTimeout as delay } from "node:timers/promises";
import type { PostgresServer } from "../support/postgres/server.ts";
import type { Admin } from "./admin.ts";
import { openBook } from "./book.ts";
import type { Contender } from "./contender.ts";
import type { Fault, Way } from "./fault.ts";
import { createGround } from "./ground.ts";
import { median, type Tally } from "./tally.ts";
import { openWorld } from "./world.ts";

/** One fault, on one way, for one contender. */
export interface RowRun {
  readonly fault: Fault;
  readonly way: Way;
  readonly contender: Contender;
  readonly server: PostgresServer;
  readonly admin: Admin;
  readonly rounds: number;
  /** As in the ground. */
  readonly quick: boolean;
}

const DEFAULT_MAX = 2;
const DEFAULT_DEADLINE_MS = 2_000;
/** Warmline may take so long beyond its deadline on a busy machine; a bare driver, which has no deadline, is given up sooner. */
const SLACK_MS = { warmline: 10_000, bare: 500 };
const PATIENCE_MS = { warmline: 20_000, bare: 2_000 };
const LEAK_PATIENCE_MS = 10_000;

let runs = 0;

/** Runs the rounds, closes the contender's client, and asks the table. Throws when warmline does not feel the fault in as many rounds as are asked for. */
export async function runRow({ fault, way, contender, server, admin, rounds, quick }: RowRun): Promise<Tally> {
  const applicationName = `fault-${process.pid}-${++runs}`;
  const kind = contender.name === "bare" ? "bare" : "warmline";
  const { deadlineMs = DEFAULT_DEADLINE_MS, max = DEFAULT_MAX } = fault.options ?? {};
  const book = openBook(applicationName);
  const before = contender.count();
  await using world = await openWorld(fault, way, server);
  const { ground, counts, recovered } = createGround({
    ...{ way, contender, server, admin, world, book, applicationName, deadlineMs, quick },
    slackMs: SLACK_MS[kind],
    patienceMs: PATIENCE_MS[kind],
  });
  const { url, endpoint } = world;
  await contender.open({
    way,
    url,
    endpoint,
    applicationName,
    options: { ...(way !== "lambda" && { max }), deadlineMs, ...fault.options },
  });

  const wrong: string[] = [];
  const holding = way === "lambda" ? 1 : way === "request" ? 0 : max;
  const countsBackends = way !== "http" && fault.pooled !== true;
  let figures: Tally["figures"];
  let leaked = 0;
  let done = 0;
  for (let unfelt = 0; done < rounds; ) {
    await ground.ready();
    const round = await fault.round(ground);
    if (!recovered()) await ground.recover();
    if (countsBackends) leaked += await surplus(admin, applicationName, holding);
    if (round.wrong !== undefined) wrong.push(round.wrong);
    figures = round.figures ?? figures;
    if (round.struck) done += 1;
    // a bare driver may die before it can feel it
    else if (++unfelt > rounds && kind === "bare") break;
    else if (unfelt > rounds) throw new Error(`"${fault.name}" was not felt in ${unfelt} rounds of ${contender.name} (${way}).`);
  }
  await ground.send("close", {});
  // an endpoint keeps its own connections for whoever asks next: there only what is still at work is left over
  leaked += await surplus(admin, applicationName, 0, countsBackends ? undefined : "idle");
  const after = contender.count();
  return {
    ...(await book.judge(admin)),
    rounds: done,
    failed: counts.failed,
    hung: counts.hung,
    leaked,
    unhandled: after.unhandled - before.unhandled,
    deaths: after.deaths - before.deaths,
    recoveryMs: median(counts.recoveries),
    unrecovered: counts.unrecovered,
    wrong,
    ...(figures && { figures }),
  };
}

/** How many backends there are beyond those that may be, once the server has had time to end what is over. */
async function surplus(admin: Admin, applicationName: string, may: number, except?: string): Promise<number> {
  for (const giveUpAt = Date.now() + LEAK_PATIENCE_MS; ; await delay(10)) {
    const backends = (await admin.backends(applicationName)).filter(({ state }) => state !== except);
    const beyond = Math.max(0, backends.length - may);
    if (beyond === 0 || Date.now() > giveUpAt) return beyond;
  }
}
