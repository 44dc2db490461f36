import type { Database } from "warmline";
import type { Bench, Check, Orm, Outcome, Place } from "./orm.ts";
import { show } from "./show.ts";

/** Runs a program over databases that `open` makes, from its tables to the closing of them all. Never rejects. */
export async function perform({ tables, run }: Orm, { counter, url }: Place, open: Bench["open"]): Promise<Outcome> {
  const checks: Check[] = [];
  const opened: Database[] = [];
  const bench: Bench = {
    url,
    open(options) {
      const database = open(options);
      opened.push(database);
      return database;
    },
    get db() {
      return opened[0] as Database;
    },
    check(title, actual, expected) {
      const [seen, wanted] = [show(actual), show(expected)];
      checks.push({ title, seen, ...(seen !== wanted && { wanted }) });
    },
    async roundTrips(of, work) {
      await work();
      const count = async () => Number(await (await fetch(`${counter}/${of}`)).text());
      await count();
      await work();
      return count();
    },
  };
  try {
    await bench.open().script(tables);
    await run(bench);
  } catch (error) {
    return { checks, problem: error instanceof Error ? `${error.stack}\n${error.cause}` : String(error) };
  } finally {
    await Promise.all(opened.map((database) => database.close()));
  }
  return { checks };
}
