import { runtimeVariables } from "../decide/detect-runtime.ts";
import type { DatabaseOptions } from "../decide/options.ts";
import { settingVariables } from "../decide/settings.ts";
import { ConfigError } from "../errors/errors.ts";

/** Variables by their names. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What Deno is asked for. Source: Deno's documentation, "Permissions". */
interface Permissions {
  querySync(asked: Asked): { readonly state: string };
  /** Asks whoever sits before a terminal; anywhere else it gives what holds. */
  requestSync(asked: Asked): { readonly state: string };
}

interface Asked {
  readonly name: "env";
  readonly variable?: string;
}

/** Read beside the settings': by pools, and by what signs tokens for IAM. */
const others = [
  ...["NODE_ENV", "NODE_PG_FORCE_NATIVE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"],
  ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"],
];

/**
 * The variables of this process. In Deno, where each is a permission, those that this package knows, as far as they may be read: whoever
 * lists the variables of a process needs the permission for all of them.
 */
export function processVariables(): Variables {
  const permissions = permissionsOfDeno();
  if (permissions === undefined) return process.env;
  const readable = [...settingVariables, ...runtimeVariables, ...others].filter((variable) =>
    isGranted(permissions.querySync({ name: "env", variable })),
  );
  return Object.fromEntries(readable.map((name) => [name, process.env[name]]));
}

/** What pg reads for every client. */
const ofPostgres = "PG*";

/**
 * The same for a database, which needs `DATABASE_URL` where no address is given, and the variables of Postgres.
 * @throws ConfigError NOT_PERMITTED where Deno refuses them
 */
export function settingsVariables(options: Pick<DatabaseOptions, "url" | "host">): Variables {
  needVariables("url" in options || "host" in options ? [ofPostgres] : ["DATABASE_URL", ofPostgres]);
  return processVariables();
}

/** Neon's driver reads these by itself. @throws ConfigError NOT_PERMITTED where Deno refuses them */
export function needVariablesOfNeon(): void {
  needVariables([ofPostgres, "USER", "USERNAME", "NODE_PG_FORCE_NATIVE"]);
}

function needVariables(names: readonly string[]): void {
  const permissions = permissionsOfDeno();
  const refused = permissions ? names.filter((variable) => !isGranted(permissions.requestSync({ name: "env", variable }))) : [];
  if (refused.length === 0) return;
  const flag = `--allow-env=${[...new Set(["DATABASE_URL", ...names])].join(",")}`;
  throw new ConfigError(`Deno has no permission to read ${refused.join(" and ")}. Run it with ${flag}.`, {
    code: "NOT_PERMITTED",
    setting: "env",
  });
}

/** Undefined outside of Deno, and where it may read all of them. */
function permissionsOfDeno(): Permissions | undefined {
  const { Deno } = globalThis as { readonly Deno?: { readonly permissions?: Permissions } };
  const permissions = Deno?.permissions;
  return permissions && !isGranted(permissions.querySync({ name: "env" })) ? permissions : undefined;
}

function isGranted({ state }: { readonly state: string }): boolean {
  return state === "granted";
}
