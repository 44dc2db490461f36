import type pg from "pg";
import { Exchange } from "../../wire/exchange.ts";
import { submit } from "../../wire/submit.ts";
import type { WireClient } from "../wire-client.ts";

/** The socket of a pg client, which its types do not show. */
function streamOf(client: pg.ClientBase): { destroy(): void; readonly destroyed: boolean } {
  return (client as unknown as { readonly connection: { readonly stream: { destroy(): void; readonly destroyed: boolean } } }).connection
    .stream;
}

/** Ends a client's socket without a word: a goodbye is never answered on a swallowed connection, and its socket would stay open for good. */
export function destroySocket(client: pg.ClientBase): void {
  streamOf(client).destroy();
}

/** Whether a client's socket is gone or the server has said farewell, as far as the event loop has seen. */
export function looksDead(client: pg.ClientBase): boolean {
  return streamOf(client).destroyed || !(client as unknown as { readonly _queryable: boolean })._queryable;
}

/** Whether a transaction is open on a client, or a statement of its last holder still runs. */
export function leftBusy(client: pg.PoolClient): boolean {
  const status = client.getTransactionStatus();
  const { readyForQuery, connection } = client as unknown as Pick<WireClient, "readyForQuery" | "connection">;
  return status === "T" || status === "E" || (status !== null && (!readyForQuery || connection.link.load > 0));
}

/** Whether what is asked now is answered next, and what was asked before is done. */
export function isQuiet(client: pg.ClientBase): boolean {
  const { readyForQuery, _activeQuery, connection } = client as unknown as WireClient;
  return readyForQuery === true && !_activeQuery && connection.link.load === 0;
}

/** Asks whether a connection lives, with a bare Sync: 5 bytes, one round trip. Resolves with false when it is lost. */
export function askBySync(client: pg.PoolClient): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = new Exchange([], { rowMode: "array", parsers: { getTypeParser: () => String } }, undefined, (failure) => {
      if (failure?.kind === "out-of-step") destroySocket(client);
      resolve(failure === undefined);
      asking.callback?.(failure === undefined ? null : new Error("The connection is lost."));
    });
    submit(client as unknown as WireClient, asking);
  });
}
