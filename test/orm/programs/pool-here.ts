import type pg from "pg";
import { hyperdrive } from "warmline/hyperdrive";
import { sharedPool } from "warmline/pool";

/** The same line everywhere but for the address, which in a worker is its binding's. */
export function poolHere(url: string): pg.Pool {
  const isWorker = navigator.userAgent === "Cloudflare-Workers";
  return sharedPool({ tcp: hyperdrive(), ...(!isWorker && { url }) });
}
