import type { Other } from "./other.ts";

/** As far as it is used. */
interface GraphileWorker {
  run(options: object): Promise<{
    addJob(task: string, payload: object, spec?: object): Promise<unknown>;
    stop(): Promise<void>;
    readonly promise: Promise<void>;
  }>;
  readonly Logger: new (factory: () => () => void) => object;
}

export const other: Other = async ({ pool, check, tool }) => {
  const { run, Logger } = await tool<GraphileWorker>("graphile-worker");
  const done: number[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  let tries = 0;
  const runner = await run({
    pgPool: pool,
    concurrency: 2,
    noHandleSignals: true,
    // longer than this takes: jobs have to come by LISTEN, on the connection that it holds
    pollInterval: 60_000,
    logger: new Logger(() => () => {}),
    taskList: {
      note: async ({ n }: { readonly n: number }) => {
        done.push(n);
        if (done.length === 20) resolve();
      },
      fails: async () => {
        tries++;
        throw new Error("no");
      },
    },
  });
  for (let n = 1; n <= 20; n++) await runner.addJob("note", { n });
  await all;
  check("jobs come by LISTEN, and each is done once", [...new Set(done)].length, 20);
  await runner.addJob("fails", {}, { maxAttempts: 1 });
  while (tries === 0) await new Promise((resume) => setTimeout(resume, 10));
  await runner.stop();
  await runner.promise;
  check(
    "what failed is kept",
    (await pool.query("select last_error from graphile_worker.jobs where task_identifier = 'fails'")).rows.length,
    1,
  );
  check("what was done is gone", (await pool.query("select 1 from graphile_worker.jobs where task_identifier = 'note'")).rowCount, 0);
};
