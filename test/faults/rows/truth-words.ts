import type { PostgresMessage } from "../../support/postgres-messages.ts";
import { otherwise } from "../expected.ts";
import { type Fault, type Ground, type Round, type Way, ways } from "../fault.ts";
import { isServerError } from "../watch.ts";

/** What a caller may claim of a statement, where there is no session. */
const claims = [{}, { readOnly: true }, { idempotent: true }] as const;

/** What reads like the loss of a link, and is the server's answer to one statement. */
const errors: readonly (readonly [code: string, said: { readonly text: string; readonly values?: readonly unknown[] }])[] = [
  ["08P01", { text: "select $1::int, $2::int", values: [1] }],
  ...["08001", "08006", "58030", "XX000", "57P01"].map((code) => [code, { text: `select fault_raise('${code}')` }] as const),
];

/** Words of the server that are easily taken for others. */
export const truthWords: readonly Fault[] = [
  ...errors.map(
    ([code, said]): Fault => ({
      group: "truth",
      name: `${code} as an ERROR`,
      ways,
      rounds: 2,
      bareRounds: 0,
      // a transaction that failed is undone behind its answer: beside it another connection would be opened
      options: { max: 1 },
      round: (ground) => askOnce(ground, code, said),
    }),
  ),
  {
    group: "truth",
    name: "script that would copy from its client, beside others' queries",
    // over a WebSocket nobody shares a session
    ways: ["pool", "request", "lambda"] satisfies Way[],
    rounds: 3,
    bareRounds: 0,
    options: { max: 1 },
    async round({ back, send }) {
      let failed = 0;
      const stop = back.onMessage((message) => void (isServerError("57014")(message) && failed++));
      const { settled, told } = await send("copied", { times: COPIES });
      stop();
      const others = settled.find(({ code, fate }) => code !== "57014" || fate !== "refused");
      const wrong = others && `${others.ok ? "a script succeeds" : `${others.code}, ${others.fate} instead of 57014, refused`}`;
      return { struck: failed === COPIES, wrong: told === 0 ? wrong : `${told} queries do not get their own rows` };
    },
  },
];

const COPIES = 4;

/** Where a connection to the server waits for the next call. */
const kept: readonly Way[] = ["pool", "http", "lambda"];

/** Whatever the caller claims, the server is asked once, and its connection is kept. */
async function askOnce({ way, back, send }: Ground, code: string, said: (typeof errors)[number][1]): Promise<Round> {
  let times = 0;
  const isError = isServerError(code);
  const stop = back.onMessage((message: PostgresMessage) => void (isError(message) && times++));
  const opened = back.connections();
  const asked = way === "websocket" ? claims.slice(0, 1) : claims;
  let wrong: string | undefined;
  for (const options of asked) {
    const outcome = await send("statement", { ids: [], ...said, options });
    wrong ??= otherwise(outcome, { code, fate: "refused" });
  }
  stop();
  const repeated = times > asked.length ? `it is asked ${times} times instead of ${asked.length}` : undefined;
  const another = kept.includes(way) && back.connections() > opened ? "its connection is thrown away" : undefined;
  return { struck: times >= asked.length, wrong: wrong ?? repeated ?? another };
}
