import { type Fault, ways } from "../fault.ts";
import { isServerError, watch } from "../watch.ts";

/** So much more may be held after any number of spans, bytes. */
const MOST_GROWN = 32 * 2 ** 20;
const SPANS_LIMIT_MS = 300_000;

/** Statements whose errors quote their value. */
const quotes = [
  "select $1::regclass",
  "select $1::int",
  "select $1::jsonb",
  "select $1::date",
  "select $1::regtype",
  "select set_config('search_path', $1, true), 1/0",
  "insert into fault_writes values ($1::uuid::text)",
] as const;

/** Code of the caller's, and texts of the caller's. */
export const wallsForeign: readonly Fault[] = [
  {
    group: "walls",
    name: "code of the caller's that throws or rejects with whatever can be thrown",
    // over a WebSocket there is no query by itself
    ways: ways.filter((way) => way !== "websocket"),
    rounds: 2,
    bareRounds: 0,
    async round({ send }) {
      const { state, told } = await send("foreign", {}, { limitMs: 30_000 });
      const [first] = (told ?? []) as readonly string[];
      return { struck: state === "ok", wrong: first };
    },
  },
  {
    group: "walls",
    name: "values that the server's messages quote",
    // over http the same text is quoted to a batch, which has no callback
    ways: ways.filter((way) => way !== "http"),
    rounds: 2,
    bareRounds: 0,
    async round({ back, send }) {
      const quoting = watch(back, isServerError("42P01"));
      const { told } = await send("quoted", { texts: quotes, value: "  canary  " });
      quoting.stop();
      const [first] = (told ?? ["nothing"]) as readonly string[];
      return { struck: quoting.seen(), wrong: first && `the value is shown after ${first}` };
    },
  },
  {
    group: "walls",
    name: "waitUntil that throws",
    // elsewhere nothing is asked of a request's context
    ways: ["request"],
    rounds: 3,
    bareRounds: 0,
    async round({ back, send }) {
      const opened = back.connections();
      const { state, told } = await send("noWaitUntil", {});
      const wrong = told === "WAIT_UNTIL_FAILED" ? undefined : `it ends with ${told}`;
      return { struck: state === "ok", wrong: wrong ?? (back.connections() > opened ? "it opens a connection" : undefined) };
    },
  },
  {
    group: "walls",
    name: "spans of texts no two of which are alike",
    // no statement is sent
    ways: ["pool"],
    rounds: 1,
    bareRounds: 0,
    async round({ quick, send }) {
      const calls = quick ? 20_000 : 1_000_000;
      const { state, told } = await send("spans", { calls }, { limitMs: SPANS_LIMIT_MS });
      const grown = Number(told);
      const wrong = grown > MOST_GROWN ? `${Math.round(grown / 2 ** 20)} MB are held after ${calls} spans` : undefined;
      return { struck: state === "ok", wrong, figures: { calls, grownBytes: grown } };
    },
  },
];
