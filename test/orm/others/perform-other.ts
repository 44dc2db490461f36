import pg from "pg";
import { sharedPool, WarmPool } from "warmline/pool";
import type { Check, Outcome } from "../orm.ts";
import { show } from "../show.ts";
import type { Other, OtherPlace } from "./other.ts";

/** Runs a program, and prints what it came to, and how many of its connections are left. What it leaves at work keeps the process. */
export async function performOther(other: Other, { url, pool: name }: OtherPlace): Promise<void> {
  const checks: Check[] = [];
  const Pool = { "pg.Pool": pg.Pool, WarmPool, sharedPool: new Proxy(pg.Pool, { construct: (_, [options]) => sharedPool(options) }) }[name];
  const pool = new Pool({ connectionString: url, max: 3 });
  pool.on("error", () => {});
  let problem: string | undefined;
  try {
    await other({
      pool,
      Pool,
      url,
      tool: (module) => import(module),
      check(title, actual, expected) {
        const [seen, wanted] = [show(actual), show(expected)];
        checks.push({ title, seen, ...(seen !== wanted && { wanted }) });
      },
    });
    if (!pool.ending) await pool.end();
  } catch (error) {
    problem = error instanceof Error ? `${error.stack}\n${error.cause}` : String(error);
  }
  const outcome: Outcome = { checks, ...(problem !== undefined && { problem }) };
  process.stdout.write(JSON.stringify(outcome));
  // what it left behind is not waited for
  if (problem !== undefined) process.exit(1);
}
