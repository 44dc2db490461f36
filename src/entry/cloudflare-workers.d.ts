declare module "cloudflare:workers" {
  /** The worker's bindings. */
  export const env: Readonly<Record<string, unknown>>;
  /** Keeps the request alive until the promise settles. */
  export function waitUntil(promise: Promise<unknown>): void;
}
