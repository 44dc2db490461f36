/** What is known of the load and of the server. */
export interface BudgetInput {
  /** `max_connections` of the server: more than what is reserved. */
  readonly maxConnections: number;
  /** Calls that are on their way at once, at most. */
  readonly concurrency: number;
  readonly cores: number;
  /** Disks that seek by themselves; 1 for an SSD or a disk of a cloud. */
  readonly spindles: number;
}

/** A size to set, and why so. */
interface Size {
  readonly name: string;
  readonly value: number;
  readonly reason: string;
}

/** What comes of it. */
export interface Budget {
  readonly sizes: readonly Size[];
  /** Whether every call can have a connection of its own at the server. */
  readonly fitsDirectly: boolean;
  /** What to do, in a sentence. */
  readonly verdict: string;
}

/** `superuser_reserved_connections`, by default. Source: PostgreSQL documentation, "Connections and Authentication". */
export const RESERVED = 3;
/** Requests that a process takes at once without a second thought: enough for a pool to be shared, and to be worth it. */
const PROCESSES = [1, 2, 4] as const;

/**
 * Computes sizes. A server works on (cores × 2) + spindles statements at once: more only wait, inside of it and with locks in their hands.
 * Source: PostgreSQL wiki, "Number Of Database Connections"; HikariCP, "About Pool Sizing".
 */
export function budgetOf({ maxConnections, concurrency, cores, spindles }: BudgetInput): Budget {
  const granted = maxConnections - RESERVED;
  const atOnce = Math.min(granted, cores * 2 + spindles);
  const fitsDirectly = concurrency <= granted;
  const sizes: readonly Size[] = [
    { name: "connections granted", value: granted, reason: `max_connections ${maxConnections} less ${RESERVED} kept for superusers` },
    {
      name: "statements at once",
      value: atOnce,
      reason:
        atOnce < cores * 2 + spindles
          ? "all that is granted, which is less than the server could work on"
          : `(${cores} cores × 2) + ${spindles} spindles: more of them wait inside the server, holding locks`,
    },
    { name: "max on Lambda", value: 1, reason: "an environment serves one call at a time: a second connection would never be used" },
    {
      name: "environments without a pooler",
      value: Math.min(concurrency, granted),
      reason: `each holds one of ${granted} connections, asleep too: reserve no more concurrency than this`,
    },
    {
      name: "pooler: default_pool_size",
      value: atOnce,
      reason: "what the server works on at once; who comes then waits in the pooler, where waiting is cheap",
    },
    {
      name: "pooler: max_client_conn",
      value: concurrency * 2,
      reason: `${concurrency} calls, and as many while a deployment has old and new environments side by side`,
    },
    ...PROCESSES.map((processes) => ({
      name: processes === 1 ? "max of one server process" : `max of ${processes} server processes, each`,
      value: Math.max(1, Math.floor(atOnce / processes)),
      reason:
        processes === 1
          ? "all of what the server works on at once: the pool's queue is fair, and outside of the server"
          : `${atOnce} shared by ${processes}`,
    })),
  ];
  const verdict = fitsDirectly
    ? `${concurrency} calls fit into ${granted} connections, one each.`
    : `${concurrency} calls do not fit into ${granted} connections: a transaction pooler of ${atOnce}, or at most ${granted} environments.`;
  return { sizes, fitsDirectly, verdict };
}
