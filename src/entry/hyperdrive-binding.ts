/** A Hyperdrive binding, as far as it is read. */
export interface HyperdriveBinding {
  readonly connectionString: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Whether a binding is Hyperdrive's. Reading what is in it throws at the top level of a module. */
export function isHyperdrive(binding: unknown): binding is HyperdriveBinding {
  return typeof (binding as Partial<HyperdriveBinding> | null)?.connectionString === "string";
}
