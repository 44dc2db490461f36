import { randomUUID } from "node:crypto";
import type { PostgresServer } from "../../support/postgres/server.ts";
import { type Contender, type ContenderName, type RoundReply, startContender } from "./contender.ts";
import { type FaultKind, faultKinds, withClient } from "./kinds.ts";

export type { ContenderName } from "./contender.ts";

/** What one fault did to both, in rounds of one frozen environment each. Only rounds in which the fault was felt are counted. */
export interface FaultRow {
  readonly fault: string;
  readonly rounds: number;
  readonly warmlineFailures: number;
  readonly warmlineDeaths: number;
  /** Writes of warmline that are in the table twice or, though the call succeeded, not at all. */
  readonly warmlineMiscounts: number;
  /** Connections opened beyond the first and one for each round. */
  readonly warmlineSurplusConnects: number;
  readonly bareRounds: number;
  readonly bareFailures: number;
  /** Processes that ended by an error nobody listened to. */
  readonly bareDeaths: number;
  /** The first call after the thaw, over warmline. */
  readonly p99Ms: number;
}

/** How the faults are run. */
export interface FaultsOptions {
  readonly rounds: number;
  /** Rounds of pg's own pool where it hangs until the function's time-out. */
  readonly hangingRounds: number;
  readonly onProgress: (fault: string, contender: ContenderName, done: number, rounds: number) => void;
}

interface Tally {
  readonly failures: number;
  readonly deaths: number;
  readonly miscounts: number;
  readonly surplusConnects: number;
  readonly timesMs: readonly number[];
}

/** Longer than two connects and the silence between take on a busy machine; warmline never needs it. */
const TIMEOUT_MS = 20_000;
/** Bare rounds that hang last so long. */
const HANGING_TIMEOUT_MS = 2_000;
const PAUSE_MS = 60_000;

/** Strikes frozen environments over and over, with warmline's pool and with pg's own, and counts what their next invocation came to. */
export async function runFaults(server: PostgresServer, options: FaultsOptions): Promise<FaultRow[]> {
  await withClient(server, (client) => client.query("create table if not exists rounds (id text not null)"));
  const rows: FaultRow[] = [];
  for (const fault of faultKinds) {
    const bareRounds = fault.hangsBare ? Math.min(options.rounds, options.hangingRounds) : options.rounds;
    const warmline = await tally(server, fault, "warmline", options);
    const bare = await tally(server, fault, "bare", { ...options, rounds: bareRounds });
    rows.push({
      fault: fault.name,
      rounds: options.rounds,
      warmlineFailures: warmline.failures,
      warmlineDeaths: warmline.deaths,
      warmlineMiscounts: warmline.miscounts,
      warmlineSurplusConnects: warmline.surplusConnects,
      bareRounds,
      bareFailures: bare.failures,
      bareDeaths: bare.deaths,
      p99Ms: percentile(warmline.timesMs, 99),
    });
  }
  return rows;
}

/** Whether warmline failed no invocation, lost no process, wrote everything once, and connected no more than once for each fault. */
export function holds(row: FaultRow): boolean {
  return row.warmlineFailures + row.warmlineDeaths + row.warmlineMiscounts + row.warmlineSurplusConnects === 0;
}

async function tally(
  server: PostgresServer,
  fault: FaultKind,
  name: ContenderName,
  { rounds, onProgress }: { readonly rounds: number; readonly onProgress: FaultsOptions["onProgress"] },
): Promise<Tally> {
  await using contender = await startContender(name, {
    server,
    timeoutMs: name === "bare" && fault.hangsBare ? HANGING_TIMEOUT_MS : TIMEOUT_MS,
  });
  const { environment } = contender;
  const answered = new Map<string, boolean>();
  const timesMs: number[] = [];
  let failures = 0;
  let unfelt = 0;
  for (let done = 0; done < rounds; ) {
    const { pid, failed } = await prepare(contender, answered);
    await environment.freezeFor({ wallClockMs: PAUSE_MS });
    const felt = await fault.strike({ contender, server, pid });
    const { error, durationMs } = await invoke(contender, answered);
    if (!felt()) {
      unfelt += 1;
      if (unfelt > rounds) throw new Error(`"${fault.name}" was not felt in ${unfelt} rounds of ${name}: nothing was proved.`);
      continue;
    }
    done += 1;
    timesMs.push(durationMs);
    // a call that fails before the fault is a fault's late work, and counts for warmline
    if (error !== undefined || (failed && name === "warmline")) failures += 1;
    onProgress(fault.name, name, done, rounds);
  }
  return {
    failures,
    deaths: environment.deaths.length,
    miscounts: await countMiscounts(server, answered),
    surplusConnects: Math.max(0, contender.network.connections() - 1 - rounds - unfelt),
    timesMs,
  };
}

async function invoke({ environment }: Contender, answered: Map<string, boolean>) {
  const id = randomUUID();
  const invocation = await environment.invoke<RoundReply>({ id });
  answered.set(id, invocation.error === undefined);
  return invocation;
}

/** Calls until the environment holds a connection: pg's own pool may need the time-outs and restarts of its last round first. */
async function prepare(contender: Contender, answered: Map<string, boolean>): Promise<{ readonly pid: number; readonly failed: boolean }> {
  for (let calls = 1; calls <= 5; calls++) {
    const { value } = await invoke(contender, answered);
    if (value !== undefined) return { pid: value.pid, failed: calls > 1 };
  }
  throw new Error(
    `${contender.name} does not recover: five calls failed one after the other.\n${contender.environment.logs().slice(-2_000)}`,
  );
}

/** Ids that are in the table more than once, or were answered for and are not there at all. */
async function countMiscounts(server: PostgresServer, answered: ReadonlyMap<string, boolean>): Promise<number> {
  const { rows } = await withClient(server, (client) =>
    client.query<{ id: string; times: number }>("select id, count(*)::int as times from rounds where id = any($1) group by id", [
      [...answered.keys()],
    ]),
  );
  const times = new Map(rows.map((row) => [row.id, row.times]));
  return [...answered].filter(([id, succeeded]) => {
    const written = times.get(id) ?? 0;
    return written > 1 || (succeeded && written === 0);
  }).length;
}

/** Nearest rank; to a hundredth. */
function percentile(timesMs: readonly number[], percent: number): number {
  const sorted = timesMs.toSorted((left, right) => left - right);
  const value = sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
  return Math.round(value * 100) / 100;
}
