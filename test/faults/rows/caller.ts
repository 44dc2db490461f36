import { until } from "../admin.ts";
import { otherwise } from "../expected.ts";
import { type Fault, type Ground, type Round, type Way, ways } from "../fault.ts";
import type { Outcome } from "../outcome.ts";
import { carries, watch } from "../watch.ts";

const CROWD = 10_000;
const BARE_CROWD = 50;
const CROWD_LIMIT_MS = 120_000;

/** Where a transaction has a callback: over http it is a batch. */
const inCallbacks: readonly Way[] = ["pool", "websocket", "request", "lambda"];

/** What callers do wrong, or ask too much of. */
export const caller: readonly Fault[] = [
  {
    group: "caller",
    name: "forgotten release",
    // nothing else hands a connection out
    ways: ["pool"],
    rounds: 3,
    bareRounds: 1,
    options: { max: 2, acquireTimeoutMs: 300 },
    async round({ admin, applicationName, id, send }) {
      const forgetting = send("forget", { id: id(), connections: 2 });
      await until(async () => (await admin.backends(applicationName)).length >= 2);
      return { struck: true, wrong: otherwise(await forgetting, { code: "ACQUIRE_TIMEOUT", fate: "not-sent" }) };
    },
  },
  {
    group: "caller",
    name: "nested use of the outer database",
    ways: inCallbacks,
    rounds: 5,
    bareRounds: 1,
    options: { max: 1 },
    async round(ground) {
      const input = { first: ground.id(), second: ground.id() };
      const { struck, outcome } = await begun(ground, input.first, () => ground.send("nested", input));
      return { struck, wrong: otherwise(outcome, { code: "NESTED_QUERY", fate: "refused" }) };
    },
  },
  {
    group: "caller",
    name: "throw in the callback",
    ways: inCallbacks,
    rounds: 10,
    async round(ground) {
      const input = { first: ground.id(), second: ground.id() };
      const { struck, outcome } = await begun(ground, input.first, () => ground.send("thrown", input));
      const [thrown, next] = outcome.settled;
      return { struck, wrong: thrown?.code === "OWN" && next?.ok ? undefined : "the error is another, or the next write fails" };
    },
  },
  {
    group: "caller",
    name: "promise never awaited",
    ways: inCallbacks,
    rounds: 10,
    async round(ground) {
      const input = { first: ground.id(), second: ground.id() };
      const { struck, outcome } = await begun(ground, input.first, () => ground.send("unawaited", input));
      return { struck, wrong: outcome.settled.at(-1)?.ok ? undefined : "the next write fails" };
    },
  },
  {
    group: "caller",
    name: "close during queries",
    ways,
    rounds: 5,
    bareRounds: 2,
    async round(ground) {
      const ids = Array.from({ length: 20 }, () => ground.id());
      const { struck, outcome } = await begun(ground, ids[0] ?? "", () => ground.send("closing", { ids, late: ground.id() }));
      return { struck, wrong: outcome.told === true ? undefined : "a write after close is taken" };
    },
  },
  {
    group: "caller",
    name: "10,000 queries at once on max 1",
    // each transaction over WebSocket opens one: how many at once is the caller's to say
    ways: ["pool", "http", "request", "lambda"],
    rounds: 1,
    async round(ground): Promise<Round> {
      const { contender, way } = ground;
      // without a pool a bare driver opens a connection for each, which no server takes
      const crowd = contender === "bare" && (way === "http" || way === "request") ? BARE_CROWD : CROWD;
      const ids = Array.from({ length: crowd }, () => ground.id());
      const { outcome, struck } = await begun(ground, ids.at(-1) ?? "", () => ground.send("crowd", { ids }, { limitMs: CROWD_LIMIT_MS }));
      return { struck, wrong: outcome.state === "ok" ? undefined : `some fail (${outcome.code})` };
    },
  },
];

/** Runs an errand, and says whether the write of `id` reached the server. */
async function begun({ back }: Ground, id: string, errand: () => Promise<Outcome>) {
  const passed = watch(back, carries(id));
  const outcome = await errand();
  passed.stop();
  return { struck: passed.seen(), outcome };
}
