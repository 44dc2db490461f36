import type { Pieces, Seen, SessionRow } from "../evidence.ts";
import { visible } from "../visible.ts";
import type { Question } from "./questions.ts";

/** A row as pg reads it. */
export type AnswerRow = Readonly<Record<string, unknown>>;

type ReadAnswer<Name extends Question> = (rows: readonly AnswerRow[]) => Seen<Pieces[Name]>;

const nameOf = (value: unknown) => visible(String(value ?? ""));

const listed =
  <T>(read: (row: AnswerRow) => T) =>
  (rows: readonly AnswerRow[]): Seen<readonly T[]> => ({ value: rows.map(read) });

const numberOrNull = (value: unknown): number | null => (typeof value === "number" ? value : null);

const readPart = (row: AnswerRow) => ({ name: nameOf(row.name), table: nameOf(row.table), columns: nameOf(row.columns) });

function readSession(row: AnswerRow): SessionRow {
  return {
    pid: Number(row.pid),
    user: nameOf(row.user),
    application: nameOf(row.application),
    state: row.state === null ? null : nameOf(row.state),
    stateSince: numberOrNull(row.state_since),
    transactionSince: numberOrNull(row.transaction_since),
    statementSince: numberOrNull(row.statement_since),
    blockedBy: Array.isArray(row.blocked_by) ? row.blocked_by.map(Number) : [],
  };
}

function withHidden<T>(value: T, hidden: number, what: string): Seen<T> {
  return hidden === 0 ? { value } : { value, missing: `${hidden} ${what}` };
}

/** How each answer is read. */
export const answers: { readonly [Name in Question]: ReadAnswer<Name> } = {
  limits([row = {}]) {
    return {
      value: {
        statementTimeoutMs: Number(row.statement_timeout),
        idleInTransactionTimeoutMs: Number(row.idle_in_transaction),
        readOnlyByDefault: row.read_only === "on",
        maxConnections: Number(row.max_connections),
        reserved: Number(row.reserved),
        roleLimit: numberOrNull(row.role_limit),
        databaseLimit: numberOrNull(row.database_limit),
      },
    };
  },
  role([row = {}]) {
    return { value: { superuser: row.superuser === true, bypassesRls: row.bypasses_rls === true } };
  },
  activity(rows) {
    const own = rows.find((row) => row.own === true);
    if (own === undefined) return { unseen: "the doctor's own session is not among those it is shown" };
    const { application, user } = readSession(own);
    const activity = {
      sessions: rows.filter((row) => row !== own).map(readSession),
      ownApplication: application,
      ownUser: user,
      serverNow: Number(own.now),
    };
    const hidden = rows.filter((row) => row.hidden === true).length;
    return withHidden(activity, hidden, "sessions of other roles: what they do is hidden from this one (grant pg_read_all_stats shows it)");
  },
  advisoryLocks: listed((row) => ({
    pid: Number(row.pid),
    application: nameOf(row.application),
    state: nameOf(row.state),
    stateSince: Number(row.state_since),
    serverNow: Number(row.now),
  })),
  replicationSlots: listed((row) => ({ name: nameOf(row.name), active: row.active === true, keptBytes: numberOrNull(row.kept_bytes) })),
  databaseAges: listed((row) => ({
    name: nameOf(row.name),
    transactions: Number(row.transactions),
    multixacts: Number(row.multixacts),
  })),
  sequences(rows) {
    const value = rows
      .filter((row) => typeof row.last === "number")
      .map((row) => ({
        column: nameOf(row.column),
        type: row.type === "smallint" ? ("smallint" as const) : ("integer" as const),
        last: Number(row.last),
        most: Number(row.most),
      }));
    return withHidden(value, rows.filter((row) => row.hidden === true).length, "sequences that this role may not read");
  },
  invalidIndexes: listed(readPart),
  bareForeignKeys: listed(readPart),
  exposedTables: listed((row) => ({
    table: nameOf(row.table),
    roles: Array.isArray(row.roles) ? row.roles.map(nameOf) : [],
  })),
};
