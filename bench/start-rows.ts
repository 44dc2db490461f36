import { platform } from "node:os";
import { judge, type Row, voidRow } from "./rows.ts";
import { openProject } from "./start/bundles.ts";
import { exactPlans, exactRows } from "./start/exact.ts";
import { type Ground, type StartGroup, startGroups } from "./start/timed.ts";
import { takeTurns } from "./turns.ts";

/** On a machine that is busy a group has fewer rounds, but never fewer than so many. */
const FEWEST_ROUNDS = 6;
const LONGEST_MS = 18_000;
/** No group is run once more when so long has passed since the first began: all of it takes less than four minutes. */
const LATEST_REPEAT_MS = 90_000;

export const startRowNames: readonly string[] = [
  ...exactPlans.map(({ name }) => name),
  ...startGroups.flatMap((group) => group(({ rows }) => rows.map(({ name }) => name))),
];

export interface StartOptions extends Omit<Ground, "project"> {
  /** Sizes, and one round of what is short. */
  readonly quick: boolean;
  isChosen(name: string): boolean;
  /** Called with what is measured now. */
  progress(line: string): void;
}

/** What each entry does when it is loaded, beside bare drivers: sizes, fresh processes by turns, and workers in a workerd of their own. */
export async function startRows({ quick, isChosen, progress, ...ground }: StartOptions): Promise<readonly Row[]> {
  await using project = await openProject();
  const repeatsUntil = performance.now() + LATEST_REPEAT_MS;
  const rows = [...(await exactRows(project, isChosen))];
  const run = async <F>(group: StartGroup<F>): Promise<readonly Row[]> => {
    const plans = group.rows.filter(({ name }) => isChosen(name));
    if (plans.length === 0) return [];
    if (quick && group.isLong) return plans.map((plan) => voidRow(plan, "not measured in a quick run"));
    if (group.needsLinux && platform() !== "linux") return plans.map((plan) => voidRow(plan, "this system does not tell a process' CPU"));
    progress(`start: ${plans.length} rows, ${plans[0]?.name} …`);
    await using stack = new AsyncDisposableStack();
    let repeats = quick ? 0 : 1;
    const seen = await takeTurns(await group.open({ ...ground, project }, stack), {
      rounds: quick ? 1 : group.rounds,
      fewestRounds: FEWEST_ROUNDS,
      longestMs: LONGEST_MS,
      again: (soFar) =>
        repeats-- > 0 &&
        performance.now() < repeatsUntil &&
        plans.some((plan) => plan.limit !== undefined && judge(plan, soFar).void !== undefined),
    });
    return plans.map((plan) => judge(plan, seen));
  };
  for (const group of startGroups) rows.push(...(await group(run)));
  return rows;
}
