/** The median, and the quartiles about it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(numbers: readonly number[]): Spread {
  return { median: quantile(numbers, 0.5), low: quantile(numbers, 0.25), high: quantile(numbers, 0.75) };
}

/**
 * Between which two of the numbers the median of all there could be lies, with 95 % confidence, whatever they are spread like: the binomial
 * distribution's ranks, by the normal one.
 */
export function medianInterval(numbers: readonly number[]): readonly [low: number, high: number] {
  const sorted = numbers.toSorted((left, right) => left - right);
  const off = 0.98 * Math.sqrt(sorted.length);
  const at = (rank: number) => sorted[Math.min(sorted.length - 1, Math.max(0, rank))] ?? Number.NaN;
  return [at(Math.floor(sorted.length / 2 - off)), at(Math.ceil(sorted.length / 2 + off) - 1)];
}

export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
