import { poolTransport } from "../../src/transports/pool/pool.ts";
import { WarmPool } from "../../src/transports/pool/warm-pool.ts";
import type { OpenClient } from "../client.ts";
import { statements } from "../statements.ts";
import { layerCall } from "./layer-call.ts";

/** The transport over its pool, without what stands above it: no reading of the text, no encoding of values, no deadline, no events. */
export const open: OpenClient = ({ url, max }) => {
  const pool = new WarmPool({ connectionString: url, max });
  const transport = poolTransport({
    pool,
    pooled: false,
    cancel: true,
    named: true,
    pipelined: true,
    known: true,
    asksAhead: true,
    sessionState: true,
    statementTimeoutMs: null,
    clock: { now: Date.now, setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
  });
  return {
    ask: (name, [id]) => transport.query({ text: statements[name].text, values: [String(id)] }, layerCall),
    close: () => pool.end(),
  };
};
