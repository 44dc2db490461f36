import { describe, expect, inject, test } from "vitest";
import { until, urlAt } from "../core/databases.ts";
import { startWire } from "../support/wire.ts";
import { ask, useWarmHandler } from "./warm-function.ts";

const deploy = useWarmHandler();
const query = (text: string, deadlineMs?: number) => ({ do: "query", text, ...(deadlineMs && { deadlineMs }) }) as const;

const ended = { code: "DEADLINE_EXCEEDED", message: expect.stringMatching(/took over \d+(\.\d+)? ms, all that its invocation had left/) };

describe("the time of an invocation", () => {
  test("ends its calls before it ends, whatever deadline they have, and cancels them at the server", async () => {
    await using deployed = await deploy({ url: urlAt(), database: { deadlineMs: 30_000 } });
    const environment = await deployed.environment();
    await ask(environment, query("select 1"));
    for (const deadlineMs of [undefined, 0]) {
      const { failure } = await ask(environment, query("select pg_sleep(60)", deadlineMs), { deadlineMs: 800 });
      expect(failure).toMatchObject({ ...ended, fate: "refused" });
      await until(async () => (await deployed.working()) === 0);
    }
    expect([environment.inits, environment.deaths]).toEqual([1, []]);
  });

  test("leaves a shorter deadline alone, and bounds nothing of the next invocation", async () => {
    await using deployed = await deploy({ url: urlAt() });
    const environment = await deployed.environment();
    const { failure } = await ask(environment, query("select pg_sleep(60)", 100));
    expect(failure).toMatchObject({ code: "DEADLINE_EXCEEDED", message: expect.stringContaining("100 ms (deadlineMs)") });
    expect((await ask(environment, query("select pg_sleep(60)"), { deadlineMs: 600 })).failure).toMatchObject(ended);
    expect((await ask(environment, query("select pg_sleep(0.7)"))).failure).toBeNull();
  });

  test("is each invocation's own where they interleave", async () => {
    await using deployed = await deploy({ url: urlAt(), concurrency: { max: 4, workers: 1 } });
    const environment = await deployed.environment();
    const short = ask(environment, query("select pg_sleep(60)"), { deadlineMs: 1_200 });
    const long = ask(environment, query("select pg_sleep(1.3)"));
    expect((await short).failure).toMatchObject(ended);
    expect((await long).failure).toBeNull();
    await until(async () => (await deployed.working()) === 0);
  });

  test("is not believed of a clock that is ten minutes ahead, by which none is left", async () => {
    await using deployed = await deploy({ url: urlAt(), clockOffMs: 600_000 });
    expect((await ask(await deployed.environment(), query("select 1 as one"))).rows).toEqual([{ one: 1 }]);
  });
});

describe("a database that accepts and stays silent", () => {
  test("holds no reply of a handler that asks nothing, with release after-invocation", async () => {
    await using wire = await startWire(inject("postgres"));
    wire.hold();
    await using deployed = await deploy({ url: urlAt(wire), database: { release: "after-invocation", connectTimeoutMs: 20_000 } });
    const environment = await deployed.environment();
    for (let calls = 1; calls <= 2; calls++) {
      // the time that waiting for the warm-up would take is more than it has
      expect((await ask(environment, { do: "look" }, { deadlineMs: 10_000 })).failure).toBeNull();
    }
    expect(environment.deaths).toEqual([]);
  });

  test("is told by a code, in time, to a handler that asks", async () => {
    await using wire = await startWire(inject("postgres"));
    wire.hold();
    await using deployed = await deploy({ url: urlAt(wire), database: { connectTimeoutMs: 20_000 } });
    const environment = await deployed.environment();
    const { failure } = await ask(environment, query("select 1"), { deadlineMs: 1_000 });
    expect(failure).toMatchObject({ ...ended, fate: "not-sent" });
    wire.resume();
    expect((await ask(environment, query("select 1 as one"))).rows).toEqual([{ one: 1 }]);
    expect(environment.deaths).toEqual([]);
  });
});
