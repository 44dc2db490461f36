import type { EndpointEvent, EndpointListener, EndpointRequestEvent } from "../endpoint/endpoint-events.ts";
import { createRepeatedLines } from "./repeated-lines.ts";
import type { Terminal } from "./terminal.ts";

/** The log of an endpoint: what it tells, as lines. */
export interface RequestLog {
  readonly onEvent: EndpointListener;
  /** Tells what was counted and not told yet. */
  end(): void;
}

/** How a log is written. */
export interface RequestLogOptions {
  readonly out: Terminal;
  /** Where failures are told. */
  readonly err: Terminal;
  /** A line for everything; otherwise for failures alone, and the same ones once in ten seconds. */
  readonly verbose: boolean;
}

/** A log that is empty. */
export function createRequestLog({ out, err, verbose }: RequestLogOptions): RequestLog {
  const failures = createRepeatedLines((line) => err.line(line));

  const tellFailure = (event: EndpointRequestEvent, failure: NonNullable<EndpointRequestEvent["failure"]>) => {
    const what = `${requestOf(event)} ${statusOf(event, failure.sqlState)}`;
    const line = `${err.in("dim", clock())} ${err.in("red", what)} ${failure.reason}${took(event)}`;
    if (verbose) err.line(line);
    else failures.tell(`${what} ${failure.reason}`, line);
  };

  return {
    onEvent(event) {
      if (event.type === "request" && event.failure !== null) tellFailure(event, event.failure);
      else if (verbose) out.line(`${out.in("dim", clock())} ${wordsOf(event)}${took(event)}`);
    },
    end: failures.end,
  };
}

function wordsOf(event: EndpointEvent): string {
  if (event.type === "connect") return `connected to the server, for ${event.transport === "http" ? "HTTP" : "a WebSocket"}`;
  return `${requestOf(event)} ${statusOf(event, null)}`;
}

function requestOf({ transport, method, path }: EndpointRequestEvent): string {
  return `${transport === "websocket" ? "WebSocket" : method} ${path ?? "elsewhere"}`;
}

function statusOf({ status }: EndpointRequestEvent, sqlState: string | null): string {
  return sqlState === null ? `${status}` : `${status} ${sqlState}`;
}

function took({ durationMs }: EndpointEvent): string {
  return `, ${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms`;
}

/** The time of day, where the machine stands. */
function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}
