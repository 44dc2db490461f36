import type { Manifest } from "./stranger.ts";

/** What became of one entry in one tool. */
export interface Line {
  readonly tool: string;
  readonly entry: string;
  /** The file of the package that was chosen. */
  readonly chose: string;
  /** Packages and built-ins that reached it and must not. */
  readonly forbidden: readonly string[];
  /** What is wrong; nothing when all is well. */
  readonly problem?: string;
}

/** The entries that make sense where there is nothing of Node, and what each may bring along. */
export const edgeEntries: Readonly<Record<string, readonly string[]>> = {
  ".": ["@neondatabase/serverless", "postgres-date", "postgres-interval", "xtend", "cloudflare:workers"],
  "./http": ["postgres-date", "postgres-interval", "xtend", "cloudflare:workers"],
  "./hyperdrive": [],
  "./dashboard": ["hono"],
  "./drizzle": ["drizzle-orm"],
  "./hono": [],
  "./keep": ["node:async_hooks"],
  "./kysely": ["kysely"],
  "./lambda": [],
  "./prisma": [],
  "./vercel": [],
};

/** The builds of the package. */
export type BuildName = "node" | "workerd" | "browser";

/**
 * The file an entry has to be in a build. Said here, not read from package.json: an order of conditions that is wrong there would be wrong
 * here too.
 */
export function expectedFile({ exports }: Manifest, entry: string, build: BuildName): string {
  if (build === "node") return `dist/node/${entry === "." ? "warmline" : entry.replace("./", "")}.js`;
  if (entry === ".") return `dist/entry/${build}.js`;
  if (entry === "./http") return `dist/entry/${build === "browser" ? build : `${build}-http`}.js`;
  if (entry === "./tcp") return `dist/entry/${{ workerd: "workerd-tcp", browser: "browser" }[build]}.js`;
  if (entry === "./hyperdrive") return build === "workerd" ? "dist/entry/hyperdrive.js" : "dist/entry/hyperdrive-elsewhere.js";
  if (entry === "./keep") return `dist/keep/${build === "workerd" ? build : "keep"}.js`;
  const target = exports[entry] ?? "";
  return (typeof target === "string" ? target : target.default).replace("./", "");
}

/** A line about an entry, and whether the file that was chosen is the wanted one. */
export function line({ tool, entry }: Pick<Line, "tool" | "entry">, chose: string, wanted: string): Line {
  return { tool, entry, chose, forbidden: [], ...(chose !== wanted && { problem: `it chose ${chose}, and ${wanted} is right` }) };
}
