import type { Other } from "./other.ts";

interface Job {
  readonly id: string;
  readonly data: { readonly n: number };
}

/** As far as it is used. */
interface Boss {
  on(event: "error", listener: (error: Error) => void): void;
  start(): Promise<unknown>;
  stop(options?: object): Promise<void>;
  createQueue(name: string, options?: object): Promise<void>;
  send(queue: string, data: object, options?: object): Promise<string | null>;
  insert(queue: string, jobs: readonly object[]): Promise<unknown>;
  fetch(queue: string, options?: object): Promise<readonly Job[]>;
  complete(queue: string, id: string | readonly string[]): Promise<unknown>;
  fail(queue: string, id: string, data?: object): Promise<unknown>;
  work(queue: string, options: object, handler: (jobs: readonly Job[]) => Promise<void>): Promise<string>;
}

export const other: Other = async ({ pool, check, tool }) => {
  const { PgBoss } = await tool<{ readonly PgBoss: new (options: object) => Boss }>("pg-boss");
  const errors: Error[] = [];
  const boss = new PgBoss({ db: { executeSql: (text: string, values?: unknown[]) => pool.query(text, values) } });
  boss.on("error", (error) => void errors.push(error));
  await boss.start();
  await boss.createQueue("notes");
  await boss.send("notes", { n: 1 });
  await boss.insert("notes", [{ data: { n: 2 } }, { data: { n: 3 } }]);
  const [first] = await boss.fetch("notes");
  await boss.complete("notes", first?.id ?? "");
  check("fetches and completes", first?.data.n, 1);
  const seen: number[] = [];
  const { promise: both, resolve } = Promise.withResolvers<void>();
  await boss.work("notes", { pollingIntervalSeconds: 0.5, batchSize: 2 }, async (jobs) => {
    for (const { data } of jobs) seen.push(data.n);
    if (seen.length === 2) resolve();
  });
  await both;
  check("works", seen.toSorted(), [2, 3]);
  check("what is sent in somebody's own transaction is undone with it", await sentAndUndone(boss, pool), 0);
  await boss.stop({ graceful: true, timeout: 5_000 });
  check(
    "errors",
    errors.map(({ message }) => message),
    [],
  );
};

async function sentAndUndone(boss: Boss, pool: Parameters<Other>[0]["pool"]): Promise<unknown> {
  const client = await pool.connect();
  await client.query("begin");
  await boss.createQueue("undone");
  await boss.send("undone", { n: 4 }, { db: { executeSql: (text: string, values?: unknown[]) => client.query(text, values) } });
  await client.query("rollback");
  client.release();
  return (await boss.fetch("undone")).length;
}
