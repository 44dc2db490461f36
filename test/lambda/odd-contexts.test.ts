import { expect, test } from "vitest";
import { lambdaHandler } from "../../src/adapters/lambda.ts";
import { failureOf, openPool } from "../core/databases.ts";

const leaving = (ms: number) => ({ getRemainingTimeInMillis: () => ms });

test("of handlers within each other the shorter time holds, whichever is inside", async () => {
  await using db = openPool({ runtime: "lambda" });
  const sleep = () => db.query("select pg_sleep(20)");
  for (const [outer, inner] of [
    [900, 60_000],
    [60_000, 900],
  ] as const) {
    const handler = lambdaHandler(db, (event: string) => lambdaHandler(db, (_: string, __: object) => sleep())(event, leaving(inner)));
    const call = handler as unknown as (event: string, context: object) => Promise<unknown>;
    const { code, message } = await failureOf(call("event", leaving(outer)));
    expect(code).toBe("DEADLINE_EXCEEDED");
    // half of the shorter one, and no deadline of another make
    expect(Number(/took over (\d+) ms, all that its invocation had left/.exec(message)?.[1])).toBeLessThanOrEqual(450);
  }
});

test.each([
  [
    "throws",
    {
      getRemainingTimeInMillis: () => {
        throw new Error("no clock");
      },
    },
  ],
  [
    "has a getter that throws",
    Object.defineProperty({}, "getRemainingTimeInMillis", {
      get: () => {
        throw new Error("no clock");
      },
    }),
  ],
  ["tells a bigint", { getRemainingTimeInMillis: () => 2_000n }],
  ["tells no number", { getRemainingTimeInMillis: () => "soon" }],
])("a context that %s lets the handler run", async (_, context) => {
  await using db = openPool({ runtime: "lambda" });
  const handler = lambdaHandler(db, async () => (await db.sql`select 1 as one`)[0]);
  expect(await (handler as unknown as (event: string, context: object) => Promise<unknown>)("event", context)).toEqual({ one: 1 });
});
