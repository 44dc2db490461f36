import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleHandler } from "../../lambda/bundle-handler.ts";
import type { Environment } from "../../lambda/environment.ts";
import { startSandbox } from "../../lambda/sandbox.ts";
import { type ClientName, clientNames, type Errand } from "./errand.ts";
import { type Ground, grounds } from "./grounds.ts";
import { type FaultKind, faultKinds } from "./kinds.ts";

export { type ClientName, clientNames } from "./errand.ts";

/** What one fault did to the first calls after it, half of them reads and half writes; and to reads behind those, until one succeeded. */
export interface Count {
  readonly rounds: number;
  readonly failedReads: number;
  readonly failedWrites: number;
  /** Writes that were done twice, or more often. */
  readonly doubled: number;
  /** Writes that succeeded, and are nowhere. */
  readonly lost: number;
  /** Writes that failed, and were done: what the client cannot tell. */
  readonly doneThoughFailed: number;
  /** Processes that ended by an error nobody listened to. */
  readonly deaths: number;
  /** The longest of the first calls, milliseconds. */
  readonly maxMs: number;
}

/** A client and a fault, as its recipe has it and as it is by default. */
export interface KeepRow {
  readonly client: ClientName;
  readonly fault: string;
  /** Whether the fault struck a write on its way, and not a frozen environment: that may fail, and what is called in the same second. */
  readonly strikesCall: boolean;
  readonly kept: Count;
  readonly byDefault: Count;
}

/** How the faults are run. */
export interface KeepFaultsOptions {
  /** Of each kind, client and contender. */
  readonly rounds: number;
  /** The same where the client by default waits for the function's time-out. */
  readonly hangingRounds: number;
  readonly clients?: readonly ClientName[];
  /** All clients at the same time, for those who wait for the result; times say less then. */
  readonly atOnce?: boolean;
  readonly onProgress: (row: Pick<KeepRow, "client" | "fault">) => void;
}

/** Longer than two connects and the silence between take on a busy machine; the recipes never need it. */
const TIMEOUT_MS = 20_000;
/** What a function has whose client waits for ever. */
const DEFAULT_TIMEOUT_MS = 2_000;
const PAUSE_MS = 60_000;
/** Of a client that has to come to itself again after a round. */
const PREPARING_CALLS = 20;

/** Strikes frozen environments over and over, and counts what their next invocation came to. */
export async function runKeepFaults(options: KeepFaultsOptions): Promise<KeepRow[]> {
  await using handlers = await bundleHandlers();
  const rowsOf = async (client: ClientName): Promise<readonly KeepRow[]> => {
    await using ground = await grounds[client]();
    // one after the other: what strikes the connections of one would strike those of the other
    const kept = await countFaults({ client, ground, handler: handlers.kept, timeoutMs: TIMEOUT_MS }, options);
    const byDefault = await countFaults({ client, ground, handler: handlers.default, timeoutMs: DEFAULT_TIMEOUT_MS }, options);
    return faultKinds.map(({ name: fault, strikesCall = false }, index) => {
      return { client, fault, strikesCall, kept: kept[index] as Count, byDefault: byDefault[index] as Count };
    });
  };
  const clients = options.clients ?? clientNames;
  if (options.atOnce) return (await Promise.all(clients.map(rowsOf))).flat();
  const rows: KeepRow[] = [];
  for (const client of clients) rows.push(...(await rowsOf(client)));
  return rows;
}

/** Whether by its recipe a client failed nobody who called after a freeze, lost no process, and did no write twice. */
export function holds({ kept, strikesCall }: KeepRow): boolean {
  const failed = strikesCall ? 0 : kept.failedReads + kept.failedWrites;
  return failed + kept.doubled + kept.lost + kept.deaths === 0;
}

/** A function of one client, by its recipe or by default. */
interface Contender {
  readonly client: ClientName;
  readonly ground: Ground;
  readonly handler: string;
  readonly timeoutMs: number;
}

/** Strikes one environment with every fault. */
async function countFaults(contender: Contender, { rounds, hangingRounds, onProgress }: KeepFaultsOptions): Promise<readonly Count[]> {
  const { client, ground, handler, timeoutMs } = contender;
  await using sandbox = await startSandbox({ handler, timeoutMs, env: { ...ground.env, CLIENT: client } });
  const environment = await sandbox.environment();
  const counts: Count[] = [];
  for (const fault of faultKinds) {
    onProgress({ client, fault: fault.name });
    const waits = fault.hangs && timeoutMs === DEFAULT_TIMEOUT_MS;
    counts.push(await countRounds(contender, environment, { fault, rounds: waits ? Math.min(rounds, hangingRounds) : rounds }));
  }
  return counts;
}

/** A fault, and how often it strikes. */
interface Series {
  readonly fault: FaultKind;
  readonly rounds: number;
}

async function countRounds({ client, ground }: Contender, environment: Environment, { fault, rounds }: Series): Promise<Count> {
  const deaths = environment.deaths.length;
  let [failedReads, failedWrites, maxMs] = [0, 0, 0];
  const written = new Map<string, boolean>();
  for (let round = 0; round < rounds; round++) {
    // a call that fails then is late work of the last fault
    failedReads += await prepare(environment, client);
    if (!fault.strikesCall) await environment.freezeFor({ wallClockMs: PAUSE_MS });
    const struck = await fault.strike(ground);
    if (struck === 0) throw new Error(`"${fault.name}" found no connection of ${client}: nothing was proved.`);
    const errand: Errand = { id: randomUUID(), what: round % 2 === 0 && !fault.strikesCall ? "read" : "write" };
    const { error, durationMs } = await environment.invoke(errand);
    maxMs = Math.max(maxMs, Math.round(durationMs));
    if (errand.what === "write") written.set(errand.id, error === undefined);
    if (error !== undefined && errand.what === "read") failedReads += 1;
    if (error !== undefined && errand.what === "write") failedWrites += 1;
    // what the round did not touch is not for the next one
    for (const network of ground.networks) for (const kind of ["swallow", "cut-after"] as const) network.reset(kind);
  }
  const counts = await Promise.all([...written].map(async ([id, succeeded]) => ({ succeeded, times: await ground.count(id) })));
  return {
    rounds,
    failedReads,
    failedWrites,
    doubled: counts.filter(({ times }) => times > 1).length,
    lost: counts.filter(({ succeeded, times }) => succeeded && times === 0).length,
    doneThoughFailed: counts.filter(({ succeeded, times }) => !succeeded && times > 0).length,
    deaths: environment.deaths.length - deaths,
    maxMs,
  };
}

/** Calls until the environment holds a connection: by default a client may need some calls after its last round. Gives how many failed. */
async function prepare(environment: Environment, client: ClientName): Promise<number> {
  const what = [];
  for (let calls = 0; calls < PREPARING_CALLS; calls++) {
    const { error } = await environment.invoke({ id: randomUUID(), what: "read" } satisfies Errand);
    if (error === undefined) return calls;
    what.push(`${error.errorType}: ${error.errorMessage}`);
  }
  throw new Error(`${client} does not recover: ${what.at(-1)}\n${environment.logs().slice(-2_000)}`);
}

async function bundleHandlers(): Promise<Readonly<Record<"kept" | "default", string>> & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-keep-"));
  const bundle = (name: "kept" | "default") =>
    bundleHandler(fileURLToPath(new URL(`./handler-${name}.ts`, import.meta.url)), join(folder, name));
  return {
    kept: await bundle("kept"),
    default: await bundle("default"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
