import dns from "node:dns";
import type { Stage } from "../stage.ts";

const lookup = dns.lookup;
let failures = 0;

/** The name whose resolution fails; it is this machine's own. */
const NAME = "localhost";

/** Stands in for the operating system's resolver, which has no server to ask here. */
function failingLookup(...args: Parameters<typeof lookup>): void {
  const [name] = args;
  if (name !== NAME) return void lookup(...args);
  failures += 1;
  const callback = args.at(-1) as (error: Error) => void;
  process.nextTick(callback, Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND", syscall: "getaddrinfo" }));
}

export const resolverErrands = {
  /** Makes `localhost` unknown, or known again; tells how often it was asked for in vain so far. */
  async resolver(_: Stage, { fails }: { readonly fails: boolean }): Promise<number> {
    dns.lookup = (fails ? failingLookup : lookup) as typeof lookup;
    return failures;
  },
} as const;
