import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom } from "../../test/support/random.ts";
import { type Address, clients, type ScaleClient } from "./clients.ts";
import { statement, type Way, workload } from "./workload.ts";

/** What an environment is told, a line each. It answers each with a line. */
export type Order =
  | { readonly do: "open"; readonly client: Way["client"]; readonly address: Address }
  | { readonly do: "run"; readonly warmUpMs: number; readonly ms: number; readonly seed: number }
  | { readonly do: "close" };

/** What it saw of a run, milliseconds each. */
export interface Seen {
  readonly succeeded: readonly number[];
  readonly failed: readonly number[];
  /** Codes of those that failed, and how many of each. */
  readonly codes: Readonly<Record<string, number>>;
  /** How late it woke up when its work was over: a machine with a processor to spare wakes it within a millisecond or two. */
  readonly late: readonly number[];
}

// One environment of a function: a process that handles one invocation at a time, and keeps its client from one to the next. Ends with its input.
let client: ScaleClient | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order;
  if (order.do === "open") client = await begin(order);
  if (order.do === "close") await client?.close().catch(() => {});
  console.log(JSON.stringify(order.do === "run" && client !== undefined ? await run(client, order) : {}));
}
process.exit();

/** A cold start with its first call: modules are loaded and connections opened, as far as there are any. What becomes of the call is not counted. */
async function begin({ client: name, address }: Extract<Order, { do: "open" }>): Promise<ScaleClient> {
  const own = await clients[name](address);
  await own.ask("select 1", workload.statements).catch(() => {});
  return own;
}

async function run(own: ScaleClient, { warmUpMs, ms, seed }: Extract<Order, { do: "run" }>): Promise<Seen> {
  const random = createRandom(seed);
  const succeeded: number[] = [];
  const failed: number[] = [];
  const codes: Record<string, number> = {};
  const late: number[] = [];
  const countsFrom = performance.now() + warmUpMs;
  const endsAt = countsFrom + ms;
  for (;;) {
    const wakesAt = performance.now() - workload.thinkMs * Math.log(1 - random.fraction());
    await delay(Math.max(0, wakesAt - performance.now()));
    const begunAt = performance.now();
    late.push(begunAt - wakesAt);
    if (begunAt >= endsAt) return { succeeded, failed, codes, late };
    const code = await own.ask(statement, workload.statements).then(
      () => undefined,
      (error: { readonly code?: string }) => error.code ?? "unknown",
    );
    const endedAt = performance.now();
    if (endedAt < countsFrom) continue;
    (code === undefined ? succeeded : failed).push(endedAt - begunAt);
    if (code !== undefined) codes[code] = (codes[code] ?? 0) + 1;
  }
}
