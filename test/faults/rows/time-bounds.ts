import type { Fate } from "../../../src/entry/node.ts";
import { isStatement } from "../../support/postgres-messages.ts";
import { until } from "../admin.ts";
import type { BoundedWrite } from "../errands/bounded.ts";
import { otherwise } from "../expected.ts";
import { type Fault, type Ground, type Round, type Way, ways } from "../fault.ts";
import type { Outcome } from "../outcome.ts";
import { isServerError, watch } from "../watch.ts";

/** How a call is given up. */
const enders = ["deadline", "abort"] as const;
type Ender = (typeof enders)[number];

const DEADLINE_MS = 400;
const codes = { deadline: "DEADLINE_EXCEEDED", abort: "ABORTED" } as const;

/** Where a call is when it is given up. */
interface Phase {
  readonly name: string;
  readonly ways: readonly Way[];
  /** Brings a call there, and gives it up; tells whether it was there. */
  giveUp(ground: Ground, begin: (more?: Omit<BoundedWrite, "id">) => Attempt): Promise<Given>;
}

interface Attempt {
  readonly outcome: Promise<Outcome>;
  /** Gives it up, or waits until its deadline has done so. */
  end(): Promise<Outcome>;
}

interface Given {
  readonly struck: boolean;
  readonly fate: Fate;
  readonly outcome: Outcome;
}

const phases: readonly Phase[] = [
  {
    name: "connect",
    // over http a connect cannot be held up on one machine: there its TLS handshake is
    ways: ["pool", "request", "websocket", "lambda"],
    async giveUp({ way, admin, applicationName, back, pause }, begin) {
      // what a client of its own leaves behind in a frozen environment stays: there the client itself has to connect
      const fresh = way !== "lambda";
      if (!fresh) {
        await admin.kill(applicationName);
        await pause();
      }
      back.hold();
      const before = back.connections();
      const attempt = begin({ fresh });
      await Promise.race([until(() => back.connections() > before), attempt.outcome]);
      const outcome = await attempt.end();
      const struck = back.connections() > before;
      back.resume();
      return { struck, outcome, fate: "not-sent" };
    },
  },
  {
    name: "queue",
    // where connections are few
    ways: ["pool", "request", "lambda"],
    async giveUp({ way, admin, applicationName, id, write }, begin) {
      const { lock, release } = await admin.lock();
      const most = way === "lambda" ? 1 : 2;
      const areHeld = async () => (await admin.backends(applicationName)).filter(({ state }) => state === "active").length === most;
      // a request waits for its own connections alone, and one invocation does not begin beside another
      const own = way === "pool" ? [] : Array.from({ length: most }, () => ({ id: id(), lock }));
      const others = way === "pool" ? [write(lock), write(lock)] : [];
      // behind what is not slow yet it would be written, and not wait
      const long = "application_name = $1 and state = 'active' and clock_timestamp() - query_start > interval '100 ms'";
      const areSlow = async () => (await admin.query(`select 1 from pg_stat_activity where ${long}`, [applicationName])).length === most;
      if (way === "pool") await until(areSlow);
      const attempt = begin({ behind: own });
      await Promise.race([until(areHeld), attempt.outcome]);
      const outcome = await attempt.end();
      const struck = await areHeld();
      await release();
      await Promise.all(others);
      return { struck, outcome, fate: "not-sent" };
    },
  },
  {
    name: "query",
    ways,
    async giveUp({ way, admin, applicationName, back }, begin) {
      const { lock, release } = await admin.lock();
      const cancelled = watch(back, isServerError("57014"));
      const attempt = begin({ lock });
      await admin.waiting(applicationName);
      const outcome = await attempt.end();
      cancelled.stop();
      await release();
      // a transaction has not sent its COMMIT; over HTTP nobody hears the server's own answer
      const refused = way === "websocket" || (way !== "http" && cancelled.seen());
      return { struck: true, outcome, fate: refused ? "refused" : "unknown" };
    },
  },
  {
    name: "commit",
    ways,
    async giveUp({ back }, begin) {
      const seen = Promise.withResolvers<void>();
      const stopListening = back.onMessage((message) => {
        if (!isStatement("COMMIT")(message)) return;
        back.holdServer("open");
        seen.resolve();
      });
      const attempt = begin({ inTransaction: true });
      await Promise.race([seen.promise, attempt.outcome]);
      stopListening();
      const outcome = await attempt.end();
      back.resume();
      return { struck: true, outcome, fate: "unknown" };
    },
  },
];

/** Calls given up in each of their phases, by their deadline and by their signal. */
export const timeBounds: readonly Fault[] = phases.flatMap((phase) =>
  enders.map(
    (ender): Fault => ({
      group: "time",
      name: `${ender} during ${phase.name}`,
      // one invocation cannot abort another
      ways: phase.ways.filter((way) => ender === "deadline" || way !== "lambda"),
      rounds: 5,
      bareRounds: 1,
      round: (ground) => giveUp(ground, phase, ender),
    }),
  ),
);

async function giveUp(ground: Ground, phase: Phase, ender: Ender): Promise<Round> {
  const begin = (more: Omit<BoundedWrite, "id"> = {}): Attempt => {
    const bounds = ender === "deadline" ? { deadlineMs: DEADLINE_MS } : {};
    const outcome = ground.send("bounded", { id: ground.id(), ...bounds, ...more });
    return {
      outcome,
      async end() {
        if (ender === "abort") await ground.send("abort", {});
        return await outcome;
      },
    };
  };
  const { struck, outcome, fate } = await phase.giveUp(ground, begin);
  return { struck, wrong: otherwise(outcome, { code: codes[ender], fate }) };
}
