import { waitUntil } from "cloudflare:workers";
import { AsyncLocalStorage } from "node:async_hooks";
import type { DatabaseOptions, RequestSockets } from "../decide/options.ts";
import { overHyperdrive, perRequest } from "../decide/request-choices.ts";
import { ConfigError } from "../errors/errors.ts";
import { type RequestScope, runInScope } from "../transports/request/request-scope.ts";
import type { Platform } from "./create.ts";
import { type HyperdriveBinding, isHyperdrive } from "./hyperdrive-binding.ts";
import { makeRequest } from "./make-request.ts";
import { requestScopes } from "./request-scopes.ts";

/** Which Hyperdrive bindings are meant, where there are several. */
export interface HyperdriveOptions {
  /** Name of the binding. Default: the only one there is, besides `uncached`. */
  readonly binding?: string | undefined;
  /** Name of a binding of the same database without a cache, for calls that say `cache: "bypass"`. */
  readonly uncached?: string | undefined;
}

/** The requests that are on their way: one for all databases of the worker. */
const scopes = new AsyncLocalStorage<RequestScope>();

const scope: typeof requestScopes.run = (context, work) => runInScope(scopes, context, work);

let warned = false;

/** TCP for Workers; without `heldWork` it serves a pool, whose clients are pg's. */
export function hyperdriveSockets(options: HyperdriveOptions, heldWork: Platform["heldWork"]): RequestSockets {
  requestScopes.run = scope;
  return <P>(platform: P, settings: DatabaseOptions) => ({ ...withSockets(platform as Platform, settings, options), heldWork }) as P;
}

function withSockets(own: Platform, settings: DatabaseOptions, options: HyperdriveOptions): Platform {
  return {
    ...own,
    env() {
      const env = own.env(settings);
      // an address that was given is taken, whatever is bound
      if ("url" in settings || "host" in settings) return env;
      const found = findBinding(env, options);
      if (found) return { ...env, DATABASE_URL: found.connectionString };
      if ("DATABASE_URL" in env || "PGHOST" in env) return env;
      throw wrong(
        "Neither a Hyperdrive binding nor DATABASE_URL is there. Bind Hyperdrive in the worker's configuration, or give the secret DATABASE_URL.",
      );
    },
    available() {
      const { choices, ...rest } = own.available();
      return { ...rest, choices: [overHyperdrive, ...choices, perRequest] };
    },
    transports: {
      ...own.transports,
      request: (input) =>
        makeRequest(input, {
          scopes,
          waitUntil,
          uncached: () => namedBinding(own.env(settings), options.uncached ?? ""),
          onUnscoped() {
            if (warned) return;
            warned = true;
            own.warn(UNSCOPED);
          },
        }),
    },
    scope,
  };
}

const UNSCOPED =
  "A call outside of a scope opens a connection for itself alone. Use requestScope(db) of warmline/hono, or db.scope(ctx, () => …) around the request; a sharedPool has a scope, too.";

function findBinding(env: object, { binding, uncached }: HyperdriveOptions): HyperdriveBinding | undefined {
  if (binding !== undefined) return namedBinding(env, binding);
  const found = Object.entries(env).filter(([name, value]) => name !== uncached && isHyperdrive(value));
  if (found.length > 1) {
    throw wrong(`There are ${found.length} Hyperdrive bindings: say which, as in hyperdrive({ binding: "${found[0]?.[0]}" }).`);
  }
  return found[0]?.[1];
}

function namedBinding(env: object, name: string): HyperdriveBinding {
  const binding = (env as Readonly<Record<string, unknown>>)[name];
  if (isHyperdrive(binding)) return binding;
  throw wrong(
    name === ""
      ? 'To go past Hyperdrive\'s cache, name a binding that has none: hyperdrive({ uncached: "…" }).'
      : `There is no Hyperdrive binding ${JSON.stringify(name)}. Add it to the worker's configuration.`,
  );
}

function wrong(message: string): ConfigError {
  return new ConfigError(message, { code: "MISSING_SETTING", setting: "tcp" });
}
