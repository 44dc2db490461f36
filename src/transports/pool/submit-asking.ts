import type { Exchange, WireConnection } from "../exchange.ts";

/** A question whose answer is ReadyForQuery and nothing else. */
export interface BareQuestion {
  submit(connection: WireConnection): Error | null;
  onReady(): void;
  onFailure(failure: unknown): void;
  /** Something else came: no answer to it. */
  onSurplus(): void;
}

/** A submittable of it. pg hands whatever comes to the one that is on its way. */
export function bareQuestion({ submit, onReady, onFailure, onSurplus }: BareQuestion): object {
  return {
    submit,
    handleReadyForQuery: onReady,
    handleError: onFailure,
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
export function submitAsking(exchange: Exchange, client: { query(submittable: object): unknown }, onAlive: () => void): void {
  exchange.waiting = true;
  client.query(
    bareQuestion({
      submit(connection) {
        const { stream } = connection;
        stream.cork?.();
        if (!exchange.abandoned && stream.writable !== false) connection.sync();
        const failure = exchange.submit(connection);
        stream.uncork?.();
        return failure;
      },
      onReady() {
        exchange.waiting = false;
        onAlive();
        client.query(exchange);
      },
      onFailure: (failure) => exchange.handleError(failure),
      onSurplus: () => exchange.lose(),
    }),
  );
}
