import type { RuntimeName } from "./runtime.ts";
import type { TargetName } from "./target.ts";

/** How statements can reach the server; the same names as in the contract of the transports. */
export const transportNames = ["http", "pool", "request"] as const;

/** One of {@link transportNames}. */
export type TransportName = (typeof transportNames)[number];

/**
 * The modes a setting may ask for. From `require` on they all mean the same here, chain and host name verified, whatever they mean to a
 * driver. `allow` and `prefer`, which fall back to plain text in silence, are refused.
 */
export const sslModes = ["disable", "no-verify", "require", "verify-ca", "verify-full"] as const;

/** One of {@link sslModes}. */
export type SslMode = (typeof sslModes)[number];

/**
 * Which of several servers is wanted, as libpq has it: a primary, or a standby, is told by whether it recovers; `read-write` and `read-only` by
 * what its transactions may do. `prefer-standby` takes any where no standby is to be had.
 */
export const sessionAttrs = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"] as const;

/** One of {@link sessionAttrs}. */
export type SessionAttrs = (typeof sessionAttrs)[number];

/** A password, or a function that gives one: called for every new connection, so a token may expire in between. */
export type PasswordSource = string | (() => string | Promise<string>);

/** TCP where a socket belongs to one request, as `hyperdrive` of `warmline/hyperdrive` gives it: added to what a build of the package owns. */
export type RequestSockets = <Platform>(platform: Platform, options: DatabaseOptions) => Platform;

/** A pool as it is shown to who looks after its connections: the part of `pg.Pool` that platforms ask for. */
export interface HeldPool {
  /** For how long a connection may stay unused, milliseconds; 0 for ever. */
  readonly options: { readonly idleTimeoutMillis?: number | null };
  /** Calls `listener` when a connection is given back, as the request that held it; with an error, or true, when it ends instead. */
  on(event: "release", listener: (error?: unknown) => void): unknown;
  /** Ends the connections nobody holds. Resolves when the server has been told, or cannot be. */
  endIdle(): Promise<void>;
}

