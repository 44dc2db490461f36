import { setTimeout as delay } from "node:timers/promises";
import { threadId } from "node:worker_threads";
import { closeOnShutdown, lambdaHandler } from "../../../src/adapters/lambda.ts";
import { createDatabase, type DatabaseOptions, type DatabaseStats, isWarmlineError, sql } from "../../../src/entry/node.ts";

/** What the handler is asked to do with its database. */
export type WarmErrand =
  | { readonly do: "look"; readonly until?: Partial<DatabaseStats> }
  | { readonly do: "query"; readonly text: string; readonly deadlineMs?: number }
  | { readonly do: "become"; readonly env: Readonly<Record<string, string>> }
  | { readonly do: "transfer"; readonly from: number; readonly to: number; readonly amount: number }
  | { readonly do: "throw"; readonly after: string }
  | { readonly do: "reply"; readonly bytes: number };

/** How the handler sets its database up; travels as JSON in `HANDLER_OPTIONS`. */
export interface WarmOptions {
  readonly database?: DatabaseOptions;
  /** Whether it closes the database on SIGTERM, and waits until that is settled; CommonJS cannot. `again`: behind what cannot be closed. */
  readonly closes?: boolean | "unawaited" | "again";
  /** By how much its clock is ahead, milliseconds. Default: not at all. */
  readonly clockOffMs?: number;
  /** Namespace of the metrics it logs; without one it logs none. */
  readonly emfNamespace?: string;
}

/** What it tells of every errand but a reply of a certain size. */
export interface WarmReply {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly failure: { readonly code: string; readonly fate: string; readonly message: string } | null;
  readonly stats: DatabaseStats;
  /** The most connections its pool may have; null without a plan. */
  readonly max: number | null;
  readonly threadId: number;
}

const { database = {}, closes = false, clockOffMs = 0, emfNamespace } = JSON.parse(process.env.HANDLER_OPTIONS ?? "{}") as WarmOptions;
if (clockOffMs !== 0) {
  const { now } = Date;
  Date.now = () => now() + clockOffMs;
}
const db = createDatabase(database);
if (closes) {
  if (closes === "again") {
    const closed = () => {
      throw new Error("It is closed already.");
    };
    await closeOnShutdown({ close: closed });
  }
  const settled = closeOnShutdown(db);
  if (closes !== "unawaited") await settled;
}

export const handler = lambdaHandler(db, answer, emfNamespace === undefined ? {} : { emf: { namespace: emfNamespace } });

async function answer(errand: WarmErrand): Promise<WarmReply | string> {
  if (errand.do === "reply") return "x".repeat(errand.bytes - 2);
  try {
    return tell(await carryOut(errand));
  } catch (error) {
    if (!isWarmlineError(error)) throw error;
    const { code, fate, message } = error;
    return { ...tell([]), failure: { code, fate, message } };
  }
}

function tell(rows: WarmReply["rows"]): WarmReply {
  return { rows, failure: null, stats: db.stats(), max: process.env.DATABASE_URL === undefined ? null : db.plan.max, threadId };
}

async function carryOut(errand: Exclude<WarmErrand, { readonly do: "reply" }>): Promise<WarmReply["rows"]> {
  switch (errand.do) {
    case "look":
      while (!Object.entries(errand.until ?? {}).every(([name, value]) => db.stats()[name as keyof DatabaseStats] === value))
        await delay(5);
      return [];
    case "become":
      Object.assign(process.env, errand.env);
      return [];
    case "query":
      return (await db.query(errand.text, [], { deadlineMs: errand.deadlineMs })).rows;
    case "throw":
      await db.query(errand.after);
      throw new RangeError("after its query");
    case "transfer":
      return await transfer(errand.from, errand.to, errand.amount);
  }
}

/** Moves an amount between two accounts, in four statements between which others come. The lower number is locked first. */
function transfer(from: number, to: number, amount: number): Promise<WarmReply["rows"]> {
  const changes = [
    { id: from, by: -amount },
    { id: to, by: amount },
  ];
  changes.sort((one, other) => one.id - other.id);
  return db.transaction(async (tx) => {
    for (const { id, by } of changes) await tx.query(sql`update accounts set balance = balance + ${by} where id = ${id}`);
    await tx.query(sql`insert into transfers values (${from}, ${to}, ${amount})`);
    return (await tx.query(sql<{ whole: number }>`select sum(balance)::integer as whole from accounts`)).rows;
  });
}
