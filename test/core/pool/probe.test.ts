import type pg from "pg";
import { expect, test } from "vitest";
import { answerOrReplacement } from "../../../src/transports/pool/probe.ts";
import { stopTimers } from "../../support/stopped-timers.ts";

test("an answer that has arrived while this process stood still is seen before its connection is taken for silent", async () => {
  using timers = stopTimers();
  const { promise: answer, resolve } = Promise.withResolvers<boolean>();
  let opened = 0;
  const outcome = answerOrReplacement({
    client: {} as pg.PoolClient,
    answer,
    connectTimeoutMs: 0,
    openBeside: () => opened++,
    giveSurplus: () => {},
  });
  // a timer that is due fires before sockets are read
  timers.pass(250);
  setImmediate(() => resolve(true));
  expect(await outcome).toBeUndefined();
  expect(opened).toBe(0);
});
