import type { Seen } from "../evidence.ts";
import type { Readers } from "./read-configuration.ts";

/** The optional peers that read sources, TOML and YAML, where they are installed. Never rejects. */
export async function loadReaders(): Promise<Readers> {
  const [parser, toml, yaml] = await Promise.all([
    loaded("oxc-parser", import("oxc-parser")),
    loaded("smol-toml", import("smol-toml")),
    loaded("yaml", import("yaml")),
  ]);
  return { parser, toml, yaml };
}

async function loaded<T>(name: string, module: Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await module };
  } catch (error) {
    const { code, pnpCode } = (error ?? {}) as { readonly code?: unknown; readonly pnpCode?: unknown };
    // Yarn's Plug'n'Play has codes of its own for what nobody declared
    const missing = code === "ERR_MODULE_NOT_FOUND" || pnpCode !== undefined;
    const why = missing ? "is not installed" : "is installed, and cannot be loaded";
    return { unseen: `${name} ${why}: npm install --save-dev ${name}` };
  }
}
