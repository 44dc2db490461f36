import { ConfigError } from "../errors/errors.ts";
import { look } from "../errors/look.ts";

/** A Hyperdrive binding, as far as it is read. */
export interface HyperdriveBinding {
  readonly connectionString: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  connect(): unknown;
}

/**
 * Whether a binding is Hyperdrive's, told by its address being a text, and by what it can do: a service, assets or e-mail binding answers any name with a
 * remote method, and a variable of JSON may hold whatever it likes.
 * @throws ConfigError MISSING_SETTING while a module is loaded, when the platform lets nobody read what is in a binding
 */
export function isHyperdrive(binding: unknown): binding is HyperdriveBinding {
  try {
    const { connectionString, connect } = (binding ?? {}) as Partial<HyperdriveBinding>;
    return typeof connectionString === "string" && typeof connect === "function";
  } catch (error) {
    if (!/global scope/.test(String(look(() => (error as Error).message, "")))) throw error;
    throw new ConfigError("A binding cannot be read while the module is loaded: ask for db.plan, and for rows, inside a handler.", {
      code: "MISSING_SETTING",
      setting: "env",
    });
  }
}
