import type { Meter, ObservableResult } from "@opentelemetry/api";
import type { Database, DatabaseEvent } from "../entry/node.ts";
import { placeOf } from "./otel-attributes.ts";

/** Codes of a call that got no connection in time. */
const timeouts: readonly string[] = ["ACQUIRE_TIMEOUT", "CONNECT_TIMEOUT"];

/** The metrics of a database's connections: read when they are collected, save the timeouts, which are heard. */
export function watchConnections(db: Database, meter: Meter): { hear(event: DatabaseEvent): void; stop(): void } {
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
  return {
    hear(event) {
      if (event.type === "query" && timeouts.includes(event.failure?.code ?? "")) timedOut.add(1, pool());
    },
    stop() {
      count.removeCallback(readCount);
      pending.removeCallback(readPending);
    },
  };
}
