import type pg from "pg";
import type { WireConnection } from "../exchange.ts";
import { submit, type Told } from "../submit.ts";
import type { WireClient } from "../wire-session.ts";
import { nothingBut } from "./submit-asking.ts";

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
  return status === "T" || status === "E" || (status !== null && !(client as unknown as { readonly readyForQuery: boolean }).readyForQuery);
}

/** Asks whether a connection lives, with a bare Sync: 5 bytes, one round trip. Resolves with false when it is lost. */
export function askBySync(client: pg.PoolClient): Promise<boolean> {
  return new Promise((resolve) => {
    let ended = false;
    const end = (failure: Error | null) => {
      if (ended) return;
      ended = true;
      resolve(failure === null);
      asking.callback?.(failure);
    };
    const asking = {
      name: null,
      text: "SYNC",
      callback: undefined as Told | undefined,
      sent: false,
      submit(connection: WireConnection) {
        asking.sent = true;
        connection.sync();
        return null;
      },
      ...nothingBut(() => {
        destroySocket(client);
        end(new Error("The connection is out of step."));
      }),
      handleReadyForQuery: () => end(null),
      handleError: (failure: unknown) => end(failure as Error),
    };
    submit(client as unknown as WireClient, asking);
  });
}
