import type { Figures } from "./block.ts";

/** The figures of one entrant: a pair of runs for each round. */
export type Series<F = Figures> = readonly (readonly [F, F])[];

/** What became of a comparison so far: the figures of each entrant, by its name. */
export type Seen<F = Figures> = ReadonlyMap<string, Series<F>>;

/** One of those who take turns. */
export interface Turn<F> {
  readonly name: string;
  run(): Promise<F>;
}

export interface TurnsOptions<F> {
  readonly rounds: number;
  /** On a machine that is busy there are fewer rounds, but never fewer than so many. */
  readonly fewestRounds: number;
  readonly longestMs: number;
  /** Asked after all rounds: whether they are to be run once more, for what was seen decides nothing yet. */
  again(seen: Seen<F>): boolean;
}

/**
 * Runs all by turns, A B C, C B A, beginning with another one each round: what disturbs the machine for a moment hits neighbours alike, and what
 * changes slowly hits all.
 */
export async function takeTurns<F>(
  turns: readonly Turn<F>[],
  { rounds, fewestRounds, longestMs, again }: TurnsOptions<F>,
): Promise<Seen<F>> {
  const seen = new Map<string, [F, F][]>(turns.map(({ name }) => [name, []]));
  do {
    const endsAt = performance.now() + longestMs;
    for (let round = 0; round < rounds && (round < fewestRounds || performance.now() < endsAt); round++) {
      const first = round % turns.length;
      const order = [...turns.slice(first), ...turns.slice(0, first)];
      const opening = await runAll(order);
      const closing = await runAll(order.toReversed());
      for (const [name, figures] of opening) seen.get(name)?.push([figures, closing.get(name) as F]);
    }
  } while (again(seen));
  return seen;
}

async function runAll<F>(turns: readonly Turn<F>[]): Promise<Map<string, F>> {
  const figures = new Map<string, F>();
  for (const { name, run } of turns) figures.set(name, await run());
  return figures;
}
