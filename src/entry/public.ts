// What every entry exports besides createDatabase: the same names under every export condition.
export type { Database, DatabaseStats } from "../database/database.ts";
export type {
  BatchCallOptions,
  CallLimits,
  QueryOptions,
  ReadingOptions,
  StreamOptions,
  TransactionOptions,
} from "../database/options.ts";
export type { Batches, BatchResults, InnerOptions, Queries } from "../database/queries.ts";
export type { TypeParsers } from "../database/result.ts";
export type { RowStream } from "../database/row-stream.ts";
export type { DatabaseSession, SessionBatchOptions } from "../database/session.ts";
export { type Row, type RowOf, type Source, type Sql, sql } from "../database/sql.ts";
export type { InnerStreamOptions, Streams } from "../database/streams.ts";
export type { Transaction } from "../database/transaction.ts";
export type { Plan } from "../decide/plan.ts";
export type { RuntimeName } from "../decide/runtime.ts";
export type { DatabaseOptions, HeldPool, PasswordSource } from "../decide/settings.ts";
export type { TargetName } from "../decide/target.ts";
export {
  CancelledError,
  ConfigError,
  ConnectionError,
  DatabaseError,
  DecodeError,
  type Fate,
  isWarmlineError,
  type ServerFields,
  UsageError,
  WarmlineError,
} from "../errors/errors.ts";
export { fateOf } from "../errors/fate-of.ts";
export { TransactionError } from "../errors/transaction-failed.ts";
export type {
  BreakerEvent,
  BreakerState,
  CallFailure,
  ConnectEvent,
  DatabaseEvent,
  DiscardEvent,
  EventListener,
  LeakEvent,
  Operation,
  PinEvent,
  ProbeEvent,
  QueryEvent,
  RetryEvent,
  ReuseEvent,
  SlowEvent,
  ThawEvent,
  WaitingEvent,
} from "../observe/events.ts";
export type { Field, Isolation, Result, TransactionMode, TransportName, Via } from "../transports/transport.ts";
