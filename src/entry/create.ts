import { type CallbackContext, type Database, type Ground, makeDatabase } from "../database/database.ts";
import type { HeldWork } from "../database/held-work.ts";
import type { lackingOf } from "../database/lacking.ts";
import { type CommonParsers, UserTypes } from "../database/user-types.ts";
import type { RequestSockets } from "../decide/options.ts";
import { type Available, DEFAULT_DEADLINE_MS, makePlan, type Plan } from "../decide/plan.ts";
import { handedIn, refusal } from "../decide/refuse.ts";
import type { DetectedRuntime, RuntimeName } from "../decide/runtime.ts";
import type { Address } from "../decide/settings.ts";
import { checkOptions, type DatabaseOptions, resolveSettings, type Settings } from "../decide/settings.ts";
import { LONGEST_TEXT } from "../decide/table.ts";
import { detectTarget } from "../decide/target.ts";
import { ConfigError } from "../errors/errors.ts";
import { type Audience, makeAudience } from "../observe/audience.ts";
import type { CallTracing } from "../observe/trace-calls.ts";
import type { Clock, Transport, TransportName } from "../transports/transport.ts";
import { isHyperdrive } from "./hyperdrive-binding.ts";

/** What an entry of the package owns, and what its runtime offers. Nothing is called before a database needs it. */
export interface Platform {
  /** What the setting `runtime` takes here: in an edge build only its own name. */
  readonly runtimes: readonly RuntimeName[];
  /** Tells the runtime; the setting, one of `runtimes`, decides where it is given. */
  readonly runtime: (explicit: RuntimeName | null) => DetectedRuntime;
  /** Variables, and where a platform has them, bindings; of the options only where an address is given matters. */
  readonly env: (options: DatabaseOptions) => object;
  readonly available: () => Available;
  /** Makes the transport the plan names. */
  readonly transports: Partial<Record<TransportName, MakeTransport>>;
  readonly parsers: CommonParsers;
  /** Refuses what such a target has not; absent where the package reaches none by itself. */
  readonly lackingOf?: typeof lackingOf;
  readonly callbacks: CallbackContext | undefined;
  /** What runs on a held connection; absent where none can be held. */
  readonly heldWork: (() => HeldWork | Promise<HeldWork>) | undefined;
  /** Tells of calls by tracing channels; absent where the runtime has none. */
  readonly tracing?: CallTracing | undefined;
  /** Refuses options that this entry has no use for, and what no environment could make right. @throws ConfigError */
  readonly check?: (options: DatabaseOptions) => void;
  /** Where the setting `tcp` is not given. */
  readonly tcp?: RequestSockets;
  /** Runs work as one request, where connections belong to one. */
  readonly scope?: Database["scope"];
  readonly warn: (message: string) => void;
  /** The wall clock, and chance, neither of which may end a prerender that calls the database. */
  readonly clock: Clock;
  readonly random: () => number;
  /** Whether connecting at once pays, where the option does not say. */
  readonly warmsUp?: () => boolean;
}

/** Makes a transport for an address: the main one, or the direct one. */
export type MakeTransport = (input: TransportInput) => Transport | Promise<Transport>;

/** What a transport is made from. */
export interface TransportInput {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly address: Address;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  /** Who is told of what happens to connections. */
  readonly events: Audience;
  /** What pg's clients are told besides, in pg's words. */
  readonly driver?: Readonly<Record<string, unknown>>;
}

/** `createDatabase` of one entry. */
export type CreateDatabase = (options?: DatabaseOptions | string) => Database;

/** Builds an entry's `createDatabase`. */
export function databaseOn(own: Platform): CreateDatabase {
  return (given) => {
    const { tcp = own.tcp, env, ...options } = checkOptions(given, own.runtimes);
    own.check?.(options);
    const here = env ? { ...own, env: () => env } : own;
    const platform = tcp ? withSockets(handedIn("tcp", () => tcp(here, options))) : here;
    const events = makeAudience(platform.warn);
    const database = makeDatabase({
      ground: once(() => decide(options, platform, events)),
      delivery: { clock: platform.clock, random: platform.random },
      events,
      tracing: platform.tracing,
      stopwatch: () => performance.now(),
      callbacks: platform.callbacks,
      heldWork: platform.heldWork,
      scope: platform.scope,
    });
    // the first call connects again, and tells why it cannot
    if (options.warmUp ?? platform.warmsUp?.()) database.warmUp().catch(() => {});
    return database;
  };
}

/** What the setting `tcp` gave. @throws ConfigError INVALID_SETTING */
function withSockets(given: Platform): Platform {
  if (typeof (given as Partial<Platform> | undefined)?.available === "function") return given;
  throw refusal("tcp", "what hyperdrive() of warmline/hyperdrive gives");
}

/** Reads the environment, and decides how to work in it. */
export function planOn(platform: Platform, options: DatabaseOptions): { readonly settings: Settings; readonly plan: Plan } {
  const bound: Readonly<Record<string, unknown>> = handedIn("env", () => ({ ...platform.env(options) }));
  const env = handedIn("env", () => texts(bound));
  const settings = handedIn("options", () => {
    try {
      return resolveSettings(options, env);
    } catch (error) {
      throw isUnreadSecret(error, bound) ? unreadSecret() : error;
    }
  });
  const runtime = platform.runtime(settings.runtime);
  const target = detectTarget(settings.address, settings.target, settings.endpoint);
  return { settings, plan: makePlan({ runtime, target, settings, available: platform.available() }) };
}

function decide(options: DatabaseOptions, platform: Platform, events: Audience): Ground {
  const { settings, plan } = planOn(platform, options);
  const { clock, warn } = platform;
  const make = (address: Address) =>
    (platform.transports[plan.transport] as MakeTransport)({ settings, plan, address, clock, warn, events });
  return {
    plan,
    lacking: platform.lackingOf?.(plan.capabilities.lacks),
    deadlineMs: plan.deadlineMs || Number.POSITIVE_INFINITY,
    requestDeadlineMs: (settings.deadlineMs ?? DEFAULT_DEADLINE_MS) || Number.POSITIVE_INFINITY,
    slowQueryMs: settings.slowQueryMs,
    sqlCommenter: settings.sqlCommenter,
    // of rows over a socket; what they are made into takes several times that
    maxResponseBytes: settings.maxResponseBytes ?? LONGEST_TEXT,
    types: new UserTypes(settings.types, platform.parsers),
    transport: once(() => {
      plan.warnings.forEach(warn);
      return make(settings.address);
    }),
    directTransport: settings.directAddress && (() => make(settings.directAddress as Address)),
  };
}

/** Whether what is missing is bound, as a secret that has to be asked for: a Secrets Store's. */
function isUnreadSecret(error: unknown, env: Readonly<Record<string, unknown>>): boolean {
  const { setting } = error as { readonly setting?: unknown };
  return setting === "DATABASE_URL" && typeof env.DATABASE_URL === "object";
}

const unreadSecret = (): ConfigError =>
  new ConfigError(
    "DATABASE_URL is a binding, and no text. A secret of a Secrets Store is asked for: keep the password there, the rest in a variable, and give the option password: () => env.NAME.get().",
    { code: "MISSING_SETTING", setting: "DATABASE_URL" },
  );

/** What of an environment is text. A Hyperdrive binding stands for `DATABASE_URL` where there is none, so the plan can say what it takes. */
function texts(env: object): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === "string") found[name] = value;
    else if (isHyperdrive(value)) found.DATABASE_URL ??= value.connectionString;
  }
  return found;
}

/** Remembers what `make` gave; a failure is not remembered, so that a corrected environment helps. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
