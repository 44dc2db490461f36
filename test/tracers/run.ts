// A process with one tracer: `run.ts <tracer>`, with TRACERS and DATABASE_URL. Sends what it found to its parent.
import { setTimeout as delay } from "node:timers/promises";
import { type Judged, judgeSpans } from "./judge.ts";
import { stayOnLoopback } from "./loopback-only.ts";
import type { Tracer } from "./tracer.ts";

const [, , name = ""] = process.argv;
const url = process.env.DATABASE_URL ?? "";
const problems: string[] = [];
const abroad = stayOnLoopback();
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error: Error) => problems.push(`${event}: ${error?.stack}`));
}

const { start } = (await import(`./${name}.ts`)) as { start(): Promise<Tracer> };
const tracer = await start();
let judged: Judged = { spans: 0, problems: [] };
try {
  const { runScenario } = await import("./scenario.ts");
  const expected = await runScenario(tracer, url);
  await noSessionsLeft();
  judged = judgeSpans(tracer, expected);
} catch (error) {
  problems.push((error as Error).stack ?? String(error));
}
await tracer.stop();
problems.push(...judged.problems, ...abroad.map((host) => `It asked for ${host}.`));
process.send?.({ spans: judged.spans, problems });
process.disconnect?.();

/** Whoever asks is traced too, in no request: so it is seen whether the tracer holds pg at all. */
async function noSessionsLeft(): Promise<void> {
  const { default: pg } = await import("pg");
  const client = new pg.Client(url);
  await client.connect();
  const others = "select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
  let left = 1;
  for (let tries = 0; left > 0 && tries < 100; tries++) {
    if (tries > 0) await delay(20);
    const { rows } = await tracer.request("sessions", () => client.query<{ n: number }>(others));
    left = rows[0]?.n ?? 1;
  }
  if (left > 0) problems.push(`${left} sessions are left.`);
  await client.end();
}
