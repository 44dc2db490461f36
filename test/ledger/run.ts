import { setTimeout as delay } from "node:timers/promises";
import { type Database, isWarmlineError } from "../../src/entry/node.ts";
import type { PostgresServer } from "../support/postgres/server.ts";
import { createRandom, type Random } from "../support/random.ts";
import { type Audit, audit, leftBehind, type Outcome, type Told, type ToldCounts, type Violations } from "./audit.ts";
import { DEADLINE_MS, kindsOf, layWay, type Way } from "./places.ts";
import { sendTransfer } from "./send-transfer.ts";
import { type FaultName, faultNames, faultOrder, strike, withClient } from "./strikes.ts";
import { type Kind, kindOf, kinds, nextTransfer, schema, type Transfer } from "./transfers.ts";

export type { KindCounts } from "./audit.ts";
export { availableWays } from "./places.ts";
export { type Kind, kinds } from "./transfers.ts";

/** One run of the ledger over one way. */
export interface LedgerRow extends ToldCounts {
  readonly transport: Way;
  readonly seed: number;
  readonly clients: number;
  /** The same counts of each kind: `plain` is DML, whose share of unknown is the price of the faults alone. */
  readonly kinds: Audit["kinds"];
  /** Transfers with a key, and how often they were sent in all. */
  readonly keyed: number;
  readonly keyedSends: number;
  /** Faults that struck. */
  readonly faults: Readonly<Record<FaultName, number>>;
  /** What must not be: all are 0. `leaked` counts backends left at the end, `unhandled` rejections nobody listened to. */
  readonly violations: Violations & { readonly leaked: number; readonly unhandled: number };
  readonly durationMs: number;
}

/** What is run. */
export interface LedgerOptions {
  readonly server: PostgresServer;
  readonly way: Way;
  readonly seed: number;
  /** How many at least: they go on until every kind of fault has struck. */
  readonly transfers: number;
  /** These kinds alone, as far as the way takes them. Default: all. */
  readonly kinds?: readonly Kind[] | undefined;
  /** Who sends; a client of warmline's that repeats what it should not is caught by the audit. Default: {@link sendTransfer}. */
  readonly send?: (db: Database, transfer: Transfer) => Promise<void>;
  /** Whether every second transfer has a key. Default: true. */
  readonly keys?: boolean;
  readonly onProgress?: (settled: number) => void;
}

const CLIENTS = 50;
/** A call that says nothing for so long after its deadline hangs. */
const SLACK_MS = 20_000;
/** How long a client waits after a failure, like anyone who was told that the database is not there. */
const PAUSE_MS = 100;
/** How often a transfer with a key is sent at most: outages are over long before. */
const MOST_SENDS = 300;
/** How long transfers go on beyond their number for a fault that has not struck. */
const STRIKE_PATIENCE_MS = 60_000;

