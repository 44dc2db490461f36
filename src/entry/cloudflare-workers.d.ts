declare module "cloudflare:workers" {
  /** The worker's bindings. */
  export const env: Readonly<Record<string, unknown>>;
}
