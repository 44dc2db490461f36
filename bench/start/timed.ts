import { HIGHEST_RATIOS } from "../../scripts/lambda/init-measure.ts";
import type { WorkerStartup } from "../../test/support/worker/startup.ts";
import type { RowPlan } from "../comparisons.ts";
import type { Turn } from "../turns.ts";
import type { Project } from "./bundles.ts";
import { entries, lambdaHandlers, peers, peersOf, type StartContender } from "./contenders.ts";
import { type LambdaInit, lambdaTurns } from "./lambda.ts";
import { type Load, load } from "./load.ts";
import { type HttpInWorker, httpTurns, startTurns, type WorkerStart, wranglerTurns } from "./workers.ts";

/** What start is measured with. */
export interface Ground {
  readonly project: Project;
  /** Path of the runtime. */
  readonly node: string;
  readonly databaseUrl: string;
  readonly endpointUrl: string;
}

/** Fresh processes that take turns, and what is told of them. `F` is what one process finds. */
export interface StartGroup<F> {
  readonly rows: readonly RowPlan<F>[];
  readonly rounds: number;
  /** Whether it is too long for a run that only shows that all of it runs. */
  readonly isLong: boolean;
  /** Reads the CPU of another process, which Linux alone tells. */
  readonly needsLinux?: boolean;
  /** Adds to `stack` what is to end with the group. */
  open(ground: Ground, stack: AsyncDisposableStack): Promise<readonly Turn<F>[]>;
}

/** A group whatever its processes find. */
export type AnyStartGroup = <R>(use: <F>(group: StartGroup<F>) => R) => R;
const hidden =
  <F>(group: StartGroup<F>): AnyStartGroup =>
  (use) =>
    use(group);

const plan = <F>(name: string, unit: string, figure: (figures: F) => number, more: Partial<RowPlan<F>> = {}): RowPlan<F> => ({
  name: `start: ${name}`,
  unit,
  better: "less",
  figure,
  ...more,
});
const cpu = "ms of CPU";

const loadTurns =
  (contenders: readonly StartContender[], how: "bundle" | "leave") =>
  async ({ project, node }: Ground): Promise<readonly Turn<Load>[]> => {
    const turns: Turn<Load>[] = [];
    for (const contender of contenders) {
      const file = await project[how](contender);
      turns.push({ name: contender.name, run: () => load(node, file) });
    }
    // the first run of each finds its files on disk
    for (const { run } of turns) await run();
    return turns;
  };

const imports: StartGroup<Load> = {
  rounds: 14,
  isLong: false,
  rows: entries.flatMap((entry) => {
    const { name } = entry;
    const beside = { of: name, against: peersOf(entry) };
    return [
      plan(`import of ${name}, one file: CPU`, cpu, ({ cpuMs }: Load) => cpuMs, beside),
      plan(`import of ${name}, one file: wall`, "ms", ({ wallMs }: Load) => wallMs, beside),
      plan(`import of ${name}, one file: allocated`, "bytes", ({ allocatedBytes }: Load) => allocatedBytes, beside),
    ];
  }),
  open: loadTurns([...entries, ...peers], "bundle"),
};

const onNode = entries.filter(({ target }) => target === "node");
const asInstalled: StartGroup<Load> = {
  rounds: 10,
  isLong: true,
  rows: onNode.map((entry) =>
    plan(`import of ${entry.name}, as installed: CPU`, cpu, ({ cpuMs }: Load) => cpuMs, { of: entry.name, against: peersOf(entry) }),
  ),
  open: loadTurns([...onNode, ...peers], "leave"),
};

const handlers: StartGroup<Load> = {
  rounds: 20,
  isLong: false,
  rows: [
    plan("cold import of a Lambda handler over warmline/tcp, one file: CPU", cpu, ({ cpuMs }: Load) => cpuMs, { limit: { ratio: 1.4 } }),
  ],
  open: loadTurns(lambdaHandlers, "bundle"),
};

const lambdaInit: StartGroup<LambdaInit> = {
  rounds: 14,
  isLong: true,
  rows: [
    plan("Lambda init, direct: CPU", cpu, ({ cpuMs }: LambdaInit) => cpuMs, {
      of: "direct",
      against: ["pg and Hono alone"],
      limit: { ratio: HIGHEST_RATIOS.direct },
    }),
    plan("Lambda init, with IAM: CPU", cpu, ({ cpuMs }: LambdaInit) => cpuMs, {
      of: "with IAM",
      against: ["pg and Hono alone"],
      limit: { ratio: HIGHEST_RATIOS.withIam },
    }),
  ],
  open: lambdaTurns,
};

const workers = ["warmline", "warmline/http"] as const;
const workerStart: StartGroup<WorkerStart> = {
  rounds: 10,
  isLong: true,
  needsLinux: true,
  rows: workers.map((name) =>
    plan(`a worker over ${name}, beyond an empty one: CPU`, cpu, ({ beyondEmptyMs }: WorkerStart) => beyondEmptyMs, {
      of: name,
      against: ["neon()"],
      limit: { ratio: 0.5 },
    }),
  ),
  open: startTurns,
};

const byWrangler: StartGroup<WorkerStartup> = {
  rounds: 2,
  isLong: true,
  rows: workers.map((name) =>
    plan(`a worker over ${name}, by wrangler check startup: its own code`, cpu, ({ ownMs }: WorkerStartup) => ownMs, {
      of: name,
      against: ["neon()"],
    }),
  ),
  open: wranglerTurns,
};

const httpInWorker: StartGroup<HttpInWorker> = {
  rounds: 25,
  isLong: true,
  needsLinux: true,
  rows: [
    {
      ...plan("", "µs of CPU per query", ({ cpuMicros, queries }: HttpInWorker) => cpuMicros / queries, { limit: { ratio: 0.9 } }),
      name: "SQL over HTTP in workerd, 1 row: CPU",
    },
  ],
  open: httpTurns,
};

/** All that is measured in fresh processes, or in a workerd of one's own. */
export const startGroups: readonly AnyStartGroup[] = [
  hidden(imports),
  hidden(asInstalled),
  hidden(handlers),
  hidden(workerStart),
  hidden(byWrangler),
  hidden(lambdaInit),
  hidden(httpInWorker),
];
