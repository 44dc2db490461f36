/** Where a worker without warmline finds its database. */
export interface Bindings {
  readonly DATABASE_URL?: string;
  readonly HYPERDRIVE?: { readonly connectionString: string };
}

/** The address of the binding, or of the variable where there is none. */
export function connectionString({ HYPERDRIVE, DATABASE_URL = "" }: Bindings): string {
  return HYPERDRIVE?.connectionString ?? DATABASE_URL;
}
