import type { Context } from "hono";
import { type Database, sql } from "warmline";
import { connectionId, connectionReused } from "../answer-headers.ts";
import { type AppEnv, noted } from "../context.ts";
import type { Instance } from "../instance.ts";
import { openapi } from "../openapi.ts";
import { contentSecurityPolicy, overviewLead, overviewPage, overviewSections } from "./html.ts";
import type { LivePicture } from "./live.ts";
import type { DatabaseCounts, Overview, Proof, Route } from "./overview.ts";
import { sectionStyle } from "./style.ts";
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
  readonly live: LivePicture | undefined;
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
    return answerPage(c, shown, ground.live);
  }
  return accepted.includes("application/json") ? c.json(shown) : c.text(overviewText(shown));
}

async function answerPage(c: Context<AppEnv>, shown: Overview, live: LivePicture | undefined): Promise<Response> {
  const { origin } = new URL(c.req.url);
  const [lead, sections] = await Promise.all([overviewLead(shown), overviewSections(shown, origin)]);
  const below = `<div class="below"><section><h2>The API beside it</h2><p class="note">${lead}</p></section>${sections}</div>`;
  const page = await live?.page({ below, style: `${belowStyle}.below{${sectionStyle}}` });
  c.header("Content-Security-Policy", page?.contentSecurityPolicy ?? contentSecurityPolicy);
  return c.html(page?.html ?? overviewPage(shown, origin));
}

const belowStyle = ".below{margin:0 auto;max-width:54rem}.below section{margin-top:2.75rem}.below h2{margin-bottom:.8rem}";

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
