import { isStatement } from "../../support/postgres-messages.ts";
import { until } from "../admin.ts";
import type { BoundedWrite } from "../errands/bounded.ts";
import type { Fault, Ground, Round, Way } from "../fault.ts";
import type { Outcome } from "../outcome.ts";

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
  /** Fates the caller may be told. */
  readonly fates: readonly Outcome["fate"][];
}

interface Attempt {
  readonly outcome: Promise<Outcome>;
  /** Gives it up, or waits until its deadline has done so. */
  end(): Promise<Outcome>;
}

interface Given {
  readonly struck: boolean;
  readonly outcome: Outcome;
}

const phases: readonly Phase[] = [
  {
    name: "connect",
    ways: ["pool", "request", "websocket"],
    // a WebSocket sends password and BEGIN together
    fates: ["not-sent", "refused"],
    async giveUp({ back }, begin) {
      back.hold();
      const before = back.connections();
      const attempt = begin({ fresh: true });
      await until(() => back.connections() > before);
      const outcome = await attempt.end();
      back.resume();
      return { struck: true, outcome };
    },
  },
  {
    name: "queue",
    ways: ["pool"],
    fates: ["not-sent"],
    async giveUp({ admin, applicationName, write }, begin) {
      const { lock, release } = await admin.lock();
      const waits = async () => (await admin.backends(applicationName)).filter(({ state }) => state === "active").length;
      const holders = [write(lock), write(lock)];
      await until(async () => (await waits()) === holders.length);
      const outcome = await begin().end();
      const struck = (await waits()) === holders.length;
      await release();
      await Promise.all(holders);
      return { struck, outcome };
    },
  },
  {
    name: "query",
    ways: ["pool", "http", "websocket", "request"],
    fates: ["refused", "unknown"],
    async giveUp({ admin, applicationName }, begin) {
      const { lock, release } = await admin.lock();
      const attempt = begin({ lock });
      await admin.waiting(applicationName);
      const outcome = await attempt.end();
      await release();
      return { struck: true, outcome };
    },
  },
  {
    name: "commit",
    ways: ["pool", "http", "websocket", "request"],
    fates: ["unknown"],
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
      return { struck: true, outcome };
    },
  },
];

/** Calls given up in each of their phases, by their deadline and by their signal. */
export const timeBounds: readonly Fault[] = phases.flatMap((phase) =>
  enders.map(
    (ender): Fault => ({
      group: "time",
      name: `${ender} during ${phase.name}`,
      ways: phase.ways,
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
  const { struck, outcome } = await phase.giveUp(ground, begin);
  const right = outcome.code === codes[ender] && phase.fates.includes(outcome.fate);
  return { struck, wrong: right ? undefined : `${outcome.state}: ${outcome.code}, ${outcome.fate}` };
}
