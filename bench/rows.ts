import type { Limit, RowPlan } from "./comparisons.ts";
import { medianInterval, type Spread, spreadOf } from "./statistics.ts";
import type { Seen, Series } from "./turns.ts";

/** By how much a contestant may differ from itself in the other blocks of its rounds; beyond it the machine was too busy. */
const MOST_SELF_DIFFERENCE = 0.1;
/** How wide the interval may be in which the ratio lies with 95 % confidence, as a part of it, where the limit lies in it too. */
const MOST_DOUBT = 0.1;

/** One figure, measured: medians with the quartiles about them. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly better: "less" | "more";
  readonly limit: Limit | undefined;
  readonly ours: Spread | null;
  readonly peers: Readonly<Record<string, Spread>>;
  /** Of ours to the best peer: the median of the rounds' own ratios, between neighbours. Null without peers. */
  readonly ratioToBest: number | null;
  /** Null where there is no limit. False for what was void. */
  readonly met: boolean | null;
  /** Why the figures mean nothing, if they do not. */
  readonly void?: string;
}

/** What was seen of a comparison, as a row of its own. */
export function judge<F>(plan: RowPlan<F>, seen: Seen<F>): Row {
  const { name, unit, better, limit } = plan;
  const ours = plan.of ?? ([...seen.keys()][0] as string);
  const against = plan.against ?? [...seen.keys()].filter((entrant) => entrant !== ours);
  const spreads = new Map(against.map((entrant) => [entrant, spreadOf(figuresOf(plan, seriesOf(entrant, seen)))]));
  const sorted = [...spreads].toSorted(([, left], [, right]) => left.median - right.median);
  const best = (better === "less" ? sorted[0] : sorted.at(-1))?.[0];
  const own = seriesOf(ours, seen);
  const ratios = best === undefined ? [] : ratiosOf(plan, own, seriesOf(best, seen));
  const ratio = best === undefined ? null : spreadOf(ratios).median;
  const spread = spreadOf(figuresOf(plan, own));
  const isOurOwn = limit !== undefined && "ours" in limit;
  const judged = isOurOwn ? spread.median : ratio;
  const controls = best === undefined ? [ours] : [ours, best];
  const reason = doubtOfControls(plan, controls, seen) ?? (isOurOwn || ratio === null ? undefined : doubtOfRatio(ratios, limit));
  return {
    name,
    unit,
    better,
    limit,
    ours: spread,
    peers: Object.fromEntries(spreads),
    ratioToBest: ratio,
    met: limit === undefined || judged === null ? null : reason === undefined && holds(judged, limit, better),
    ...(reason !== undefined && { void: reason }),
  };
}

/** A row that could not be measured at all. */
export function voidRow({ name, unit, better, limit }: Omit<RowPlan, "figure">, reason: string): Row {
  return { name, unit, better, limit, ours: null, peers: {}, ratioToBest: null, met: limit === undefined ? null : false, void: reason };
}

export function holds(figure: number, limit: Limit, better: Row["better"]): boolean {
  const bound = boundOf(limit);
  return better === "less" ? figure <= bound : figure >= bound;
}

export function boundOf(limit: Limit): number {
  return "ratio" in limit ? limit.ratio : limit.ours;
}

function seriesOf<F>(entrant: string, seen: Seen<F>): Series<F> {
  const series = seen.get(entrant);
  if (series === undefined) throw new Error(`${entrant} takes no part.`);
  return series;
}

function figuresOf<F>(plan: RowPlan<F>, series: Series<F>): number[] {
  return series.flatMap((pair) => pair.map((figures) => plan.figure(figures)));
}

/** Of the rounds, one by one. */
function ratiosOf<F>(plan: RowPlan<F>, own: Series<F>, others: Series<F>): number[] {
  const means = (series: Series<F>) => series.map(([first, second]) => (plan.figure(first) + plan.figure(second)) / 2);
  const divisors = means(others);
  return means(own).map((mean, round) => mean / (divisors[round] as number));
}

/**
 * Each is its own control: the two blocks of a round are the same code. They are told apart by turns, and these change when every entrant has been
 * the first once: who comes twice in a row is warmer the second time.
 */
function doubtOfControls<F>(plan: RowPlan<F>, entrants: readonly string[], seen: Seen<F>): string | undefined {
  for (const entrant of entrants) {
    const ratios = seriesOf(entrant, seen).map(([first, second], round) =>
      Math.floor(round / seen.size) % 2 === 0 ? plan.figure(first) / plan.figure(second) : plan.figure(second) / plan.figure(first),
    );
    const { median } = spreadOf(ratios);
    if (!(Math.abs(median - 1) <= MOST_SELF_DIFFERENCE)) return `${entrant} against itself gave ${median.toFixed(2)}`;
  }
  return undefined;
}

/** What lies on one side of the limit as a whole is clear, however wide it is. */
function doubtOfRatio(ratios: readonly number[], limit: Limit | undefined): string | undefined {
  const [low, high] = medianInterval(ratios);
  const isNarrow = (high - low) / spreadOf(ratios).median <= MOST_DOUBT;
  if (isNarrow || limit === undefined || boundOf(limit) < low || boundOf(limit) > high) return undefined;
  return `the ratio lies between ${low.toFixed(2)} and ${high.toFixed(2)}`;
}
