import pg from "pg";

/** The client whose statement is to be cancelled: pg keeps the backend's key, but does not type it. */
interface CancellableClient {
  readonly host: string;
  readonly port: number;
  readonly ssl?: unknown;
  readonly sslNegotiation?: string;
  readonly processID: number | null;
  readonly secretKey: number | null;
}

interface CancelConnection {
  attachListeners(stream: { on(event: "data", listener: () => void): unknown }): void;
  on(event: "connect" | "sslconnect" | "end", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
  readonly stream: { destroy(): void };
}

/** How long a cancel request may take to be delivered, milliseconds. */
const DELIVERY_LIMIT_MS = 2_000;

/**
 * Asks the server to cancel what `client` runs, on a connection of its own, encrypted where the client's is. Resolves when the server has
 * closed that connection, which it does after it has signalled the backend; rejects when it could not be reached.
 * Protocol: PostgreSQL documentation, "Canceling Requests in Progress".
 */
export function requestCancel(client: CancellableClient): Promise<void> {
  const { host, port, processID, secretKey, ssl, sslNegotiation } = client;
  if (processID === null || secretKey === null) return Promise.reject(new Error("The server gave no key to cancel with."));
  return new Promise((resolve, reject) => {
    const connection = new pg.Connection({ ssl, sslNegotiation } as object) as unknown as CancelConnection;
    // the server says nothing here, and what it says all the same nobody parses
    connection.attachListeners = (stream) => void stream.on("data", () => {});
    const limit = setTimeout(() => connection.stream.destroy(), DELIVERY_LIMIT_MS);
    connection.on("error", reject);
    connection.on("end", () => {
      clearTimeout(limit);
      resolve();
    });
    connection.on("connect", () => {
      if (!ssl) connection.cancel(processID, secretKey);
      else if (sslNegotiation !== "direct") connection.requestSsl();
    });
    connection.on("sslconnect", () => connection.cancel(processID, secretKey));
    if (host.startsWith("/")) connection.connect(`${host}/.s.PGSQL.${port}`);
    else connection.connect(port, host);
  });
}
