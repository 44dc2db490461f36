import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Row, voidRow } from "./rows.ts";

/** What a heap may differ by from one collection to another, bytes. */
const MOST_GROWTH_BYTES = 1_000_000;

const plans = [
  { name: "heap after 1,000,000 queries", key: "after1mQueriesBytes" },
  { name: "heap after 100,000 texts", key: "after100kTextsBytes" },
] as const;
const shape = { unit: "bytes of growth", better: "less", limit: { ours: MOST_GROWTH_BYTES } } as const;

export const heapRowNames: readonly string[] = plans.map(({ name }) => name);

/** How much more the heap holds after many queries; void where it is not to be measured, for that takes its time. */
export async function heapRows(node: string, url: string | undefined): Promise<readonly Row[]> {
  if (url === undefined) return plans.map(({ name }) => voidRow({ name, ...shape }, "not measured in a quick run"));
  try {
    const grown = await measure(node, url);
    return plans.map(({ name, key }) => {
      const bytes = grown[key];
      return {
        name,
        ...shape,
        ours: { median: bytes, low: bytes, high: bytes },
        peers: {},
        ratioToBest: null,
        met: bytes <= MOST_GROWTH_BYTES,
      };
    });
  } catch {
    return plans.map(({ name }) => voidRow({ name, ...shape }, "its process failed"));
  }
}

type Growth = Readonly<Record<(typeof plans)[number]["key"], number>>;

async function measure(node: string, url: string): Promise<Growth> {
  const file = fileURLToPath(new URL("./heap-process.ts", import.meta.url));
  const running = promisify(execFile)(node, ["--expose-gc", file, url]);
  running.child.stderr?.pipe(process.stderr);
  const { stdout } = await running;
  return JSON.parse(stdout) as Growth;
}