/** Sends transfers from 50 clients over one way while faults strike, then holds what the clients were told against the table. */
export async function runLedger(options: LedgerOptions): Promise<LedgerRow> {
  const { server, way, seed, transfers, send = sendTransfer, keys = true, onProgress = () => {} } = options;
  const startedAt = Date.now();
  const database = `ledger_${way}_${seed}_${startedAt.toString(36)}`;
  await withClient(server, (client) => client.query(`create database ${database}`));
  await withClient(server, (client) => client.query(schema), database);
  let unhandled = 0;
  const onUnhandled = () => {
    unhandled += 1;
  };
  process.on("unhandledRejection", onUnhandled);
  try {
    const place = await layWay(way, server, database);
    const outcomes: Outcome[] = [];
    const forms = place.forms.filter((form) => (options.kinds ?? kinds).includes(kindOf(form)));
    const faults = Object.fromEntries(faultNames.map((name) => [name, 0])) as Record<FaultName, number>;
    const random = createRandom(seed);
    let begun = 0;
    let keyedSends = 0;
    let overSince: number | undefined;

    /** Whether transfers still come. On a fast machine their number alone could be over before every kind of fault had its turn. */
    const running = () => {
      if (begun < transfers) return true;
      overSince ??= Date.now();
      return faultNames.some((name) => faults[name] === 0) && Date.now() - overSince < STRIKE_PATIENCE_MS;
    };

    const client = async () => {
      while (running()) {
        begun += 1;
        const transfer = nextTransfer(random, { forms, keys });
        let told: Told;
        let sends = 0;
        do {
          told = await tell(place.run(() => send(place.db, transfer)));
          sends += 1;
          if (told !== "acknowledged") await delay(PAUSE_MS);
        } while (transfer.keyed && told !== "acknowledged" && told !== "hung" && sends < MOST_SENDS);
        if (transfer.keyed) keyedSends += sends;
        outcomes.push({ transfer, told });
        onProgress(outcomes.length);
      }
    };

    const striker = async () => {
      const chance = createRandom(seed + 1);
      const ground = { place, server, database, random: chance, running };
      for (const name of faultOrder(chance)) {
        const from = outcomes.length + gap(chance, transfers);
        while (running() && outcomes.length < from) await delay(2);
        let struck = false;
        while (running() && !struck) {
          struck = await strike(name, ground);
          if (!struck) await delay(2);
        }
        if (struck) faults[name] += 1;
        if (!running()) return;
      }
    };

    try {
      await Promise.all([striker(), ...Array.from({ length: CLIENTS }, client)]);
      await place.db.close();
    } finally {
      await place[Symbol.asyncDispose]();
    }
    const found = await withClient(
      server,
      async (auditor) => ({ leaked: await leftBehind(auditor), ...(await audit(auditor, outcomes)) }),
      database,
    );
    return {
      transport: way,
      seed,
      clients: CLIENTS,
      ...found.told,
      kinds: found.kinds,
      keyed: outcomes.filter(({ transfer }) => transfer.keyed).length,
      keyedSends,
      faults,
      violations: { ...found.violations, leaked: found.leaked, unhandled },
      durationMs: Date.now() - startedAt,
    };
  } finally {
    process.off("unhandledRejection", onUnhandled);
    await withClient(server, (client) => client.query(`drop database ${database} with (force)`));
  }
}

/** Whether nothing is that must not be, transfers of every kind asked for were sent, and every kind of fault struck. */
export function holds(
  row: LedgerRow,
  { way, transfers, kinds: asked = kinds }: Pick<LedgerOptions, "way" | "transfers" | "kinds">,
): boolean {
  const clean = Object.values(row.violations).every((violations) => violations === 0);
  const sent = asked.every((kind) => !kindsOf(way).has(kind) || wasSent(row, kind));
  return clean && sent && row.transfers >= transfers && faultNames.every((name) => row.faults[name] > 0);
}

/** Of what may fail after its COMMIT some have to. */
function wasSent(row: LedgerRow, kind: Kind): boolean {
  const { transfers, raised } = row.kinds[kind];
  return transfers > 0 && (kind === "plain" || raised > 0);
}

/** Transfers between two faults: some hundred faults in a long run, and every fault several times in a short one. */
function gap(random: Random, transfers: number): number {
  const mean = Math.max(20, transfers / 200);
  return random.between(mean / 2, mean * 1.5);
}

/** What a call tells its client. What is no error of warmline's is a defect of the run. */
async function tell(call: Promise<void>): Promise<Told> {
  const patience = new AbortController();
  const late = delay(DEADLINE_MS + SLACK_MS, "hung" as const, { signal: patience.signal, ref: false });
  late.catch(() => {});
  try {
    return await Promise.race([call.then(() => "acknowledged" as const), late]);
  } catch (error) {
    if (isWarmlineError(error)) return error.fate;
    throw error;
  } finally {
    patience.abort();
  }
}
