// What every entry exports besides createDatabase: the same names under every export condition.
export type { Database, DatabaseStats } from "../database/database.ts";
export type { DatabaseView } from "../database/database-view.ts";
export type { LocalSettings, SettingValue } from "../database/local-settings.ts";
export type {
  BatchCallOptions,
  CallLimits,
  QueryOptions,
  ReadingOptions,
  StreamOptions,
  TransactionOptions,
} from "../database/options.ts";
export type { TypeParsers } from "../database/parsers.ts";
export type { Batches, BatchResults, InnerOptions, Queries } from "../database/queries.ts";
export type { ReservedSession } from "../database/reserved-session.ts";
export type { RowStream } from "../database/row-stream.ts";
export type { DatabaseSession, SessionBatchOptions } from "../database/session.ts";
export { type Row, type RowOf, type Source, type Sql, sql, type TypedTag } from "../database/sql.ts";
export type { SchemaInput, SchemaOutput, StandardSchema } from "../database/standard-schema.ts";
export type { InnerStreamOptions, Streams } from "../database/streams.ts";
export type { Transaction } from "../database/transaction.ts";
export type { TypedOptions } from "../database/typed-rows.ts";
export type { Plan } from "../decide/plan.ts";
export type { RuntimeName } from "../decide/runtime.ts";
export type { DatabaseOptions, HeldPool, PasswordSource } from "../decide/settings.ts";
export type { TargetName } from "../decide/target.ts";
export { DatabaseError, type ServerFields } from "../errors/database-error.ts";
export {
  CancelledError,
  ConfigError,
  ConnectionError,
  DecodeError,
  type Fate,
  isWarmlineError,
  UsageError,
  WarmlineError,
} from "../errors/errors.ts";
export { fateOf } from "../errors/fate-of.ts";
export { TransactionError } from "../errors/transaction-failed.ts";
export type { CallFailure } from "../observe/call-failure.ts";
export type {
  BreakerEvent,
  BreakerState,
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
export type {
  AcquireMessage,
  ConnectMessage,
  QueryMessage,
  ReleaseMessage,
  SessionMessage,
  TracingMessage,
  TracingMessages,
  TransactionMessage,
} from "../observe/messages.ts";
export type { Field, Isolation, NoticeEvent, Result, TransactionMode, TransportName, Via } from "../transports/transport.ts";
