import { builtinModules } from "node:module";
import type { Bundled } from "./bundlers.ts";
import { edgeEntries, type Line, line } from "./expected.ts";

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

const unasked = /^(@aws-sdk|@smithy|undici$|ws$)/;

function packageOf(path: string): readonly string[] {
  if (path.includes("__vite-browser-external")) return ["a built-in of Node"];
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  if (name !== undefined) return [name];
  return builtinModules.includes(path.replace(/^node:/, "")) ? [path] : [];
}
