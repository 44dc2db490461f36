import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";
import { type Admin, openAdmin } from "./admin.ts";
import { type Contender, createContender } from "./contender.ts";
import { createLambdaContender } from "./contender-lambda.ts";
import type { Fault, Way } from "./fault.ts";
import { runRow } from "./run-row.ts";
import { schema } from "./schema.ts";
import type { Tally } from "./tally.ts";

export { type Way, ways } from "./fault.ts";
export { faults } from "./rows.ts";
export { breaches, type Tally } from "./tally.ts";

/** A line of the report: what one fault came to on one way, for warmline and for the bare driver. */
export interface SuiteRow extends Tally {
  readonly group: Fault["group"];
  readonly fault: string;
  readonly transport: Way;
  readonly bare: Tally;
}

/** How the suite is run. */
export interface SuiteOptions {
  readonly faults: readonly Fault[];
  /** At most so many rounds of each fault. Default: each fault's own. */
  readonly rounds?: number | undefined;
  /** This way alone. Default: all of each fault's own. */
  readonly way?: Way | undefined;
  /** Who takes warmline's place. Default: `warmline`. */
  readonly contender?: string;
  readonly onRow?: (row: SuiteRow, seconds: number) => void;
  readonly onSkip?: (fault: Fault, why: string) => void;
  /** Told of a fault that could not be brought about on a way, or judged: nothing was proved there. Default: the suite ends with the error. */
  readonly onBroken?: (fault: Fault, way: Way, error: unknown) => void;
}

interface Place {
  readonly server: PostgresServer;
  readonly admin: Admin;
}

/** Ways tried at the same time: most of a round is waiting. */
const WIDTH = 3;

/**
 * Runs every fault on each of its ways, for warmline and for the bare driver of that way. Leaves nothing running.
 */
export async function runSuite(options: SuiteOptions): Promise<readonly SuiteRow[]> {
  await using stack = new AsyncDisposableStack();
  const cacheFolder = await mkdtemp(join(tmpdir(), "warmline-faults-"));
  stack.defer(() => rm(cacheFolder, { recursive: true, force: true }));
  const places = new Map<string, Promise<Place>>();
  const contenders = new Map<string, Contender>();

  const placeFor = ({ server: wanted = {} }: Fault): Promise<Place> => {
    const key = JSON.stringify(wanted);
    const place = places.get(key) ?? openPlace(wanted, stack);
    places.set(key, place);
    return place;
  };
  const contenderFor = (name: string, way: Way): Contender => {
    const key = `${name} ${way}`;
    const contender = contenders.get(key) ?? stack.use(way === "lambda" ? createLambdaContender(name) : createContender(name, cacheFolder));
    contenders.set(key, contender);
    return contender;
  };

  async function compare(fault: Fault, way: Way): Promise<SuiteRow> {
    const startedAt = performance.now();
    const place = await placeFor(fault);
    const quick = options.rounds !== undefined;
    const run = (contender: string, rounds: number) =>
      runRow({ ...place, fault, way, contender: contenderFor(contender, way), rounds: Math.min(rounds, options.rounds ?? rounds), quick });
    const own = await run(options.contender ?? "warmline", fault.rounds);
    const bare = await run("bare", fault.bareRounds ?? fault.rounds);
    const row: SuiteRow = { group: fault.group, fault: fault.name, transport: way, ...own, bare };
    options.onRow?.(row, (performance.now() - startedAt) / 1_000);
    return row;
  }

  const rows: SuiteRow[] = [];
  for (const fault of options.faults) {
    const missing = fault.missing?.();
    if (missing !== undefined) {
      options.onSkip?.(fault, missing);
      continue;
    }
    const ways = fault.ways.filter((way) => (options.way ?? way) === way);
    const work = async (way: Way) => {
      try {
        return await compare(fault, way);
      } catch (error) {
        if (options.onBroken === undefined) throw error;
        options.onBroken(fault, way, error);
        return undefined;
      }
    };
    const compared = await inTurns(ways, { width: fault.alone ? 1 : WIDTH, work });
    rows.push(...compared.filter((row) => row !== undefined));
  }
  return rows;
}

/** Works through the items, so many at a time; results are in the order of the items. A failure is thrown when the others have ended. */
async function inTurns<T, R>(
  items: readonly T[],
  { width, work }: { readonly width: number; readonly work: (item: T) => Promise<R> },
): Promise<readonly R[]> {
  const results: R[] = [];
  const left = [...items.entries()];
  const turns = Array.from({ length: width }, async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) results[next[0]] = await work(next[1]);
  });
  const failed = (await Promise.allSettled(turns)).find((turn) => turn.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return results;
}

async function openPlace(wanted: NonNullable<Fault["server"]>, stack: AsyncDisposableStack): Promise<Place> {
  const server = await startPostgres({ ...wanted, settings: { max_connections: "200", ...wanted.settings } });
  stack.defer(() => server.stop());
  const admin = stack.use(openAdmin(server));
  await admin.query(schema);
  return { server, admin };
}
