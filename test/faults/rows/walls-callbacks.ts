import { notKept, otherwise } from "../expected.ts";
import { type Fault, isOverHttp, type Way } from "../fault.ts";
import { carries, isServerError, watch } from "../watch.ts";

/** Where a transaction has a callback: over http it is a batch. */
const ways: readonly Way[] = ["pool", "websocket", "request", "lambda"];
const row = { group: "walls", ways, rounds: 3, bareRounds: 0 } as const;

/** Callbacks, and what is around them: what must not wait for itself, and what is another's. */
export const wallsCallbacks: readonly Fault[] = [
  {
    ...row,
    name: "what a transaction's callback began asks the database when it is over",
    options: { max: 1 },
    async round({ back, id, send }) {
      const input = { first: id(), second: id() };
      const begun = watch(back, carries(input.first));
      const { settled } = await send("leftBehind", input);
      begun.stop();
      const failed = settled.find(({ ok }) => !ok);
      return { struck: begun.seen(), wrong: failed && `${failed.code} instead of success` };
    },
  },
  {
    ...row,
    name: "query around a session on its only connection",
    options: { max: 1 },
    async round(ground) {
      const input = { first: ground.id(), second: ground.id() };
      const begun = watch(ground.back, carries(input.first));
      const outcome = await ground.send("aroundSession", input);
      begun.stop();
      const wrong = otherwise(outcome, { code: "NESTED_QUERY", fate: "unknown" }) ?? (await notKept(ground, input.first, 1));
      return { struck: begun.seen(), wrong: wrong ?? (await notKept(ground, input.second, 0)) };
    },
  },
  {
    ...row,
    name: "outages of another database in a callback",
    async round({ way, send }) {
      const port = 1;
      const away = isOverHttp(way) ? { endpoint: `http://127.0.0.1:${port}` } : { port };
      const { state, told } = await send("othersOutage", { away });
      const stats = told as { readonly breaker: string; readonly retries: number } | undefined;
      const held = stats?.breaker === "closed" && stats.retries === 0;
      return { struck: state === "ok", wrong: held ? undefined : `breaker ${stats?.breaker}, repeated ${stats?.retries} times` };
    },
  },
  ...["40P01", "40001"].map(
    (code): Fault => ({
      ...row,
      name: `${code} of another database in a callback that may be run again`,
      async round(ground) {
        const seen = watch(ground.back, isServerError(code));
        const id = ground.id();
        const outcome = await ground.send("othersConflict", { id, code });
        seen.stop();
        const again = outcome.told === 1 ? undefined : `the callback ran ${outcome.told} times`;
        return { struck: seen.seen(), wrong: otherwise(outcome, { code, fate: "refused" }) ?? again ?? (await notKept(ground, id, 0)) };
      },
    }),
  ),
];
