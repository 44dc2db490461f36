import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Row, voidRow } from "./rows.ts";

/** What a heap may differ by from one collection to another, bytes. */
const MOST_GROWTH_BYTES = 1_000_000;

/** By how much the process may grow while a million rows pass. */
const MOST_OVER_START_BYTES = 30_000_000;

/** Rows of memory, each with the file that measures it and what that calls it. */
const plans = [
  { name: "heap after 1,000,000 queries", file: "heap-process.ts", key: "after1mQueriesBytes", most: MOST_GROWTH_BYTES },
  { name: "heap after 100,000 texts", file: "heap-process.ts", key: "after100kTextsBytes", most: MOST_GROWTH_BYTES },
  { name: "stream of 1,000,000 rows × 5: memory", file: "stream-memory-process.ts", key: "overStartBytes", most: MOST_OVER_START_BYTES },
] as const;
const shape = { unit: "bytes of growth", better: "less" } as const;

export const memoryRowNames: readonly string[] = plans.map(({ name }) => name);

/** How much more memory is held after many queries, or while many rows pass; void where it is not to be measured, for that takes its time. */
export async function memoryRows(node: string, url: string | undefined, isChosen: (name: string) => boolean): Promise<readonly Row[]> {
  const measured = new Map<string, Readonly<Record<string, number>> | undefined>();
  const rows: Row[] = [];
  for (const { name, file, key, most } of plans) {
    if (!isChosen(name)) continue;
    const limit = { ours: most };
    if (url !== undefined && !measured.has(file)) measured.set(file, await measure(node, file, url));
    const bytes = measured.get(file)?.[key];
    if (bytes === undefined) {
      rows.push(voidRow({ name, ...shape, limit }, url === undefined ? "not measured in a quick run" : "its process failed"));
      continue;
    }
    rows.push({
      name,
      ...shape,
      limit,
      ours: { median: bytes, low: bytes, high: bytes },
      peers: {},
      ratioToBest: null,
      met: bytes <= most,
    });
  }
  return rows;
}

async function measure(node: string, name: string, url: string): Promise<Readonly<Record<string, number>> | undefined> {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const running = promisify(execFile)(node, ["--expose-gc", file, url]);
  running.child.stderr?.pipe(process.stderr);
  return running.then(
    ({ stdout }) => JSON.parse(stdout),
    () => undefined,
  );
}
