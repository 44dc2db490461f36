import { once } from "node:events";
import { until } from "../admin.ts";
import { notKept, otherwise } from "../expected.ts";
import { type Fault, type Way, ways } from "../fault.ts";
import { type HttpProxy, startHttpProxy, type Trick } from "../middles/http-proxy.ts";

/** Where a session or transaction is held while a callback runs: over http that is the way of a WebSocket. */
const inCallbacks: readonly Way[] = ["pool", "websocket", "request", "lambda"];
const DEADLINE_MS = 400;
/** So much later than its deadline a call may end on a busy machine, and so long a close may take, milliseconds. */
const LATE_MS = 2_000;
const row = { group: "walls", rounds: 3, bareRounds: 0 } as const;

const CHUNK = Buffer.alloc(2 ** 20, " ");
const ENDLESS_BYTES = 10 * 2 ** 30;

const endless: Trick = async ({ response }) => {
  response.writeHead(200, { "content-type": "application/json" });
  for (let sent = 0; sent < ENDLESS_BYTES && !response.destroyed; sent += CHUNK.length) {
    if (!response.write(CHUNK)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end();
};

/** What has to end, whatever the other side or the caller's code does. */
export const wallsEndings: readonly Fault[] = [
  {
    ...row,
    name: "password function that never answers",
    ways,
    async round({ send, id }) {
      const outcome = await send("hungPassword", { id: id(), deadlineMs: DEADLINE_MS });
      const told = outcome.told as { readonly endedMs: number; readonly closedMs: number } | undefined;
      const late = told && Object.entries(told).find(([, ms]) => ms > DEADLINE_MS + LATE_MS);
      const wrong = otherwise(outcome, { code: "DEADLINE_EXCEEDED", fate: "not-sent" });
      return { struck: told !== undefined, wrong: wrong ?? (late && `${late[0]} is ${Math.round(late[1])}`) };
    },
  },
  {
    ...row,
    name: "answer of 10 GB",
    ways: ["http"],
    options: { deadlineMs: 20_000 },
    middle: startHttpProxy,
    async round({ middle, write }) {
      const before = middle.struck;
      middle.play(endless);
      const outcome = await write();
      middle.play(undefined);
      return { struck: middle.struck > before, wrong: otherwise(outcome, { code: "RESPONSE_TOO_LARGE", fate: "unknown" }) };
    },
  } satisfies Fault<HttpProxy> as Fault,
  {
    ...row,
    name: "statement that outlives its cancel, and a callback that goes on",
    ways: inCallbacks,
    options: { max: 1 },
    async round({ admin, applicationName, send }) {
      const outcome = await send("outlives", { deadlineMs: DEADLINE_MS });
      const alive = (
        await admin.query("select 1 from pg_stat_activity where application_name = $1 and query ~ 'outlive'", [applicationName])
      ).length;
      const wrong = otherwise(outcome, { code: "DEADLINE_EXCEEDED", fate: "refused" });
      return { struck: alive > 0, wrong: wrong ?? (outcome.ms > DEADLINE_MS + LATE_MS ? `it ends after ${outcome.ms} ms` : undefined) };
    },
  },
  {
    ...row,
    name: "close inside a transaction's callback",
    ways: inCallbacks,
    async round(ground) {
      const [first, second, late] = [ground.id(), ground.id(), ground.id()] as const;
      const outcome = await ground.send("closesInside", { first, second, late });
      const [whole, after] = outcome.settled;
      const wrong = whole?.ok ? undefined : `the transaction ends with ${whole?.code}`;
      const taken = after?.code === "CLOSED" ? undefined : "a write after close is taken";
      const waited = whole && whole.ms > LATE_MS ? `it takes ${Math.round(whole.ms)} ms` : undefined;
      return { struck: whole !== undefined, wrong: wrong ?? taken ?? waited ?? (await notKept(ground, second, 1)) };
    },
  },
  {
    ...row,
    name: "sessions that are aborted while they are opened",
    ways: inCallbacks.filter((way) => way !== "lambda"),
    async round({ admin, applicationName, restart, send }) {
      const name = `${applicationName}-aborted`;
      // the first call of a process also loads the driver
      await restart();
      const { told } = await send("abortedSessions", { name, times: 12 });
      let gone = true;
      await until(async () => (await admin.backends(name)).length === 0).catch(() => {
        gone = false;
      });
      return { struck: Number(told) > 0, wrong: gone ? undefined : `${(await admin.backends(name)).length} backends are left` };
    },
  },
];
