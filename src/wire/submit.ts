import { UsageError } from "../errors/errors.ts";
import { throwOn } from "./driver-parser.ts";

/** Told once of the end of what was submitted: its failure, or null. Its rows are nobody's but the caller's. */
export type Told = (failure: Error | null) => void;

/**
 * What is handed to pg's `client.query` in place of a text. Tracers patch that method, and look at what it is given as they look at a query of
 * pg's own: they read the text, and wait for the callback.
 */
export interface Submittable {
  /** Never a prepared statement. Not undefined: OpenTelemetry replaces what has a text and no name by a copy with a comment in the text. */
  readonly name: null;
  /** What a tracer may call it: its statements, without a value. What is sent is never taken from here. */
  readonly text: string;
  /** Set by pg to what `submit` hands over, and by a tracer to something around it; called at the end, whichever it is. */
  callback: Told | undefined;
  /** Whether any byte of it was handed to the socket. */
  readonly sent: boolean;
  /** Called once it was. */
  onSent: (() => unknown) | undefined;
  submit(connection: never): Error | null;
  handleReadyForQuery(): void;
  handleError(failure: unknown): void;
}

/** The part of a pg client that is submitted to. */
export interface SubmitClient {
  query(submittable: object, told: Told): unknown;
  /** Not in pg's types: false when its connection was lost. */
  readonly _queryable?: boolean;
  /** Not in pg's types: what it waits for the end of, and whether the next may be written. */
  _activeQuery?: object | null;
  readyForQuery?: boolean;
  readonly _queryQueue?: object[];
}

/** Where it stands among what the driver is asked besides. */
interface Standing {
  /** The driver writes nothing before it has ended: it may have to be sent once more. Default false. */
  readonly holds?: boolean | undefined;
  /** It goes before what waits already. Default false. */
  readonly first?: boolean | undefined;
}

/**
 * Submits to a pg client in the one manner that every tracer follows: with a callback beside it. Nothing here waits for the callback: it is
 * news for whoever is around it. Before the end it is called by a tracer that refuses a statement (Datadog's protection against injection),
 * and by pg's own `query_timeout`, for whoever sets that in pg's defaults.
 */
export function submit(client: SubmitClient, submittable: Submittable, { holds = false, first = false }: Standing = {}): void {
  // pg would not put it into its queue, where Datadog looks for it: its span would never end
  if (client._queryable === false) submittable.handleError(new Error("The connection is closed."));
  else {
    const { _activeQuery: before } = client;
    // one that pg's queue has sent, in this very turn: pg would warn of a queue
    if (!first && before && "onSent" in before) standReady(client, before as Submittable);
    try {
      client.query(submittable, (failure) => {
        if (failure) submittable.handleError(submittable.sent ? failure : blocked());
      });
    } catch (thrown) {
      // a tracer's own: what it has passed on is answered as ever
      if (submittable.sent || client._queryQueue?.includes(submittable)) throwOn(thrown);
      else {
        submittable.handleError(blocked());
        return;
      }
    }
    if (holds) return;
    const { _queryQueue: waiting } = client;
    if (first && waiting !== undefined && waiting.at(-1) === submittable) waiting.unshift(...waiting.splice(-1));
    // only now: a tracer around looks for what it has passed on
    if (submittable.sent) standReady(client, submittable);
    // pg's own queue sends what came while it was busy
    else submittable.onSent = () => queueMicrotask(() => standReady(client, submittable));
  }
}

/** The link keeps what was sent apart: pg is to write what comes next behind it, and not to wait. Neon's client, which is older, waits. */
function standReady(client: SubmitClient, submittable: Submittable): void {
  if (client._activeQuery !== submittable) return;
  client._activeQuery = null;
  client.readyForQuery = true;
}

const blocked = () => new UsageError("A tracer refused the statement. Nothing was sent.", { code: "BLOCKED" });
