import { detectRuntime } from "../decide/detect-runtime.ts";
import { statusFailure } from "../transports/http-failure.ts";
import { postWith } from "../transports/http-fetch.ts";
import { readNetworkCode as readCode } from "../transports/network-failure.ts";
import type { Transport } from "../transports/transport.ts";
import type { TransportInput } from "./create.ts";
import { type HttpParts, makeHttp } from "./make-http.ts";

/**
 * The HTTP transport where failures have codes: Node, Bun and Deno. On Node it keeps connections of its own; the others have a `fetch` that
 * does it better, and so has Node behind a proxy that its variables name.
 */
export async function makeAgentHttp(input: TransportInput, parts: Pick<HttpParts, "openSessions"> = {}): Promise<Transport> {
  if (!isNode() || process.env.NODE_USE_ENV_PROXY === "1") {
    return makeHttp(input, { ...parts, statusReader, readCode, send: postWith((url, request) => fetch(url, request)) });
  }
  const { shareAgent } = await import("../transports/http-agent.ts");
  const { plan, settings, clock } = input;
  const { sqlUrl } = plan.endpoint as NonNullable<typeof plan.endpoint>;
  const { send, stats, release } = shareAgent({
    origin: new URL(sqlUrl).origin,
    connectTimeoutMs: settings.connectTimeoutMs,
    freezes: plan.traits.freezes,
    now: clock.now,
  });
  const http = makeHttp(input, { ...parts, statusReader, readCode, send, release });
  return { ...http, stats: () => ({ ...http.stats(), ...stats() }) };
}

const statusReader = () => statusFailure;

/** Whether Node itself runs here, whatever platform it serves: the variables that name platforms are left out. */
function isNode(): boolean {
  return detectRuntime({ global: globalThis, env: {} }, null).name === "node";
}
