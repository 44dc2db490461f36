import type { RequestSockets } from "../decide/options.ts";

/** As in Workers; here connections belong to no request, and it changes nothing. */
export function hyperdrive(_: { readonly binding?: string | undefined; readonly uncached?: string | undefined } = {}): RequestSockets {
  return (platform) => platform;
}
