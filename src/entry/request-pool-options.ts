import type { DatabaseOptions } from "../decide/options.ts";
import { readPoolOptions } from "../decide/pg-options.ts";
import { refusal } from "../decide/refuse.ts";

/** What a pool over the connections of requests was given. */
export interface RequestPoolGiven {
  /** By our names, to be checked. */
  readonly settings: DatabaseOptions;
  /** What pg's clients take, in pg's words. */
  readonly driver: Readonly<Record<string, unknown>>;
  /** The class of the promises it gives. */
  readonly own: PromiseConstructor | undefined;
}

/** What a client takes anywhere. */
const forClients: ReadonlySet<string> = new Set(["lock_timeout", "idle_in_transaction_session_timeout", "types", "scramMaxIterations"]);

/** What says when a connection ends, or keeps a process: here that is its request. */
const ofNoUse: ReadonlySet<string> = new Set([
  "maxUses",
  "maxLifetimeSeconds",
  "allowExitOnIdle",
  "keepAlive",
  "keepAliveInitialDelayMillis",
]);

/** Longest a timer takes, milliseconds: no bound, in pg's words 0. */
const UNBOUNDED_MS = 2_147_483_647;

/**
 * Reads what a pool was given, in pg's spelling or ours.
 * @throws ConfigError for what is given twice, has another shape, or cannot be had where connections belong to requests
 */
export function readRequestPoolOptions(options: unknown): RequestPoolGiven {
  const { settings, driver, timeoutMs, lacksUrl } = readPoolOptions(options, () => {
    throw refusal("connectionString", "without the paths of files: there are none here");
  });
  if (lacksUrl) {
    throw refusal("connectionString", "text; leave it out to use a Hyperdrive binding, or DATABASE_URL", { code: "MISSING_SETTING" });
  }
  const { Promise: own, ...rest } = driver;
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) {
    if (forClients.has(name)) kept[name] = value;
    else if (!ofNoUse.has(name) && !(name === "ssl" && isNoMoreThanChecked(value as object))) {
      throw refusal(name, "left out: a pool in Workers has nothing of the kind");
    }
  }
  const limit = timeoutMs === undefined ? {} : { acquireTimeoutMs: timeoutMs || UNBOUNDED_MS, connectTimeoutMs: timeoutMs || UNBOUNDED_MS };
  return { settings: { ...settings, ...limit }, driver: kept, own: own as PromiseConstructor | undefined };
}

/** Whether what is said of TLS is said by `sslMode` as well. */
function isNoMoreThanChecked(ssl: object): boolean {
  return Object.keys(ssl).every((name) => name === "rejectUnauthorized");
}
