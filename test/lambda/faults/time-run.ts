import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { PostgresServer } from "../../support/postgres/server.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { bundleHandler } from "../bundle-handler.ts";
import type { Environment } from "../environment.ts";
import { startSandbox } from "../sandbox.ts";
import { withClient } from "./kinds.ts";
import { type TimeKind, timeKinds } from "./time-kinds.ts";

/** What one kind of waiting did to invocations that follow each other in one environment. */
export interface TimeRow {
  readonly fault: string;
  readonly rounds: number;
  /** Invocations that were not answered before their time was over, or died. */
  readonly repliesLost: number;
  /** Replies that told something else than what had happened. */
  readonly wrong: number;
  /** Rounds that left a statement running at the server a second after the invocation's end. */
  readonly leftRunning: number;
  readonly p99Ms: number;
}

/** How the rounds are run. */
export interface TimeOptions {
  readonly rounds: number;
  readonly onProgress: (fault: string, done: number, rounds: number) => void;
}

/** By then nothing of an invocation runs at the server, milliseconds after its end. */
const CLEAN_AFTER_MS = 1_000;
const NAME = "warmline time rounds";

/** Runs invocations whose database is silent, wakes slowly, or takes longer than they may, and counts what became of their replies. */
export async function runTimeRounds(server: PostgresServer, options: TimeOptions): Promise<TimeRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-faults-"));
  try {
    const handler = await bundleHandler(fileURLToPath(new URL("./handler-time.ts", import.meta.url)), folder);
    const rows: TimeRow[] = [];
    for (const kind of timeKinds) rows.push(await runKind(kind, { ...options, server, handler }));
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether every invocation was answered, with the truth, and left nothing behind. */
export function holdsTime({ repliesLost, wrong, leftRunning }: TimeRow): boolean {
  return repliesLost + wrong + leftRunning === 0;
}

interface KindOptions extends TimeOptions {
  readonly server: PostgresServer;
  readonly handler: string;
}

async function runKind(kind: TimeKind, { server, handler, rounds, onProgress }: KindOptions): Promise<TimeRow> {
  await using wire = await startWire(server);
  const url = new URL(server.url());
  url.port = String(wire.port);
  const env = { DATABASE_URL: url.href, PGAPPNAME: NAME, DATABASE_OPTIONS: JSON.stringify(kind.database) };
  await using sandbox = await startSandbox({ handler, timeoutMs: kind.timeoutMs, env });
  const environment = await sandbox.environment();
  // init and its warm-up are no round
  await environment.invoke({ texts: ["select 1"] }, { deadlineMs: 60_000 });
  const timesMs: number[] = [];
  let repliesLost = 0;
  let wrong = 0;
  let leftRunning = 0;
  for (let round = 0; round < rounds; round++) {
    const event = kind.events[round % kind.events.length] as TimeKind["events"][number];
    const { value, error, durationMs } = await invoke(environment, wire, kind, event);
    timesMs.push(durationMs);
    if (error !== undefined) repliesLost += 1;
    else if (JSON.stringify(value) !== JSON.stringify(event.texts.map(() => kind.expected))) wrong += 1;
    if (!(await isClean(server))) leftRunning += 1;
    onProgress(kind.name, round + 1, rounds);
  }
  timesMs.sort((left, right) => left - right);
  const p99Ms = timesMs[Math.ceil(rounds * 0.99) - 1] ?? Number.NaN;
  return { fault: kind.name, rounds, repliesLost, wrong, leftRunning, p99Ms };
}

async function invoke(environment: Environment, wire: Wire, { silentMs }: TimeKind, event: TimeKind["events"][number]) {
  if (silentMs > 0) wire.hold();
  const waking = Number.isFinite(silentMs) ? delay(silentMs).then(() => wire.resume()) : undefined;
  const invocation = await environment.invoke<readonly string[]>(event);
  await waking;
  wire.resume();
  return invocation;
}

/** Whether no statement runs, or none does soon enough. */
async function isClean(server: PostgresServer): Promise<boolean> {
  const giveUpAt = performance.now() + CLEAN_AFTER_MS;
  return withClient(server, async (client) => {
    const text = "select from pg_stat_activity where application_name = $1 and state = 'active'";
    while ((await client.query(text, [NAME])).rowCount !== 0) {
      if (performance.now() > giveUpAt) return false;
      await delay(5);
    }
    return true;
  });
}
