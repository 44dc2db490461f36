import type { World } from "../demo/world.ts";
import type { Contender, Served } from "./contender.ts";

/** One line of the proof. Times are milliseconds, of whole requests that the demo API answered with the proof. */
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
  /** Whether that is what was promised; null where nothing is. */
  readonly held: boolean | null;
}

/** How the proof is run. */
export interface ProofOptions {
  readonly invocations: number;
  /** Told after each invocation. */
  readonly onProgress: (contender: Contender, done: number) => void;
  /** Told of each row when it is there. */
  readonly onRow?: (row: ProofRow) => void;
}

/**
 * Calls `GET /proof` of each contender's demo API, one contender after the other, and counts. Each has a database of its own, so that nothing but
 * its own sessions is counted there. Rejects when the server's counter goes down, for then it has been reset and proves nothing.
 */
export async function runProof(world: World, contenders: readonly Contender[], options: ProofOptions): Promise<ProofRow[]> {
  const rows: ProofRow[] = [];
  for (const contender of contenders) {
    const row = await prove(world, contender, options);
    rows.push(row);
    options.onRow?.(row);
  }
  return rows;
}

async function prove(world: World, contender: Contender, { onProgress, ...options }: ProofOptions): Promise<ProofRow> {
  const { runtime, transport, over = transport, atOnce = 1, atMost = options.invocations } = contender;
  const invocations = Math.min(options.invocations, atMost);
  const database = `proof ${runtime} ${transport}`.replaceAll(/\W+/g, "_");
  const databaseUrl = await world.seed(database);
  const before = await world.countSessions(database);
  const served = await contender.serve({
    databaseUrl,
    endpointUrl: world.endpointUrl,
    countPosts: world.countPosts,
  });
  const backends = new Set<number>();
  const timesMs: number[] = [];
  let failures = 0;
  let begun = 0;
  const callOnAndOn = async () => {
    while (begun++ < invocations) {
      const proof = await invoke(served, over);
      if (proof === undefined) failures++;
      else {
        backends.add(proof.backendPid);
        timesMs.push(proof.tookMs);
      }
      onProgress(contender, timesMs.length + failures);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, callOnAndOn));
  } finally {
    await served.stop();
  }
  const serverSessions = (await world.countSessions(database)) - before;
  if (!(serverSessions >= 0)) throw new Error("The server's session counter went down: it was reset meanwhile, and proves nothing.");
  const counted = { serverSessions, backends: backends.size, failures };
  const also = served.alsoCounted?.();
  timesMs.sort((left, right) => left - right);
  return {
    runtime,
    transport,
    why: [served.why, also?.words].filter((words) => words !== undefined).join("; "),
    invocations,
    ...counted,
    p50Ms: percentile(timesMs, 50),
    p99Ms: percentile(timesMs, 99),
    held:
      contender.connections === "not promised" ? null : holds(contender.connections, { ...counted, invocations }) && also?.held !== false,
  };
}

/** The backend that did the work, and how long it took; undefined for any other answer than a proof over this transport. */
async function invoke(served: Served, over: string): Promise<{ readonly backendPid: number; readonly tookMs: number } | undefined> {
  try {
    const { status, body, tookMs } = await served.invoke();
    const { transport, backendPid } = body as { readonly backendPid?: unknown; readonly transport?: unknown };
    if (status !== 200 || transport !== over || typeof backendPid !== "number") return undefined;
    return { backendPid, tookMs };
  } catch {
    return undefined;
  }
}

/** Whether what was counted is what was promised: no failure, and no connection more than there was to be. */
export function holds(
  connections: number | "one each" | null,
  { serverSessions, backends, failures, invocations }: Pick<ProofRow, "serverSessions" | "backends" | "failures" | "invocations">,
): boolean {
  if (failures > 0) return false;
  if (connections === "one each") return serverSessions === invocations && backends >= 1;
  return connections === null || [serverSessions, backends].every((count) => count >= 1 && count <= connections);
}

/** Nearest rank, of numbers in order; to a hundredth. */
function percentile(sorted: readonly number[], percent: number): number {
  const value = sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
  return Math.round(value * 100) / 100;
}
