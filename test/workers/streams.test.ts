import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { leaveEarly, readSlowly } from "../support/slow-reader.ts";
import { startWire, type Wire } from "../support/wire.ts";
import { type LocalWorker, serveWorker } from "../support/worker/runtime.ts";
import { createOwnDatabase } from "./databases.ts";
import { backendsLeft } from "./harness.ts";

/** 50 MB: more than what lies between processes on one machine can hold. */
const ROWS = 50_000;

describe.each(["hyperdrive", "tcp", "http"] as const)("a worker over %s that answers with a stream", (way) => {
  let databaseUrl: string;
  let wire: Wire;
  let endpoint: Endpoint | undefined;
  let worker: LocalWorker;
  let url: URL;

  beforeAll(async () => {
    databaseUrl = await createOwnDatabase(`worker_streams_${way}`);
    wire = await startWire(inject("postgres"));
    const through = new URL(databaseUrl);
    through.port = String(wire.port);
    if (way === "http") {
      endpoint = await startEndpoint({ databaseUrl: through.href, port: 0 });
      worker = await serveWorker("test/workers/http.ts", { vars: { DATABASE_URL: databaseUrl, WARMLINE_ENDPOINT: endpoint.url } });
    } else {
      const bindings = way === "tcp" ? { vars: { DATABASE_URL: through.href } } : { hyperdrive: { HYPERDRIVE: through.href } };
      worker = await serveWorker("test/workers/requests.ts", bindings);
    }
    url = new URL(`/rows?count=${ROWS}`, worker.url);
  });
  afterAll(async () => {
    await worker?.[Symbol.asyncDispose]();
    await endpoint?.stop();
    await wire.close();
  });

  test("fetches no more rows than its reader takes, and ends its connection behind the last", async () => {
    const { batchesWhileStopped, ...seen } = await readSlowly(url, wire);
    console.info(`${way}: ${batchesWhileStopped} of 100 batches while its reader stood still`);
    expect(seen).toEqual({ status: 200, contentType: "application/x-ndjson", lines: ROWS });
    expect(batchesWhileStopped).toBeLessThan(50);
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("ends its connection when its reader goes away", async () => {
    await leaveEarly(url);
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });
});
