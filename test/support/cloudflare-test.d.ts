declare module "cloudflare:test" {
  /** The `ctx` of a request. */
  export function createExecutionContext(): { waitUntil(promise: Promise<unknown>): void };
  /** Resolves when everything handed to its `waitUntil` has settled. */
  export function waitOnExecutionContext(context: object): Promise<void>;
}
