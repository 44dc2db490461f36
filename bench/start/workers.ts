import { buildWorker } from "../../test/support/worker/artefact.ts";
import { profileStartup, type WorkerStartup } from "../../test/support/worker/startup.ts";
import type { Turn } from "../turns.ts";
import type { Ground } from "./timed.ts";
import { startWorkerd } from "./workerd.ts";

/** What the start of one worker takes, beyond that of one which loads nothing. */
export interface WorkerStart {
  readonly beyondEmptyMs: number;
}

/** By the names they have in the rows, the files that hold them. */
const workers = [
  ["warmline", "warmline"],
  ["warmline/http", "warmline-http"],
  ["neon()", "neon"],
] as const;

/** So many workers start in one process: their start is a few milliseconds, and the process itself some fifty. */
const COPIES = 10;

/** Each turn starts two runtimes: one full of empty workers, and one full of its own. */
export async function startTurns(_: Ground, stack: AsyncDisposableStack): Promise<readonly Turn<WorkerStart>[]> {
  const build = async (main: string) => stack.use(await buildWorker(`bench/workers/${main}.ts`));
  const empty = await build("empty");
  const start = async (artefact: typeof empty) => {
    await using workerd = await startWorkerd(artefact, { copies: COPIES });
    return await workerd.cpuMs();
  };
  const turns: Turn<WorkerStart>[] = [];
  for (const [name, main] of workers) {
    const own = await build(main);
    turns.push({
      name,
      async run() {
        const nothing = await start(empty);
        return { beyondEmptyMs: ((await start(own)) - nothing) / COPIES };
      },
    });
  }
  return turns;
}

/** The same workers, as wrangler profiles them. */
export async function wranglerTurns(): Promise<readonly Turn<WorkerStartup>[]> {
  return workers.map(([name, main]) => ({ name, run: () => profileStartup(`bench/workers/${main}.ts`) }));
}

/** What some queries took. */
export interface HttpInWorker {
  readonly queries: number;
  /** Of the whole runtime, with all of its threads. */
  readonly cpuMicros: number;
}

/** In one request, so that the request itself weighs little. */
const QUERIES = 40;
/** Before all, for the compiler to see each way. */
const WARM_UPS = 15;

/** Both in a runtime of their own, which stays warm. */
export async function httpTurns({ databaseUrl, endpointUrl }: Ground, stack: AsyncDisposableStack): Promise<readonly Turn<HttpInWorker>[]> {
  const artefact = stack.use(await buildWorker("bench/worker.ts"));
  const turns: Turn<HttpInWorker>[] = [];
  for (const [name, path] of [
    ["warmline", "/ours"],
    ["neon()", "/bare"],
  ] as const) {
    const workerd = stack.use(await startWorkerd(artefact, { vars: { DATABASE_URL: databaseUrl, WARMLINE_ENDPOINT: endpointUrl } }));
    const url = new URL(`${path}?queries=${QUERIES}`, workerd.url);
    const run = async (): Promise<HttpInWorker> => {
      const before = await workerd.cpuMs();
      const response = await fetch(url);
      if ((await response.text()) !== "done") throw new Error(`The worker answered with ${response.status}.`);
      return { queries: QUERIES, cpuMicros: ((await workerd.cpuMs()) - before) * 1_000 };
    };
    for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) await run();
    turns.push({ name, run });
  }
  return turns;
}
