import { createHash } from "node:crypto";
import type { Address } from "../decide/settings.ts";
import type { PoolTraits } from "../transports/pool/pool-traits.ts";
import type { Identity } from "../transports/pool/shared-room.ts";
import type { WarmPoolConfig } from "../transports/pool/warm-pool-config.ts";

/** What a pool is made of, as far as it says who logs in where. */
interface IdentityInput {
  readonly login: WarmPoolConfig;
  readonly traits: PoolTraits;
  readonly address: Address;
  /** What only pg knows. */
  readonly driver: Readonly<Record<string, unknown>>;
}

/** What tells one identity from another. A password is in it as a hash, or as the function it is; so is `driver`, as texts and numbers, or as what it is. */
export function identityOf({ login: { password: _, ...login }, traits, address, driver }: IdentityInput): Identity {
  const { password, auth, region, sslMode, ca, cert, key } = address;
  const secret = password?.reveal() ?? null;
  const references: unknown[] = typeof secret === "function" ? [secret] : [];
  const own = JSON.stringify(driver, function (this: Readonly<Record<string, unknown>>, name: string, value: unknown) {
    // as it was before it said what it is in JSON
    const given = this[name];
    if (!isByReference(given)) return value;
    references.push(given);
    return "by reference";
  });
  // what a function decides is not in the text of the login
  const said = Object.fromEntries(Object.entries(login).filter(([name]) => !(name in driver)));
  return {
    fingerprint: createHash("sha256")
      .update(JSON.stringify([said, traits, auth, region, sslMode, ca, cert, key?.reveal(), typeof secret, references.length, own]))
      .update(typeof secret === "string" ? secret : "")
      .digest("hex"),
    references,
  };
}

/** Whether a value is more than what is written of it. */
function isByReference(value: unknown): boolean {
  if (typeof value === "function") return true;
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}
