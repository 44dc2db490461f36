import { randomUUID } from "node:crypto";
import { expect, inject, test } from "vitest";
import { openDirect, urlAt } from "../core/databases.ts";
import { startNetwork } from "./network.ts";
import { ask, useWarmHandler } from "./warm-function.ts";

const deploy = useWarmHandler();

/** Accounts with 1,000 each, in a schema of their own. */
async function openAccounts(count: number) {
  const schema = `bank_${randomUUID().replaceAll("-", "")}`;
  const direct = await openDirect();
  await direct.query(`create schema ${schema}`);
  await direct.query(`set search_path to ${schema}`);
  await direct.query("create table accounts (id integer primary key, balance integer not null)");
  await direct.query("create table transfers (sender integer not null, receiver integer not null, amount integer not null)");
  await direct.query("insert into accounts select id, 1000 from generate_series(1, $1) as id", [count]);
  return {
    schema,
    direct,
    async [Symbol.asyncDispose]() {
      await direct.query(`drop schema ${schema} cascade`);
      await direct.end();
    },
  };
}

test("a managed instance keeps 32 interleaved transactions apart, on pools sized by its concurrency and its workers", async () => {
  const accounts = 8;
  const concurrency = { max: 16, workers: 4 };
  const perWorker = concurrency.max / concurrency.workers;
  await using bank = await openAccounts(accounts);
  await using network = await startNetwork(inject("postgres"));
  await using deployed = await deploy({
    url: urlAt(network),
    concurrency,
    // with the accounts locked in one order nobody waits for long
    database: { startupOptions: `-c search_path=${bank.schema}` },
  });
  const environment = await deployed.environment();
  // as on AWS it takes events once one worker waits, and that one could be done with all of them before another has started
  await expect.poll(() => environment.waiting).toBe(concurrency.workers);
  const transfers = Array.from({ length: 32 }, (_, number) => ({
    do: "transfer" as const,
    from: (number % accounts) + 1,
    to: ((number + 3) % accounts) + 1,
    amount: number + 1,
  }));
  const replies = await Promise.all(transfers.map((errand) => ask(environment, errand)));

  const whole = accounts * 1_000;
  expect(replies.map(({ rows, failure }) => ({ rows, failure }))).toEqual(replies.map(() => ({ rows: [{ whole }], failure: null })));
  const { rows } = await bank.direct.query<{ balance: number; due: number }>(
    `select balance, (1000 + coalesce((select sum(case when receiver = id then amount else -amount end)
       from transfers where id in (sender, receiver)), 0))::integer as due from accounts order by id`,
  );
  expect(rows.map(({ balance }) => balance)).toEqual(rows.map(({ due }) => due));
  expect((await bank.direct.query("select from transfers")).rowCount).toBe(transfers.length);

  const totals = replies.map(({ stats }) => stats.total);
  expect(Math.max(...totals)).toBeLessThanOrEqual(perWorker);
  expect(network.connections()).toBeLessThanOrEqual(concurrency.max);
  expect(Math.max(...replies.map(({ stats }) => stats.running))).toBeGreaterThan(0);
  expect(new Set(replies.map(({ threadId }) => threadId)).size).toBe(concurrency.workers);
  expect([environment.inits, environment.deaths]).toEqual([1, []]);
});

test.each([
  [{ max: 1, workers: 1 }, 1],
  [{ max: 5, workers: 2 }, 3],
  [{ max: 64, workers: 2 }, 10],
])("its workers of %o hold at most %i connections each", async (concurrency, most) => {
  await using deployed = await deploy({ url: urlAt(), concurrency });
  const { max } = await ask(await deployed.environment(), { do: "look" });
  expect(max).toBe(most);
});
