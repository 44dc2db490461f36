import type { Socket } from "node:net";
import pg from "pg";
import { sayGoodbye, TERMINATE } from "../../endpoint/say-goodbye.ts";
import { conditionName } from "../../errors/condition.ts";
import type { WarmPoolConfig } from "../../transports/pool/warm-pool.ts";
import { isErrorResponse } from "../../wire/error-response.ts";
import type { Configured, Pieces, Seen, SessionFacts } from "../evidence.ts";
import { type AnswerRow, answers } from "./answers.ts";
import { type Question, questions } from "./questions.ts";
import { unlessAborted } from "./reach.ts";
import { failed, type Looked } from "./unseen.ts";

/** How to ask. */
export interface SessionOptions {
  /** How pg logs in as the settings say. */
  readonly login: WarmPoolConfig;
  /** When everything has to be over, milliseconds since 1970. */
  readonly endsAt: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** What a session saw. */
export type Answered = { readonly session: Looked<SessionFacts> } & { readonly [Name in Question]: Seen<Pieces[Name]> };

/** How often the round trip is measured. */
const TRIPS = 5;
/** A piece that takes longer is not worth the others. */
const MOST_PER_QUESTION_MS = 1_500;

interface LoginTimes {
  readonly connectedAt: () => number;
  readonly version: () => string | null;
}

/** Logs in, measures, asks, and leaves. Changes nothing: every question stands in a READ ONLY transaction of its own. Never rejects. */
export async function askServer(configured: Configured, { login, endsAt, signal, now }: SessionOptions): Promise<Answered> {
  const client = new pg.Client(login);
  client.on("error", () => undefined);
  client.connection.stream.on("error", () => undefined);
  const cutOff = () => client.connection.stream.destroy();
  signal.addEventListener("abort", cutOff, { once: true });
  try {
    const times = watchLogin(client);
    await unlessAborted(client.connect(), signal);
    const session = await measure(client, times, { signal, now });
    return { session: { value: session }, ...(await askAll(client, { endsAt, signal })) };
  } catch (error) {
    const session = loginFailure(error, configured, signal.aborted);
    return { session, ...unansweredFor("failed" in session ? session.failed.reason : "") };
  } finally {
    signal.removeEventListener("abort", cutOff);
    sayGoodbye(client.connection.stream as Socket, TERMINATE);
  }
}

function watchLogin(client: pg.Client): LoginTimes {
  let connectedAt = performance.now();
  let version: string | null = null;
  const connected = () => {
    connectedAt = performance.now();
  };
  client.connection.once("connect", connected);
  client.connection.once("sslconnect", connected);
  client.connection.on("parameterStatus", (message: { readonly parameterName: string; readonly parameterValue: string }) => {
    // what a server may say of itself goes to a terminal
    if (message.parameterName === "server_version") version = /^\d[\w.]{0,15}/.exec(message.parameterValue)?.[0] ?? null;
  });
  return { connectedAt: () => connectedAt, version: () => version };
}

async function measure(
  client: pg.Client,
  times: LoginTimes,
  { signal, now }: Pick<SessionOptions, "signal" | "now">,
): Promise<SessionFacts> {
  const loginMs = performance.now() - times.connectedAt();
  const timed = async (text: string) => {
    const begun = performance.now();
    const { rows } = await unlessAborted(client.query(text), signal);
    return { ms: performance.now() - begun, row: (rows[0] ?? {}) as AnswerRow, at: now() };
  };
  const text =
    "select pg_backend_pid() as pid, extract(epoch from clock_timestamp())::float8 * 1000 as clock, pg_is_in_recovery() as recovers";
  const first = await timed(text);
  const second = await timed(text);
  const trips: number[] = [];
  for (let trip = 0; trip < TRIPS; trip += 1) trips.push((await timed("select 1")).ms);
  const { processID } = client as { readonly processID?: number | null };
  return {
    version: times.version(),
    behindPooler: processID !== second.row.pid,
    loginMs,
    firstQueryMs: first.ms,
    secondQueryMs: second.ms,
    roundTripMs: trips.sort((one, other) => one - other)[Math.floor(TRIPS / 2)] as number,
    clockAheadMs: Number(second.row.clock) - (second.at - second.ms / 2),
    inRecovery: second.row.recovers === true,
    now: second.at,
  };
}

async function askAll(
  client: pg.Client,
  { endsAt, signal }: Pick<SessionOptions, "endsAt" | "signal">,
): Promise<Omit<Answered, "session">> {
  const seen: Partial<Record<Question, unknown>> = {};
  for (const name of Object.keys(questions) as Question[]) {
    const leftMs = Math.min(Math.floor(endsAt - Date.now()), MOST_PER_QUESTION_MS);
    try {
      signal.throwIfAborted();
      const results = (await unlessAborted(
        client.query(readOnly(questions[name], leftMs)),
        signal,
      )) as unknown as readonly pg.QueryResult[];
      seen[name] = answers[name]((results.at(-2)?.rows ?? []) as readonly AnswerRow[]);
    } catch (error) {
      seen[name] = { unseen: whyUnseen(error, signal.aborted) };
      if (!signal.aborted) await unlessAborted(client.query("rollback"), signal).catch(() => undefined);
    }
  }
  return seen as unknown as Omit<Answered, "session">;
}

/** One simple Query, so that it works behind a pooler that lends its servers for a transaction. */
function readOnly(question: string, leftMs: number): string {
  return `begin read only; set local statement_timeout = ${Math.max(leftMs, 1)}; set local lock_timeout = 500; ${question}; commit`;
}

function whyUnseen(error: unknown, late: boolean): string {
  if (late) return "it did not answer in time";
  if (!isErrorResponse(error)) return "the connection was lost";
  if (error.code === "42501") return "no permission (42501)";
  if (error.code === "57014") return "it took too long (57014)";
  return `${conditionName(error.code)} (${error.code})`;
}

function unansweredFor(reason: string): Omit<Answered, "session"> {
  return Object.fromEntries(Object.keys(questions).map((name) => [name, { unseen: reason }])) as unknown as Omit<Answered, "session">;
}

function loginFailure(error: unknown, { settings, urlName, plan }: Configured, late: boolean): Looked<SessionFacts> {
  const { host, port } = settings.address;
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const change = `${urlName}: host and port; and the network's rules between here and there`;
  if (late) return failed("unreachable", `${where} did not answer in time: the login did not end.`, change, where);
  if (!isErrorResponse(error)) {
    const code = (error as { readonly code?: unknown } | undefined)?.code;
    // ours have messages without values
    const known = typeof code === "string" && /^[A-Z_]{5,30}$/.test(code) ? ` (${code})` : "";
    return failed("unreachable", `${where}: the connection was lost during the login${known}.`, change, where);
  }
  const iam = plan.capabilities.iam && settings.address.password === null;
  return failed(
    "login-refused",
    `${where} refuses the login: ${conditionName(error.code)} (${error.code}).`,
    iam
      ? "grant rds_iam to the role, and allow rds-db:connect (dsql:DbConnect) to the function's own role"
      : `${urlName}: user, password and database, percent-encoded`,
    where,
  );
}
