import type { Context } from "hono";
import { type Database, sql } from "warmline";
import { connectionId, connectionReused } from "../answer-headers.ts";
import { type AppEnv, noted } from "../context.ts";
import type { Instance } from "../instance.ts";
import { openapi } from "../openapi.ts";
import { contentSecurityPolicy, overviewPage } from "./html.ts";
import type { DatabaseCounts, Overview, Proof, Route } from "./overview.ts";
import { overviewText } from "./text.ts";

/** What the overview is made of. */
export interface OverviewGround {
  readonly db: Database;
  readonly instance: Instance;
  /** Whether statistics are shown to everybody. */
  readonly isOpen: boolean;
  /** Milliseconds within which the database has to answer. */
  readonly deadlineMs: number;
  readonly proof: (() => Proof) | undefined;
  /** Told why the database did not answer: the overview is shown without its numbers then. */
  readonly onTrouble: (c: Context<AppEnv>, error: unknown) => void;
}

/** The routes beside the overview's own, in the words of the API's description. */
const routes: readonly Route[] = Object.entries(openapi.paths)
  .filter(([path]) => path !== "/")
  .flatMap(([path, methods]) => Object.entries(methods).map(([method, { summary }]) => ({ method: method.toUpperCase(), path, summary })));

/** The overview in the form that is asked for. */
export async function answerOverview(c: Context<AppEnv>, ground: OverviewGround): Promise<Response> {
  const accepted = c.req.header("Accept") ?? "";
  const shown = await overview(c, ground);
  c.header("Vary", "Accept");
  if (accepted.includes("text/html")) {
    c.header("Content-Security-Policy", contentSecurityPolicy);
    return c.html(overviewPage(shown, new URL(c.req.url).origin));
  }
  return accepted.includes("application/json") ? c.json(shown) : c.text(overviewText(shown));
}

async function overview(c: Context<AppEnv>, ground: OverviewGround): Promise<Overview> {
  const { db, instance, isOpen, proof } = ground;
  const database = await count(c, ground);
  const { runtime, transport, reasons } = db.plan;
  return {
    instanceId: instance.id,
    invocation: c.get("invocation"),
    runtime,
    transport,
    why: reasons.transport,
    database,
    stats: isOpen ? db.stats() : null,
    routes,
    proof: proof?.() ?? null,
  };
}

async function count(c: Context<AppEnv>, { db, deadlineMs, onTrouble }: OverviewGround): Promise<DatabaseCounts | null> {
  const statement = sql<Pick<DatabaseCounts, "backendPid" | "sessions" | "open">>`
    select pg_backend_pid() as "backendPid", sessions::float8 as sessions, numbackends as open
    from pg_stat_database where datname = current_database()`;
  try {
    const { via, rows } = noted(c, await db.query(statement, { readOnly: true, deadlineMs }));
    const [counted] = rows;
    return counted === undefined ? null : { ...counted, connectionId: connectionId(via), connectionReused: connectionReused(via) };
  } catch (error) {
    onTrouble(c, error);
    return null;
  }
}
