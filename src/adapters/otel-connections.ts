import type { Meter, ObservableResult } from "@opentelemetry/api";
import type { AcquireMessage, Database, DatabaseEvent, ReleaseMessage } from "../entry/node.ts";
import { placeAt, placeOf } from "./otel-attributes.ts";
import { subscribe, subscribeTo } from "./otel-diagnostics.ts";

/** Which of OpenTelemetry's semantic conventions are followed, named as in its declarative configuration. */
export interface SemconvOptions {
  /** Whether what is in development there is told, too. It may be named otherwise by the next release of the conventions. Default false. */
  readonly experimental?: boolean;
}

/** Source: OpenTelemetry's database conventions, for the durations of connections; seconds. */
const BUCKETS_S = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** Codes of a call that got no connection in time. */
const timeouts: readonly string[] = ["ACQUIRE_TIMEOUT", "CONNECT_TIMEOUT"];

/** The metrics of a database's connections: read when they are collected, save the timeouts, which are heard. */
export function watchConnections(
  db: Database,
  meter: Meter,
  { experimental = false }: SemconvOptions,
): { hear(event: DatabaseEvent): void; stop(): void } {
  const count = meter.createObservableUpDownCounter("db.client.connection.count", {
    description: "The number of connections that are currently in the state described by the state attribute.",
    unit: "{connection}",
  });
  const pending = meter.createObservableUpDownCounter("db.client.connection.pending_requests", {
    description: "The number of current pending requests for an open connection.",
    unit: "{request}",
  });
  const timedOut = meter.createCounter("db.client.connection.timeouts", {
    description: "The number of connection timeouts that have occurred trying to obtain a connection from the pool.",
    unit: "{timeout}",
  });
  const pool = () => ({ "db.client.connection.pool.name": placeOf(db).poolName });
  // before the first call there is nothing to count, and the plan may not be there to be read
  const holdsConnections = () => ["pool", "request"].includes(db.stats().transport ?? "");
  const readCount = (result: ObservableResult) => {
    if (!holdsConnections()) return;
    const { total, idle } = db.stats();
    result.observe(idle, { ...pool(), "db.client.connection.state": "idle" });
    result.observe(total - idle, { ...pool(), "db.client.connection.state": "used" });
  };
  const readPending = (result: ObservableResult) => {
    if (holdsConnections()) result.observe(db.stats().waiting, pool());
  };
  count.addCallback(readCount);
  pending.addCallback(readPending);
  const more = experimental ? watchPool(db, meter, holdsConnections) : undefined;
  return {
    hear(event) {
      if (event.type === "connect") more?.opened(event.durationMs);
      if (event.type === "query" && timeouts.includes(event.failure?.code ?? "")) timedOut.add(1, pool());
    },
    stop() {
      more?.stop();
      count.removeCallback(readCount);
      pending.removeCallback(readPending);
    },
  };
}

/** What is in development in the conventions: what connections cost, and how many there may be. */
function watchPool(db: Database, meter: Meter, holdsConnections: () => boolean) {
  const times = (name: string, description: string) =>
    meter.createHistogram(`db.client.connection.${name}`, { description, unit: "s", advice: { explicitBucketBoundaries: BUCKETS_S } });
  const limits = (name: string, description: string) =>
    meter.createObservableUpDownCounter(`db.client.connection.${name}`, { description, unit: "{connection}" });
  const createTime = times("create_time", "The time it took to create a new connection.");
  const waitTime = times("wait_time", "The time it took to obtain an open connection from the pool.");
  const useTime = times("use_time", "The time between borrowing a connection and returning it to the pool.");
  const read = (value: () => number) => (result: ObservableResult) => {
    if (holdsConnections()) result.observe(value(), { "db.client.connection.pool.name": placeOf(db).poolName });
  };
  const observed = (
    [
      [limits("max", "The maximum number of open connections allowed."), read(() => db.plan.max)],
      // every one of them may be idle
      [limits("idle.max", "The maximum number of idle open connections allowed."), read(() => db.plan.max)],
      [limits("idle.min", "The minimum number of idle open connections allowed."), read(() => db.plan.min)],
    ] as const
  ).map(([counter, callback]) => {
    counter.addCallback(callback);
    return () => counter.removeCallback(callback);
  });
  /** The name of the pool it was told of, where that is this one. */
  const ownName = ({ serverAddress, serverPort, database }: Pick<AcquireMessage, "serverAddress" | "serverPort" | "database">) => {
    if (!holdsConnections()) return undefined;
    const { poolName } = placeAt({ host: serverAddress, port: serverPort, database });
    return poolName === placeOf(db).poolName ? { "db.client.connection.pool.name": poolName } : undefined;
  };
  const begun = new WeakMap<object, number>();
  const stops = [
    ...observed,
    subscribeTo<AcquireMessage>("tracing:warmline:acquire", {
      start: (message) => void begun.set(message, performance.now()),
      asyncEnd(message) {
        const own = message.connectionId === null ? undefined : ownName(message);
        if (own !== undefined) waitTime.record((performance.now() - (begun.get(message) ?? 0)) / 1_000, own);
      },
    }),
    subscribe<ReleaseMessage>("warmline:release", (message) => {
      const own = ownName(message);
      if (own !== undefined) useTime.record(message.usedMs / 1_000, own);
    }),
  ];
  return {
    opened: (durationMs: number) => createTime.record(durationMs / 1_000, { "db.client.connection.pool.name": placeOf(db).poolName }),
    stop() {
      for (const stop of stops) stop?.();
    },
  };
}
