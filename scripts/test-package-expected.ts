import { builtinModules } from "node:module";
import type { Bundled } from "./test-package-bundlers.ts";
import type { Manifest } from "./test-package-stranger.ts";

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
  ".": ["@neondatabase/serverless", "cloudflare:workers"],
  "./hyperdrive": [],
  "./hono": [],
  "./lambda": [],
  "./vercel": [],
};

/** The builds of the package. */
export type BuildName = "node" | "workerd" | "browser";

/**
 * The file an entry has to be in a build. Said here, not read from package.json: an order of conditions that is wrong there would be wrong
 * here too.
 */
export function expectedFile({ exports }: Manifest, entry: string, build: BuildName): string {
  if (entry === ".") return `dist/entry/${build}.js`;
  if (entry === "./hyperdrive") return build === "workerd" ? "dist/entry/hyperdrive.js" : "dist/entry/hyperdrive-elsewhere.js";
  const target = exports[entry] ?? "";
  return (typeof target === "string" ? target : (target.default ?? "")).replace("./", "");
}

/** Judges a bundle by what reached it. */
export function judgeBundle(
  { inputs, left }: Bundled,
  wanted: Omit<Line, "chose" | "forbidden"> & { readonly file: string; readonly edge: boolean },
): Line {
  const files = inputs.flatMap((path) => /node_modules\/warmline\/(dist\/.*\.js)/.exec(path.split("?")[0] ?? "")?.[1] ?? []);
  const reached = [...new Set([...inputs.flatMap(packageOf), ...left])];
  const allowed = [...(edgeEntries[wanted.entry] ?? []), "warmline"];
  // who asks for sockets in a worker asks for pg, and for what nodejs_compat has of Node
  const asksForPg = wanted.file === "dist/entry/hyperdrive.js";
  const mayNot = asksForPg ? (name: string) => unasked.test(name) : (name: string) => !allowed.includes(name);
  const forbidden = wanted.edge ? reached.filter(mayNot) : [];
  const chose = files.includes(wanted.file) ? wanted.file : (files.find((file) => /\/(entry|adapters)\//.test(file)) ?? "nothing");
  return { ...line(wanted, chose, wanted.file), forbidden, ...(forbidden.length > 0 && { problem: `${forbidden.join(", ")} reached it` }) };
}

/** A line about an entry, and whether the file that was chosen is the wanted one. */
export function line({ tool, entry }: Pick<Line, "tool" | "entry">, chose: string, wanted: string): Line {
  return { tool, entry, chose, forbidden: [], ...(chose !== wanted && { problem: `it chose ${chose}, and ${wanted} is right` }) };
}

const unasked = /^(@aws-sdk|@smithy|undici$|ws$)/;

function packageOf(path: string): readonly string[] {
  if (path.includes("__vite-browser-external")) return ["a built-in of Node"];
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  if (name !== undefined) return [name];
  return builtinModules.includes(path.replace(/^node:/, "")) ? [path] : [];
}
