import { setTimeout as delay } from "node:timers/promises";
import { callKinds } from "../errands/time.ts";
import { failing, notKept, otherwise } from "../expected.ts";
import { type Fault, type Ground, type Round, type Way, ways } from "../fault.ts";
import { startTranslator, type Translator } from "../middles/translator.ts";
import type { Outcome } from "../outcome.ts";

/** Where a statement goes by itself. */
const single: readonly Way[] = ["pool", "http", "request", "lambda"];
const scripted: readonly Way[] = ["pool", "websocket", "request", "lambda"];
const killed = { code: "57P01", fate: "unknown" } as const;

/** How long the event loop is blocked, milliseconds: under the second in which a connection is trusted. */
const BLOCKED_MS = 300;
/** When the backend is killed, from the moment the errand is sent, milliseconds. */
const KILLED_AFTER_MS = 100;

const running: readonly Fault[] = [
  {
    group: "truth",
    name: "backend killed while a plain statement runs",
    ways: single,
    rounds: 3,
    bareRounds: 1,
    round: (ground) => killRunning(ground, {}, (outcome) => otherwise(outcome, killed)),
  },
  {
    group: "truth",
    name: "backend killed while an idempotent statement runs",
    ways: single,
    rounds: 3,
    bareRounds: 0,
    round: (ground) => killRunning(ground, { idempotent: true }, failing),
  },
];

/** A connection is trusted for a second: what ends it meanwhile was not seen yet. */
const trusted: readonly Fault[] = callKinds.map(
  (kind): Fault => ({
    group: "truth",
    name: `backend killed behind a blocked event loop, then a ${kind}`,
    ways: ["pool"],
    rounds: 3,
    bareRounds: kind === "query" ? 1 : 0,
    async round({ admin, applicationName, id, send }) {
      const going = send("blockedBefore", { id: id(), forMs: BLOCKED_MS, kind });
      await delay(KILLED_AFTER_MS);
      const from = Date.now();
      const ended = await admin.kill(applicationName, "idle");
      const to = Date.now();
      const outcome = await going;
      const blocked = outcome.told as { readonly from: number; readonly to: number } | undefined;
      const within = blocked !== undefined && blocked.from <= from && to <= blocked.to;
      return { struck: ended > 0 && (within || outcome.state === "died"), wrong: failing(outcome) };
    },
  }),
);

const translated = { group: "truth", rounds: 3, bareRounds: 0, middle: startTranslator } as const;

/** Servers that speak another language: pg reads the severity that is translated. */
const foreign: readonly Fault<Translator>[] = [
  {
    ...translated,
    name: "translated farewell where a write would end",
    ways: single,
    round: (ground) => sayFarewell(ground, "INSERT 0 1", (id) => ground.send("write", { id })),
  },
  {
    ...translated,
    name: "translated farewell behind COMMIT",
    ways,
    round: (ground) => sayFarewell(ground, "COMMIT", (id) => ground.send("transaction", { writes: [{ id }] })),
  },
  {
    ...translated,
    name: "backend killed in a script that has committed, in another language",
    ways: scripted,
    async round(ground) {
      const { admin, applicationName, middle, send } = ground;
      const { lock, release } = await admin.lock();
      const id = ground.id();
      const before = middle.translated;
      const text = `begin; insert into fault_writes values ('${id}'); commit; select pg_advisory_xact_lock_shared(${lock})`;
      const saying = send("script", { ids: [id], text });
      await admin.waiting(applicationName);
      await admin.kill(applicationName, "active");
      const outcome = await saying;
      await release();
      return { struck: middle.translated > before, wrong: otherwise(outcome, killed) ?? (await notKept(ground, id, 1)) };
    },
  },
  {
    ...translated,
    name: "translated ERROR",
    ways,
    async round({ middle, send }) {
      const before = middle.translated;
      const outcome = await send("statement", { ids: [], text: "select 1/0" });
      return { struck: middle.translated > before, wrong: otherwise(outcome, { code: "22012", fate: "refused" }) };
    },
  },
];

/** Connections the server gives up in words: what had begun may have been done. */
export const truthFarewells: readonly Fault[] = [...running, ...trusted, ...(foreign as readonly Fault[])];

async function killRunning(
  ground: Ground,
  options: { readonly idempotent?: boolean },
  judge: (outcome: Outcome) => string | undefined,
): Promise<Round> {
  const { admin, applicationName, send } = ground;
  const { lock, release } = await admin.lock();
  const id = ground.id();
  const text = "insert into fault_writes select $1::text from (select pg_advisory_xact_lock_shared($2::int)) as waited";
  const going = send("statement", { ids: [id], text, values: [id, lock], options });
  await admin.waiting(applicationName);
  const ended = await admin.kill(applicationName, "active");
  await release();
  const outcome = await going;
  return { struck: ended > 0, wrong: judge(outcome) ?? (await notKept(ground, id, outcome.state === "ok" ? 1 : 0)) };
}

async function sayFarewell(ground: Ground<Translator>, tag: string, send: (id: string) => Promise<Outcome>): Promise<Round> {
  const { middle } = ground;
  const before = middle.farewells;
  const id = ground.id();
  middle.farewellBehind(tag);
  const outcome = await send(id);
  return { struck: middle.farewells > before, wrong: otherwise(outcome, killed) ?? (await notKept(ground, id, 1)) };
}
