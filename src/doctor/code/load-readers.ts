import type { Readers } from "./project-facts.ts";

/** The optional peers that read sources and TOML, where they are installed. */
export async function loadReaders(): Promise<Readers> {
  const [parser, toml] = await Promise.all([import("oxc-parser").catch(missing), import("smol-toml").catch(missing)]);
  return { parser, toml };
}

/** @throws what is there and cannot be loaded */
function missing(error: unknown): undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (code !== "ERR_MODULE_NOT_FOUND") throw error;
}
