import pg from "pg";
import { sharedPool, WarmPool } from "warmline/pool";
import type { Check, Outcome } from "../orm.ts";
import { show } from "../show.ts";
import type { Other, OtherPlace } from "./other.ts";

/** Runs a program, and prints what it came to, and how many of its connections are left. What it leaves at work keeps the process. */
export async function performOther(other: Other, { url, pool: name }: OtherPlace): Promise<void> {
  const checks: Check[] = [];
  const open = () => {
    const options = { connectionString: url, max: 3 };
    const made = name === "pg.Pool" ? new pg.Pool(options) : name === "WarmPool" ? new WarmPool(options) : sharedPool(options);
    return made.on("error", () => {});
  };
  const Pool = new Proxy(pg.Pool, { construct: open });
  const pool = open();
  let problem: string | undefined;
  try {
    await other({
      pool,
      Pool,
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