/** What `createDatabase` takes. Every setting is optional; docs/settings.md has the table with defaults and reasons. */
export interface DatabaseOptions {
  /** Separates: what has another name has connections and room of its own. */
  readonly name?: string | undefined;
  /** `postgres://user:password@host:port/database?sslmode=…`. Default: `DATABASE_URL`. Given as `undefined` it is missing, and `DATABASE_URL` is not read. */
  readonly url?: string | undefined;
  /** The way around a pooler, for `script`. What it leaves out is taken from the main address. Default: none. */
  readonly directUrl?: string | undefined;
  /** Host name, address, or the folder of a Unix socket. Several with commas between are tried in this order for each connection. */
  readonly host?: string | undefined;
  /** 1 to 65535, for every host; or as many as there are hosts, such as `"5432,5433"`. Default 5432. */
  readonly port?: number | `${string},${string}` | undefined;
  /** Which of the hosts a connection is kept to. Over sockets alone. Default `any`. */
  readonly targetSessionAttrs?: SessionAttrs | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  /** A function is its reference: make it once, for connections belong to one. */
  readonly password?: PasswordSource | undefined;
  /** Base address of SQL over HTTP, to which `/sql` and `/v2` are added. https, or http on loopback. Default: `WARMLINE_ENDPOINT`. */
  readonly endpoint?: string | undefined;
  /** What Postgres lists in `pg_stat_activity`, at most 63 bytes. Default `warmline`. */
  readonly applicationName?: string | undefined;
  /** Command-line options for the backend, such as `-c search_path=app`. Refused by most poolers. Default: none. */
  readonly startupOptions?: string | undefined;
  /** Default: found out. An edge build takes only its own name. */
  readonly runtime?: RuntimeName | undefined;
  /** Default: told from the host name. */
  readonly target?: TargetName | undefined;
  /** Default: by plan. */
  readonly transport?: TransportName | undefined;
  /** Most connections, 1 to 10000, of all handles of one address, database and user. Default: by plan. */
  readonly max?: number | undefined;
  /** Connections the pool keeps open, 0 to `max`. Default 0. */
  readonly min?: number | undefined;
  /** Closes a connection idle for so long; 0 for never. Default: by plan. */
  readonly idleTimeoutMs?: number | undefined;
  /** Replaces a connection of this age; 0 for never. Default 1800000 (30 minutes), on Aurora DSQL 3240000 (54), which is the most there. */
  readonly lifetimeMs?: number | undefined;
  /** Bounds opening a connection, login included, and waiting for one the pool is opening, from 1. Default 5000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Bounds waiting for a connection that others use, from 1. Default 5000. */
  readonly acquireTimeoutMs?: number | undefined;
  /** Most calls that may wait for a connection; one more is refused at once. 0 to 1000000. Default 10000. */
  readonly maxWaiting?: number | undefined;
  /** Reports a connection held for longer, with the stack of whoever took it, from 1. Costs a stack for each session and transaction. Default: off. */
  readonly leakThresholdMs?: number | undefined;
  /** Whether the connection is kept between invocations on Lambda, or ended after each by `warmline/lambda`. Default `keep`. */
  readonly release?: "keep" | "after-invocation" | undefined;
  /** Connects when the database is made, not at the first call. Default: in Lambda's init phase, unless it lies hours before the first call. */
  readonly warmUp?: boolean | undefined;
  /** Postgres' own `idle_session_timeout`, sent at login, from 1: the server frees the slot of an environment that sleeps. Default: the server's. */
  readonly idleSessionTimeoutMs?: number | undefined;
  /** Bounds a call with all its attempts; 0 for no deadline. Default by plan: 30000; on Lambda 2500, but in `lambdaHandler` what the invocation has left, 30000 at most. */
  readonly deadlineMs?: number | undefined;
  /** No more of an answer is read, bytes, 1 to 536870888; a longer one is RESPONSE_TOO_LARGE. Default over HTTP 67108864 (64 MiB, Neon's own limit), of rows over a socket 536870888. */
  readonly maxResponseBytes?: number | undefined;
  /** Bounds one statement, from 1: Postgres' own `statement_timeout`, or where the target takes none at login, this side with a CancelRequest. Default: the server's. */
  readonly statementTimeoutMs?: number | undefined;
  /** Whether a statement that comes again on its connection is kept by the server under a name, where the target keeps names. Default true. */
  readonly prepare?: boolean | undefined;
  /** Whether calls that are answered fast may share a connection, each behind the other, where there are no more. Default true. */
  readonly pipelining?: boolean | undefined;
  /**
   * Whether the first query or batch leaves with the login of its new connection: a round trip less, over verified TLS and SCRAM, to Postgres
   * itself. If the connection is lost before that login is over, its fate is `unknown`. Default false.
   */
  readonly earlyStatement?: boolean | undefined;
  /** From when on a query or batch is told as `slow` to subscribers, from 1. Default: off. */
  readonly slowQueryMs?: number | undefined;
  /**
   * Gives a comment that is sent behind a statement's text, `""` for none: `sqlCommenter` of `warmline/otel`, for the context of the trace. Called in
   * the async context of the caller, for every statement but those of scripts. What has a comment is sent without a name, and so is parsed each
   * time. A comment that is not in SQLCommenter's form is left out, and so is one whose function throws. Default: none.
   */
  readonly sqlCommenter?: ((text: string) => string) | undefined;
  /** docs/settings.md says what each mode means. Default: plain on this machine, verified everywhere else. */
  readonly sslMode?: SslMode | undefined;
  /** `iam`: log in with IAM tokens of AWS. Default: so where the host is RDS, RDS Proxy or Aurora DSQL and there is no password. */
  readonly auth?: "iam" | "password" | undefined;
  /** Of AWS, for IAM. Default: told by the host name, else `AWS_REGION`. */
  readonly region?: string | undefined;
  /** Certificates to trust, in PEM, or the path of a file with them, instead of the runtime's own store. */
  readonly ca?: string | undefined;
  /** The client's own certificate, in PEM, or the path of a file with it; with `key`. Over sockets of Node, Bun and Deno alone. */
  readonly cert?: string | undefined;
  /** Its private key, likewise, without a passphrase. */
  readonly key?: string | undefined;
  /** `direct` saves a round trip against Postgres 17 and later. Default `postgres`. */
  readonly sslNegotiation?: "postgres" | "direct" | undefined;
  /** Whether SCRAM is bound to the TLS connection. `require` needs verified TLS. Default `disable`. */
  readonly channelBinding?: "disable" | "prefer" | "require" | undefined;
  /**
   * Shown the pool when it has been made, once: `attachPool` of `warmline/vercel`, or a platform's own. Never called where there is no pool. What
   * it throws fails the call with INVALID_SETTING, and the next shows it again.
   */
  readonly onPool?: ((pool: HeldPool) => void) | undefined;
  /** TCP in Workers, from `warmline/hyperdrive`. Elsewhere it changes nothing. Default: none. */
  readonly tcp?: RequestSockets | undefined;
  /** Variables and bindings to read instead of the runtime's own. */
  readonly env?: object | undefined;
  /**
   * Parsers by type id or name, instead of the usual ones, for this database alone: `{ 20: BigInt, numeric: Number, "app.mood": read }`. A name
   * without a schema is of any; arrays of a named type are arrays of what its parser gives. Types that are not built in are looked up once. One
   * that throws, or gives a promise, fails its call with DECODE_FAILED.
   */
  readonly types?: Readonly<Record<string, (text: string) => unknown>> | undefined;
}
