/** Numbers that look random and are the same for the same seed, on every machine. */
export interface Random {
  /** From 0, below 1. */
  fraction(): number;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  /** One of them. */
  pick<T>(choices: readonly T[]): T;
  /** True once in `times`. */
  once(times: number): boolean;
  /** All of them, in another order. */
  shuffle<T>(items: readonly T[]): T[];
}

/** Random numbers of a seed, which is any whole number. The generator is Mulberry32: 32 bits of state, which is plenty for choosing among cases. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number) => min + Math.floor(fraction() * (max - min + 1));
  return {
    fraction,
    between,
    pick<T>(choices: readonly T[]): T {
      if (choices.length === 0) throw new Error("There is nothing to pick from.");
      return choices[between(0, choices.length - 1)] as T;
    },
    once: (times) => between(1, times) === 1,
    shuffle<T>(items: readonly T[]): T[] {
      const left = [...items];
      return items.map(() => left.splice(between(0, left.length - 1), 1)[0] as T);
    },
  };
}
