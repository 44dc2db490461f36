/** A connection to the server was opened, login included. */
export interface EndpointConnectEvent {
  readonly type: "connect";
  /** What it was opened for: requests to `/sql`, or one WebSocket. */
  readonly transport: "http" | "websocket";
  readonly durationMs: number;
}

/** Why a request failed. */
export interface EndpointFailure {
  /** What the client was told, by the server or by the endpoint in its place; null where no SQLSTATE is. */
  readonly sqlState: string | null;
  /** The name of the server's condition, or the endpoint's own words: never what the server said, which may quote values. */
  readonly reason: string;
}

/** A request was answered, or found its client gone. A WebSocket is told of once, when its login is over; what is asked on it is not. */
export interface EndpointRequestEvent {
  readonly type: "request";
  readonly transport: "http" | "websocket";
  readonly method: string;
  /** Null for a path that is not the endpoint's own. */
  readonly path: "/" | "/sql" | "/v2" | null;
  /** Of the HTTP answer: 101 for a WebSocket that was accepted, whatever became of its login. */
  readonly status: number;
  readonly durationMs: number;
  /** Null when it succeeded. */
  readonly failure: EndpointFailure | null;
}

/** What an endpoint tells. No event holds a statement, a value, a name or a password; times are in milliseconds. */
export type EndpointEvent = EndpointConnectEvent | EndpointRequestEvent;

/** Called for every event, at once and in order. What it throws fails no request: it is told once as a warning. */
export type EndpointListener = (event: EndpointEvent) => void;

/** Hands events to the listener, and keeps what it throws away from requests. */
export function tellerOf(listener: EndpointListener | undefined): EndpointListener {
  if (listener === undefined) return () => undefined;
  let warned = false;
  return (event) => {
    try {
      listener(event);
    } catch {
      if (!warned) process.emitWarning("The endpoint's onEvent threw; what it throws is dropped.", "WarmlineWarning");
      warned = true;
    }
  };
}
