import type { StatementName } from "./statements.ts";

/** How a client is to connect. */
export interface ClientOptions {
  readonly url: string;
  /** Where SQL over HTTP is answered. */
  readonly endpointUrl: string;
  /** Most connections. */
  readonly max: number;
  /** Whether statements go by a name; default what the client does by itself. */
  readonly named?: boolean;
  /** Whether calls share connections, ours alone. Default true. */
  readonly pipelining?: boolean;
  /** Verified TLS. Default: plain. */
  readonly tls?: { readonly ca: string; readonly direct: boolean };
}

/** One client of Postgres, as it is used by whoever uses it. */
export interface Client {
  /** Asks, and resolves when all rows are there. */
  ask(name: StatementName, values: readonly unknown[]): Promise<unknown>;
  /** So many rows as they come, one by one, or arrays of them. Absent where nobody asks for them. */
  stream?(count: number): AsyncIterable<unknown>;
  close(): Promise<unknown>;
}

/** What each file in `clients/` exports as `open`. */
export type OpenClient = (options: ClientOptions) => Client | Promise<Client>;
