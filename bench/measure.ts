/** Does one piece of work. */
export type Work = () => Promise<unknown>;

/** Two ways to do the same, and how often a block does it. */
export interface Comparison {
  readonly ours: Work;
  readonly bare: Work;
  readonly queriesPerBlock: number;
  /** Rounds of four blocks. */
  readonly rounds: number;
}

/** What a comparison found. Microseconds of CPU are user and system time of the whole process. */
export interface Measured {
  /** Ours divided by bare. */
  readonly ratio: number;
  /** Ours divided by the same code in other blocks: how far the measurement itself is off. */
  readonly selfRatio: number;
  readonly blocks: number;
  readonly cpuMicrosPerQuery: number;
  readonly bareCpuMicrosPerQuery: number;
}

const ROUNDS_PER_COLLECTION = 20;

/**
 * CPU per query in interleaved blocks of one process: ours, bare, bare, ours again (A B B A). Ratios are taken within a round, between
 * neighbours, for what disturbs the machine hits them alike; the median of all rounds counts. The first and the last block of a round hold the
 * same code and are told apart by turns: their ratio says what the numbers are worth.
 */
export async function compare({ ours, bare, queriesPerBlock, rounds }: Comparison): Promise<Measured> {
  const block = (work: Work) => cpuMicrosPerQuery(work, queriesPerBlock);
  const ratios: number[] = [];
  const selfRatios: number[] = [];
  const oursMicros: number[] = [];
  const bareMicros: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Seldom, not before each block: a collection throws compiled code away, and short blocks would measure its return.
    if (round % ROUNDS_PER_COLLECTION === 0) globalThis.gc?.();
    const opening = await block(ours);
    const plain = (await block(bare)) + (await block(bare));
    const closing = await block(ours);
    ratios.push((opening + closing) / plain);
    selfRatios.push(round % 2 === 0 ? opening / closing : closing / opening);
    oursMicros.push(opening, closing);
    bareMicros.push(plain / 2);
  }
  return {
    ratio: median(ratios),
    selfRatio: median(selfRatios),
    blocks: rounds * 4,
    cpuMicrosPerQuery: median(oursMicros),
    bareCpuMicrosPerQuery: median(bareMicros),
  };
}

async function cpuMicrosPerQuery(work: Work, queries: number): Promise<number> {
  const start = process.cpuUsage();
  for (let query = 0; query < queries; query++) await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / queries;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
