import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { ACCOUNTS, type Kind, kindOf, kinds, OPENING_BALANCE, type Transfer } from "./transfers.ts";

/** What a client was told of a transfer; `hung` when it was told nothing long after the deadline. */
export type Told = "acknowledged" | "refused" | "not-sent" | "unknown" | "applied" | "hung";

/** A transfer, and what its client was told in the end. */
export interface Outcome {
  readonly transfer: Transfer;
  readonly told: Told;
}

/** What must not be. Each is a count. */
export interface Violations {
  /** By how much the accounts together hold more or less than at the beginning. */
  readonly money: number;
  /** Accounts that do not hold what the transfers in the table make of them. */
  readonly balances: number;
  /** Acknowledged, and not in the table, or not all of it. */
  readonly lost: number;
  /** In the table more than once, or an entry of it. */
  readonly doubled: number;
  /** Refused or not sent, and in the table, or an entry of it. */
  readonly lied: number;
  /** With a key, and not acknowledged in the end. */
  readonly unfinished: number;
  /** Entries in the table, sent by nobody. */
  readonly strange: number;
  /** Told nothing long after the deadline. */
  readonly hung: number;
}

/** What the clients were told of transfers, each a count. */
export interface ToldCounts {
  readonly transfers: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly notSent: number;
  readonly unknown: number;
  /** How many of the unknown ones were done, or a part of them. */
  readonly unknownDone: number;
}

/** The same of one kind. */
export interface KindCounts extends ToldCounts {
  /** How many raised an error of their own after their first COMMIT. */
  readonly raised: number;
}

/** What the table says. */
export interface Audit {
  readonly violations: Violations;
  readonly told: ToldCounts;
  readonly kinds: Readonly<Record<Kind, KindCounts>>;
}

/** Waits until no transfer runs at the server any more, then compares what the clients were told with what is there. */
export async function audit(client: Client, outcomes: readonly Outcome[]): Promise<Audit> {
  await settled(client);
  const { rows: entries } = await client.query<{ id: string; times: number }>(
    "select id, count(*)::int as times from transfers group by id",
  );
  const { rows: accounts } = await client.query<{ held: number; due: number }>(`
    select balance::int as held, (${OPENING_BALANCE} + coalesce(sum(case a.id when t.creditor then amount else -amount end), 0))::int as due
    from accounts a left join transfers t on a.id in (t.debtor, t.creditor) group by a.id`);
  const times = new Map(entries.map((entry) => [entry.id, entry.times]));
  const written = ({ transfer }: Outcome) => transfer.entries.map((id) => times.get(id) ?? 0);
  const isThere = (outcome: Outcome) => written(outcome).some((count) => count > 0);
  const isWhole = (outcome: Outcome) => written(outcome).every((count) => count > 0);
  const count = (holds: (outcome: Outcome) => boolean) => outcomes.filter(holds).length;
  const sent = new Set(outcomes.flatMap(({ transfer }) => transfer.entries));
  return {
    violations: {
      money: Math.abs(accounts.reduce((sum, { held }) => sum + held, 0) - ACCOUNTS * OPENING_BALANCE),
      balances: accounts.filter(({ held, due }) => held !== due).length,
      lost: count((outcome) => (outcome.told === "acknowledged" || outcome.told === "applied") && !isWhole(outcome)),
      doubled: count((outcome) => written(outcome).some((times) => times > 1)),
      lied: count((outcome) => (outcome.told === "refused" || outcome.told === "not-sent") && isThere(outcome)),
      unfinished: count(({ transfer, told }) => transfer.keyed && told !== "acknowledged"),
      strange: entries.filter(({ id }) => !sent.has(id)).length,
      hung: count(({ told }) => told === "hung"),
    },
    told: countTold(outcomes, isThere),
    kinds: Object.fromEntries(
      kinds.map((kind) => {
        const own = outcomes.filter(({ transfer }) => kindOf(transfer.form) === kind);
        return [kind, { ...countTold(own, isThere), raised: own.filter(({ transfer }) => transfer.raises !== undefined).length }];
      }),
    ) as Audit["kinds"],
  };
}

function countTold(outcomes: readonly Outcome[], isThere: (outcome: Outcome) => boolean): ToldCounts {
  const told = (what: Told) => outcomes.filter((outcome) => outcome.told === what);
  return {
    transfers: outcomes.length,
    acknowledged: told("acknowledged").length,
    refused: told("refused").length,
    notSent: told("not-sent").length,
    unknown: told("unknown").length,
    unknownDone: told("unknown").filter(isThere).length,
  };
}

/** Backends that still serve transfers after everything was closed; waits for those that are about to end. */
export async function leftBehind(client: Client): Promise<number> {
  const count = async () => {
    const { rows } = await client.query<{ pid: number }>(
      "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'",
    );
    return rows.length;
  };
  const giveUpAt = Date.now() + 5_000;
  while ((await count()) > 0 && Date.now() < giveUpAt) await delay(10);
  return count();
}

async function settled(client: Client): Promise<void> {
  for (const giveUpAt = Date.now() + 30_000; Date.now() < giveUpAt; await delay(10)) {
    const { rowCount } = await client.query(
      "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null",
    );
    if (rowCount === 0) return;
  }
  throw new Error("A transfer is still running at the server.");
}
