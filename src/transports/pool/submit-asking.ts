import type { Exchange, WireConnection } from "../exchange.ts";
import { submit } from "../submit.ts";
import type { WireClient } from "../wire-session.ts";

/** What a submittable whose answer is ReadyForQuery and nothing else does with the rest: pg hands whatever comes to the one that is on its way. */
export function nothingBut(onSurplus: () => void): object {
  return {
    handleRowDescription: onSurplus,
    handleDataRow: onSurplus,
    handleCommandComplete: onSurplus,
    handleEmptyQuery: onSurplus,
    handlePortalSuspended: onSurplus,
    handleCopyInResponse: onSurplus,
    handleCopyData: onSurplus,
  };
}

/** Submits an exchange with a Sync before it, in the same write; the Sync's answer comes first, and is told by `onAlive`. */
export function submitAsking(exchange: Exchange, client: WireClient, onAlive: () => void): void {
  exchange.waiting = true;
  // to a tracer the two are one: the text and the end are those of the exchange
  submit(client, {
    ...nothingBut(() => exchange.lose()),
    name: null,
    get text() {
      return exchange.text;
    },
    get callback() {
      return exchange.callback;
    },
    set callback(callback) {
      exchange.callback = callback;
    },
    get sent() {
      return exchange.sent;
    },
    submit(connection: WireConnection) {
      const { stream } = connection;
      stream.cork?.();
      if (!exchange.abandoned && stream.writable !== false) connection.sync();
      const failure = exchange.submit(connection);
      stream.uncork?.();
      return failure;
    },
    handleReadyForQuery() {
      exchange.waiting = false;
      onAlive();
      putFirst(exchange, client);
    },
    handleError: (failure) => exchange.handleError(failure),
  });
}

/**
 * The next answers belong to an exchange that is sent already. It goes past `client.query`, for a tracer around that may put a statement of its
 * own before each, and that would get them. pg looks into its queue as soon as it has told of a Sync's answer.
 */
function putFirst(exchange: Exchange, client: WireClient): void {
  (client as unknown as { readonly _queryQueue: object[] })._queryQueue.unshift(exchange);
}
