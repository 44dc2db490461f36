import type { Client, ClientOptions, OpenClient } from "./client.ts";
import { type StatementName, statements } from "./statements.ts";

/** What one client does in one go, measured as a whole. */
export type Block =
  /** `count` queries by so many callers, each one after the other. */
  | { readonly kind: "queries"; readonly statement: StatementName; readonly callers: number; readonly count: number }
  /** Fast queries by primary key among slow ones, for so long: of each caller's `slowShare`, and all of those of the slow callers. */
  | {
      readonly kind: "mixed";
      readonly callers: number;
      readonly slowCallers: number;
      readonly slowShare: number;
      readonly ms: number;
    }
  /** So many rows as they come; or the first of them alone, and what follows is left. */
  | { readonly kind: "stream"; readonly count: number; readonly callers: 1; readonly only?: "first row" }
  /** A client is made, and gives the first row. */
  | { readonly kind: "first row" };

/** What a block took. */
export interface Figures {
  readonly queries: number;
  /** User and system time of the whole process. */
  readonly cpuMicros: number;
  readonly wallMicros: number;
  /** Of the fast ones of a mixed block. */
  readonly fastP99Micros?: number;
}

/** What a block is run with. */
export interface Contender {
  readonly client: Client;
  readonly open: OpenClient;
  readonly options: ClientOptions;
}

/** Runs a block in this process. Rejects with what a query rejected with. */
export async function runBlock(contender: Contender, block: Block): Promise<Figures> {
  const { client } = contender;
  if (block.kind === "mixed") return measured(() => mix(client, block));
  if (block.kind === "first row") return measured(() => askFirst(contender));
  if (block.kind === "stream") return block.only === undefined ? measured(() => readAll(client, block)) : readFirst(client, block);
  const { before } = statements[block.statement];
  if (before !== undefined) await client.ask(before, []);
  return measured(() => askMany(client, block));
}

async function measured(work: () => Promise<Pick<Figures, "queries" | "fastP99Micros">>): Promise<Figures> {
  const startedAt = performance.now();
  const startCpu = process.cpuUsage();
  const counted = await work();
  const { user, system } = process.cpuUsage(startCpu);
  return { ...counted, cpuMicros: user + system, wallMicros: (performance.now() - startedAt) * 1_000 };
}

async function askMany(
  client: Client,
  { statement, callers, count }: Extract<Block, { kind: "queries" }>,
): Promise<Pick<Figures, "queries">> {
  const { values } = statements[statement];
  let left = count;
  const caller = async () => {
    while (left-- > 0) await client.ask(statement, values());
  };
  if (callers === 1) await caller();
  else await Promise.all(Array.from({ length: callers }, caller));
  return { queries: count };
}

/** One by one, whatever they come in. */
async function readAll(client: Client, { count }: Extract<Block, { kind: "stream" }>): Promise<Pick<Figures, "queries">> {
  let queries = 0;
  for await (const item of streamOf(client, count)) {
    if (Array.isArray(item)) for (const row of item) queries += row === undefined ? 0 : 1;
    else queries++;
  }
  return { queries };
}

async function readFirst(client: Client, { count }: Extract<Block, { kind: "stream" }>): Promise<Figures> {
  const rows = streamOf(client, count)[Symbol.asyncIterator]();
  const figures = await measured(async () => {
    await rows.next();
    return { queries: 1 };
  });
  await rows.return?.();
  return figures;
}

function streamOf({ stream }: Client, count: number): AsyncIterable<unknown> {
  if (stream === undefined) throw new Error("This client streams nothing.");
  return stream(count);
}

async function askFirst({ open, options }: Contender): Promise<Pick<Figures, "queries">> {
  const client = await open(options);
  await client.ask("by primary key", statements["by primary key"].values());
  void client.close();
  return { queries: 1 };
}

async function mix(client: Client, { callers, slowCallers, slowShare, ms }: Extract<Block, { kind: "mixed" }>) {
  const endsAt = performance.now() + ms;
  const latencies: number[] = [];
  const every = slowShare === 0 ? Number.POSITIVE_INFINITY : Math.round(1 / slowShare);
  const caller = async (_: unknown, index: number) => {
    for (let call = index; performance.now() < endsAt; call++) {
      if (index < slowCallers || call % every === 0) {
        await client.ask("slow", []);
        continue;
      }
      const startedAt = performance.now();
      await client.ask("by primary key", statements["by primary key"].values());
      latencies.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  latencies.sort((left, right) => left - right);
  return { queries: latencies.length, fastP99Micros: (latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN) * 1_000 };
}
