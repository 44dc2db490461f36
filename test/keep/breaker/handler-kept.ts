import { breaker } from "../../../examples/keep/opossum.ts";

/** Asks the service, behind the recipe's breaker. */
export async function handler({ path }: { readonly path: string }): Promise<unknown> {
  return await breaker.use((own) => own.fire(path));
}
