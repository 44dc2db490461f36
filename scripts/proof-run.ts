import type { Contender, Served } from "./proof-contenders.ts";
import type { World } from "./proof-world.ts";

/** One line of the proof. Times are milliseconds, of whole HTTP requests to the demo API. */
export interface ProofRow {
  readonly runtime: string;
  readonly transport: string;
  readonly why: string;
  readonly invocations: number;
  /** Sessions the server itself counted in this contender's database during its invocations. */
  readonly serverSessions: number;
  /** Distinct backend pids among the answers. */
  readonly backends: number;
  /** Invocations that were answered with anything but the proof. */
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly held: boolean;
}

/** How the proof is run. */
export interface ProofOptions {
  readonly invocations: number;
  /** Told after each invocation. */
  readonly onProgress: (contender: Contender, done: number) => void;
}

/**
 * Calls `GET /proof` of each contender's demo API one after the other, over HTTP, and counts. Each has a database of its own, so that nothing but
 * its own sessions is counted there. Rejects when the server's counter goes down, for then it has been reset and proves nothing.
 */
export async function runProof(world: World, contenders: readonly Contender[], options: ProofOptions): Promise<ProofRow[]> {
  const rows: ProofRow[] = [];
  for (const contender of contenders) rows.push(await prove(world, contender, options));
  return rows;
}

async function prove(world: World, contender: Contender, { invocations, onProgress }: ProofOptions): Promise<ProofRow> {
  const { runtime, transport } = contender;
  const database = `proof_${runtime}_${transport}`;
  const databaseUrl = await world.seed(database);
  const before = await world.countSessions(database);
  const served = await contender.serve({
    databaseUrl,
    endpointUrl: world.endpointUrl,
  });
  const backends = new Set<number>();
  const timesMs: number[] = [];
  let failures = 0;
  try {
    for (let done = 1; done <= invocations; done++) {
      const startMs = performance.now();
      const pid = await invoke(served, transport);
      timesMs.push(performance.now() - startMs);
      if (pid === undefined) failures++;
      else backends.add(pid);
      onProgress(contender, done);
    }
  } finally {
    await served.stop();
  }
  const serverSessions = (await world.countSessions(database)) - before;
  if (!(serverSessions >= 0)) throw new Error("The server's session counter went down: it was reset meanwhile, and proves nothing.");
  const counted = { serverSessions, backends: backends.size, failures };
  timesMs.sort((left, right) => left - right);
  return {
    runtime,
    transport,
    why: served.why,
    invocations,
    ...counted,
    p50Ms: percentile(timesMs, 50),
    p99Ms: percentile(timesMs, 99),
    held: holds(contender, counted),
  };
}

/** The pid of the backend that did the work; undefined for any other answer than a proof over this transport. */
async function invoke(served: Served, transport: string): Promise<number | undefined> {
  try {
    const response = await fetch(`${served.url}/proof`, {
      signal: AbortSignal.timeout(10_000),
    });
    const body = (await response.json()) as {
      readonly backendPid?: unknown;
      readonly transport?: unknown;
    };
    if (!response.ok || body.transport !== transport || typeof body.backendPid !== "number") return undefined;
    return body.backendPid;
  } catch {
    return undefined;
  }
}

/** Whether what was counted is what was promised: no failure, and no connection more than there was to be. */
export function holds(
  { connections }: Pick<Contender, "connections">,
  { serverSessions, backends, failures }: Pick<ProofRow, "serverSessions" | "backends" | "failures">,
): boolean {
  return failures === 0 && (connections === null || (serverSessions === connections && backends === connections));
}

/** Nearest rank, of numbers in order; to a hundredth. */
function percentile(sorted: readonly number[], percent: number): number {
  const value = sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
  return Math.round(value * 100) / 100;
}
