import type { Exchange, WireConnection } from "../exchange.ts";

/** Submits an exchange with a Sync before it, in the same write; the Sync's answer comes first, and is told by `onAlive`. */
export function submitAsking(exchange: Exchange, client: { query(submittable: object): unknown }, onAlive: () => void): void {
  client.query({
    submit(connection: WireConnection) {
      const { stream } = connection;
      stream.cork?.();
      if (!exchange.abandoned && stream.writable !== false) connection.sync();
      const failure = exchange.submit(connection);
      stream.uncork?.();
      return failure;
    },
    handleReadyForQuery() {
      onAlive();
      client.query(exchange);
    },
    handleError: (failure: unknown) => exchange.handleError(failure),
  });
}
