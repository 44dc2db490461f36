import { readNetworkCode } from "../transports/network-failure.ts";
import type { Transport } from "../transports/transport.ts";
import type { TransportInput } from "./create.ts";
import { makeHttp } from "./http-parts.ts";

/** The HTTP transport where failures have codes: Node, Bun and Deno. */
export function makeNodeHttp(input: TransportInput): Transport {
  return makeHttp(input, readNetworkCode);
}
