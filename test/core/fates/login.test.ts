import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import type { Database } from "../../../src/entry/node.ts";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { failureOf, openPool, urlAt } from "../databases.ts";
import { openRequest } from "../request/open-request.ts";
import { type Doorman, startDoorman } from "./doorman.ts";

let doorman: Doorman;
let endpoint: Endpoint;

beforeAll(async () => {
  doorman = await startDoorman();
  endpoint = await startEndpoint({ databaseUrl: urlAt(doorman), port: 0 });
});
afterAll(async () => {
  await endpoint.stop();
  await doorman[Symbol.asyncDispose]();
});

/** A way to hold a connection, and how work runs there. */
const ways: readonly { readonly way: string; readonly open: () => Database; readonly run: typeof runRequest }[] = [
  { way: "the pool", open: () => openPool({ url: urlAt(doorman) }), run: (_, work) => work() },
  { way: "a request's connections", open: () => openRequest({ url: urlAt(doorman) }), run: runRequest },
  { way: "WebSocket", open: () => openPool({ transport: "http", endpoint: endpoint.url }), run: (_, work) => work() },
];

describe.each(ways)("a login over $way", ({ open, run }) => {
  /** A transaction of one statement, and how often its callback ran. */
  async function send(db: Database) {
    let callbacks = 0;
    const answer = await run(db, () =>
      db.transaction(async (tx) => {
        callbacks++;
        return (await tx.sql<{ n: number }>`select 1 as n`)[0]?.n;
      }),
    ).catch((error: unknown) => error);
    return { answer, callbacks };
  }

  test.each(["reset", "08000", "08001", "08004", "08006", "57P03", "53300"])(
    "that is turned away twice with %s is repeated, and the callback runs once",
    async (refusal) => {
      await using db = open();
      doorman.refuse(refusal, refusal);
      expect(await send(db)).toEqual({ answer: 1, callbacks: 1 });
      expect(doorman.refused).toBe(2);
      expect(db.stats()).toMatchObject({ retries: 2, connects: 1, discarded: 0, breaker: "closed" });
    },
  );

  test.each([
    ["XX000 Tenant or user not found", /Write the user as postgres\.PROJECT/],
    ["XX000 (ENOTFOUND) tenant/user postgres.abc not found", /Write the user as postgres\.PROJECT/],
    ["XX000 (ETENANTNOTFOUND) tenant or user not found", /Write the user as postgres\.PROJECT/],
    ["XX000 (ENOIDENTIFIER) no tenant identifier provided (external_id or sni_hostname required)", /Write the user as postgres\.PROJECT/],
    ["XX000 (EADDRNOTALLOWED) address not in tenant allow_list: {10, 0, 0, 1}", /network restrictions/],
    ["XX000 (ESSLREQUIRED) SSL connection is required for user: postgres", /sslmode=require/],
    ["XX000 (ECIRCUITBREAKER) too many authentication failures, new connections are temporarily blocked", /correct user and password/],
    ["XX000 The requested endpoint could not be found, or you don't have access to it.", /Check the endpoint in the host's name/],
    ["XX000 Endpoint ID is not specified. Either please upgrade", /connect to that name, and not to an address/],
    ["XX000 Your project has exceeded the data transfer quota. Upgrade your plan to increase limits.", /until the plan/],
    ["08P01 unsupported startup parameter: options", /pgbouncer=true.*ignore_startup_parameters/],
  ])("that a pooler turns away with %j is not repeated, and says what to do", async (refusal, hint) => {
    await using db = open();
    doorman.refuse(refusal, refusal);
    const { answer } = await send(db);
    expect(answer).toMatchObject({ name: "DatabaseError", code: refusal.slice(0, 5), fate: "not-sent", retryable: false });
    expect((answer as Error).message).toMatch(hint);
    expect(doorman.refused).toBe(1);
  });

  test.each(["3D000", "08P01", "42501"])("that would be turned away again, with %s, is not repeated", async (refusal) => {
    await using db = open();
    doorman.refuse(refusal);
    const { answer, callbacks } = await send(db);
    expect(answer).toMatchObject({ name: "DatabaseError", code: refusal, fate: "not-sent", retryable: false });
    expect([callbacks, doorman.refused]).toEqual([0, 1]);
    expect(db.stats()).toMatchObject({ retries: 0, connects: 0, discarded: 0 });
  });

  test("that is turned away for good is given up after five attempts, and was not sent", async () => {
    await using db = open();
    doorman.refuse(...Array<string>(9).fill("08006"));
    const error = await failureOf(run(db, () => db.session((session) => session.sql`select 1`)));
    expect(error).toMatchObject({ name: "DatabaseError", code: "08006", sqlState: "08006", fate: "not-sent", retryable: true });
    expect(doorman.refused).toBe(5);
  });
});
