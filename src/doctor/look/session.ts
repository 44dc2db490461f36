import { once } from "node:events";
import type { Socket } from "node:net";
import pg from "pg";
import { sayGoodbye, TERMINATE } from "../../endpoint/say-goodbye.ts";
import { placeOf } from "../../endpoint/server-address.ts";
import { conditionName } from "../../errors/condition.ts";
import type { WarmPoolConfig } from "../../transports/pool/warm-pool.ts";
import { isErrorResponse } from "../../wire/error-response.ts";
import type { BackendFacts, Configured, Pieces, Seen, SessionFacts } from "../evidence.ts";
import { type AnswerRow, answers } from "./answers.ts";
import { loginFailure, UnreadableAnswer } from "./login-failure.ts";
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
export type Answered = { readonly session: Looked<SessionFacts>; readonly backend: Seen<BackendFacts> } & {
  readonly [Name in Question]: Seen<Pieces[Name]>;
};

/** How often the round trip is measured: more often where it costs little, for a busy machine is slow, and no way is shorter than it is. */
const FEWEST_TRIPS = 5;
const MOST_TRIPS = 20;
const TRIPS_MS = 150;
/** A piece that takes longer is not worth the others. */
const MOST_PER_QUESTION_MS = 1_500;

const LONGEST_GOODBYE_MS = 200;

interface LoginTimes {
  readonly connectedAt: () => number;
  readonly version: () => string | null;
}

/** Logs in, measures, asks, and leaves. Changes nothing: every question stands in a READ ONLY transaction of its own. Never rejects. */
export async function askServer(configured: Configured, { login, endsAt, signal, now }: SessionOptions): Promise<Answered> {
  const client = new pg.Client(login);
  client.on("error", () => undefined);
  client.connection.stream.on("error", () => undefined);
  guardParser(client);
  const cutOff = () => client.connection.stream.destroy();
  signal.addEventListener("abort", cutOff, { once: true });
  try {
    const times = watchLogin(client);
    const loggedIn = await logIn(client, configured, signal);
    if ("failed" in loggedIn) return { session: loggedIn, ...unanswered(loggedIn.failed.reason) };
    const loginMs = performance.now() - times.connectedAt();
    const measured = await measure(client, configured, signal);
    if ("failed" in measured) return { session: measured, ...unanswered(measured.failed.reason) };
    const session = { value: { version: times.version(), loginMs, ...measured.value, now: now() } };
    return { session, backend: await lookBehind(client, { signal, now }), ...(await askAll(client, { endsAt, signal })) };
  } finally {
    signal.removeEventListener("abort", cutOff);
    await leave(client.connection.stream as Socket);
  }
}

interface Listening {
  attachListeners(stream: Pick<Socket, "on">): unknown;
}

/** pg's parser throws into the event loop, where nobody catches: here the connection ends with it. */
function guardParser(client: pg.Client): void {
  const connection = client.connection as unknown as Listening;
  const { attachListeners } = connection;
  connection.attachListeners = (stream) => {
    const on = (event: string, listener: (...given: readonly unknown[]) => void) =>
      stream.on(event, (...given: readonly unknown[]) => {
        try {
          listener(...given);
        } catch {
          client.connection.stream.destroy(new UnreadableAnswer());
        }
      });
    return Reflect.apply(attachListeners, connection, [{ on }]);
  };
}

/** Until the server has closed the connection: its backend is listed nowhere by then. */
async function leave(stream: Socket): Promise<void> {
  sayGoodbye(stream, TERMINATE);
  if (!stream.closed) await once(stream, "close", { signal: AbortSignal.timeout(LONGEST_GOODBYE_MS) }).catch(() => undefined);
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

async function logIn(client: pg.Client, configured: Configured, signal: AbortSignal): Promise<Looked<true>> {
  try {
    await unlessAborted(client.connect(), signal);
    return { value: true };
  } catch (error) {
    return loginFailure(error, configured, signal.aborted);
  }
}

async function timed(client: pg.Client, text: string, signal: AbortSignal): Promise<{ readonly ms: number; readonly row: AnswerRow }> {
  const begun = performance.now();
  const { rows } = await unlessAborted(client.query(text), signal);
  return { ms: performance.now() - begun, row: (rows[0] ?? {}) as AnswerRow };
}

type Measures = Pick<SessionFacts, "firstQueryMs" | "secondQueryMs" | "roundTripMs">;

async function measure(client: pg.Client, { settings, urlName }: Configured, signal: AbortSignal): Promise<Looked<Measures>> {
  try {
    const first = await timed(client, "select 1", signal);
    const second = await timed(client, "select 1", signal);
    const trips: number[] = [];
    for (const begun = performance.now(); trips.length < MOST_TRIPS; ) {
      if (trips.length >= FEWEST_TRIPS && performance.now() - begun > TRIPS_MS) break;
      trips.push((await timed(client, "select 1", signal)).ms);
    }
    return { value: { firstQueryMs: first.ms, secondQueryMs: second.ms, roundTripMs: Math.min(...trips) } };
  } catch (error) {
    const where = placeOf(settings.address);
    const found = `${where} lets in, and answers no query: ${whyUnseen(error, signal.aborted)}.`;
    return failed("unreachable", found, `${urlName}: the server itself; where it is a pooler, look at the server behind it`, where);
  }
}

async function lookBehind(client: pg.Client, { signal, now }: Pick<SessionOptions, "signal" | "now">): Promise<Seen<BackendFacts>> {
  const text =
    "select pg_backend_pid() as pid, extract(epoch from clock_timestamp())::float8 * 1000 as clock, pg_is_in_recovery() as recovers";
  try {
    // the first one loads what the second is not to be kept up by
    await timed(client, text, signal);
    const { row, ms } = await timed(client, text, signal);
    const { processID } = client as { readonly processID?: number | null };
    if (typeof row.pid !== "number") return { unseen: "its answer is empty" };
    return {
      value: { behindPooler: processID !== row.pid, clockAheadMs: Number(row.clock) - (now() - ms / 2), inRecovery: row.recovers === true },
    };
  } catch (error) {
    return { unseen: whyUnseen(error, signal.aborted) };
  }
}

async function askAll(
  client: pg.Client,
  { endsAt, signal }: Pick<SessionOptions, "endsAt" | "signal">,
): Promise<Omit<Answered, "session" | "backend">> {
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
  return seen as unknown as Omit<Answered, "session" | "backend">;
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

/** Nothing was answered, for this reason. */
export function unanswered(reason: string): Omit<Answered, "session"> {
  return Object.fromEntries(["backend", ...Object.keys(questions)].map((name) => [name, { unseen: reason }])) as unknown as Omit<
    Answered,
    "session"
  >;
}
