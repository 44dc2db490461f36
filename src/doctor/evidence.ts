import type { Plan } from "../decide/plan.ts";
import type { Settings } from "../decide/settings.ts";
import type { TlsChoice } from "../decide/tls.ts";

/** What was looked at, or why it was not. `missing`: the part of it that was not to be seen. */
export type Seen<T> = { readonly value: T; readonly missing?: string } | { readonly unseen: string };

/** What rules are made of. Nothing in it is a secret that is not wrapped, or the text of a statement. */
export interface Pieces {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly configured: Configured;
  readonly reach: Reach;
  readonly session: SessionFacts;
  readonly backend: BackendFacts;
  readonly limits: ServerLimits;
  readonly role: RoleFacts;
  readonly activity: Activity;
  readonly advisoryLocks: readonly AdvisoryLock[];
  readonly replicationSlots: readonly ReplicationSlot[];
  readonly databaseAges: readonly DatabaseAge[];
  readonly sequences: readonly SequenceFact[];
  readonly invalidIndexes: readonly TablePart[];
  readonly bareForeignKeys: readonly TablePart[];
  readonly exposedTables: readonly ExposedTable[];
  readonly project: ProjectFacts;
  readonly sources: SourceFacts;
}

/** Every piece, seen or not. */
export type Evidence = { readonly [Name in keyof Pieces]: Seen<Pieces[Name]> };

/** What the settings come to, where the doctor stands and with the variables it was given. */
export interface Configured {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly tls: TlsChoice;
  /** Whether the database is on this machine, for development: by loopback or a Unix socket, from a process that lives long, outside of production. */
  readonly isLocal: boolean;
  /** What the URL, or the option, is called where it was given. */
  readonly urlName: string;
  /** As it was written; null where the URL has none. */
  readonly sslmode: string | null;
  /** How long a call may take in a Lambda function without `lambdaHandler`, milliseconds; 0 for no bound. */
  readonly deadlineOnLambdaMs: number;
  /** When the password ends by what it says itself, milliseconds since 1970; null where it says nothing, or there is none. */
  readonly passwordEndsAt: number | null;
  /** By this machine's clock, milliseconds since 1970. */
  readonly now: number;
}

/** The way to the server, before anybody logs in. Times are milliseconds. */
export interface Reach {
  readonly dnsMs: number;
  readonly tcpMs: number;
  /** Null where there is no TLS. */
  readonly tlsMs: number | null;
  /** Of the certificate that was shown, milliseconds since 1970; null without TLS. */
  readonly certificateEndsAt: number | null;
  /** By this machine's clock, milliseconds since 1970. */
  readonly now: number;
}

/** The doctor's own session. Times are milliseconds. */
export interface SessionFacts {
  /** As the server says it: `18.4`; null where it says none. */
  readonly version: string | null;
  readonly loginMs: number;
  readonly firstQueryMs: number;
  readonly secondQueryMs: number;
  readonly roundTripMs: number;
  readonly now: number;
}

/** What answers behind the login. */
export interface BackendFacts {
  /** What the login was given to cancel by is not the process that answers. */
  readonly behindPooler: boolean;
  /** How far the server's clock is ahead of this machine's, half a round trip taken off. */
  readonly clockAheadMs: number;
  readonly inRecovery: boolean;
}

/** Settings of the server as a session of this login has them, and how many sessions there may be. */
interface ServerLimits {
  readonly statementTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
  readonly readOnlyByDefault: boolean;
  readonly maxConnections: number;
  /** Kept for superusers and those with `pg_use_reserved_connections`. */
  readonly reserved: number;
  /** Of the role and of the database; null for none. */
  readonly roleLimit: number | null;
  readonly databaseLimit: number | null;
}

/** The role of the login. */
interface RoleFacts {
  readonly superuser: boolean;
  readonly bypassesRls: boolean;
}

/** One session of a client. What others do is null where the role may not see it. */
export interface SessionRow {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  readonly state: string | null;
  /** By the server's clock, milliseconds since 1970. */
  readonly stateSince: number | null;
  readonly transactionSince: number | null;
  readonly statementSince: number | null;
  readonly blockedBy: readonly number[];
}

/** The sessions of clients, without the doctor's own, which ends with it. */
export interface Activity {
  readonly sessions: readonly SessionRow[];
  readonly ownApplication: string;
  readonly ownUser: string;
  /** By the server's clock, milliseconds since 1970. */
  readonly serverNow: number;
}

/** An advisory lock of another session. */
interface AdvisoryLock {
  readonly pid: number;
  readonly application: string;
  readonly state: string;
  readonly stateSince: number;
  readonly serverNow: number;
}

interface ReplicationSlot {
  readonly name: string;
  readonly active: boolean;
  /** What the server keeps for it, bytes; null where it keeps nothing. */
  readonly keptBytes: number | null;
}

interface DatabaseAge {
  readonly name: string;
  readonly transactions: number;
  readonly multixacts: number;
}

/** A key that a sequence fills. */
interface SequenceFact {
  readonly column: string;
  readonly type: "smallint" | "integer";
  readonly last: number;
  readonly most: number;
}

/** An index or a constraint, and its table, quoted as SQL has them. */
interface TablePart {
  readonly name: string;
  readonly table: string;
  readonly columns: string;
}

interface ExposedTable {
  readonly table: string;
  readonly roles: readonly string[];
}

/** What the project says of itself beside its sources. */
export interface ProjectFacts {
  /** Names of packages in package.json. */
  readonly packages: readonly string[];
  readonly functionTimeouts: readonly FunctionTimeout[];
  /** Variables in the open of a Wrangler configuration that look like a secret. */
  readonly openSecrets: readonly { readonly name: string; readonly at: string }[];
}

/** How long a platform lets a function of the project run. */
export interface FunctionTimeout {
  readonly seconds: number;
  readonly platform: "vercel" | "lambda";
  /** The file that says so. */
  readonly at: string;
}

/** What was read of the sources. */
export interface SourceFacts {
  readonly places: readonly CodePlace[];
  /** Whether a `directUrl`, or a variable for one, is written somewhere; null where it was not found, and not every file was read. */
  readonly namesDirectUrl: boolean | null;
  /** Files where pg itself, or what reads URLs as pg does, is given a URL. */
  readonly bareDrivers: readonly string[];
}

/** Where a rule of the code found something. */
export interface CodePlace {
  readonly rule: string;
  /** `path:line`, below the folder that was scanned. */
  readonly at: string;
  readonly found: string;
}
