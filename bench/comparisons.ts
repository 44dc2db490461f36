import type { Block, Figures } from "./block.ts";
import type { ClientOptions } from "./client.ts";
import { COLD_MS, FAR_MS } from "./distances.ts";

/** One of those who are compared. */
export interface Entrant {
  readonly name: string;
  /** A file of `clients/`. */
  readonly client: string;
  readonly options?: Partial<Pick<ClientOptions, "named" | "pipelining">>;
  readonly runtime?: "bun";
}

/** What has to hold: at most, where less is better, and at least, where more is. Of the ratio to the best peer, or of our own figure. */
export type Limit = { readonly ratio: number } | { readonly ours: number };

/** One figure of a comparison, as it is told. */
export interface RowPlan<F = Figures> {
  readonly name: string;
  readonly unit: string;
  readonly better: "less" | "more";
  readonly limit?: Limit;
  /** Whose figure it is, by the entrant's name. Default: the first. */
  readonly of?: string;
  /** Whom it is compared with, by their names. Default: all others. */
  readonly against?: readonly string[];
  figure(figures: F): number;
}

/** Entrants that run the same block by turns. */
export interface Comparison {
  /** Ours, and its peers. */
  readonly entrants: readonly [Entrant, ...Entrant[]];
  /** Which way to the server. Default: straight. */
  readonly by?: "far" | "tls" | "direct tls";
  /** Most connections of each entrant. */
  readonly connections: number;
  readonly block: Block;
  readonly rounds: number;
  readonly rows: readonly RowPlan[];
}

const warmline: Entrant = { name: "warmline", client: "warmline" };
const pg: Entrant = { name: "pg", client: "pg" };
const pgNamed: Entrant = { name: "pg, named", client: "pg", options: { named: true } };
const postgresJs: Entrant = { name: "postgres.js", client: "postgres-js" };
const onNode = [warmline, pg, pgNamed, postgresJs] as const;
const againstBun = [warmline, { name: "Bun.sql", client: "bun", runtime: "bun" }] as const;

const cpu = (name: string, limit?: Limit): RowPlan => ({
  name: `${name}: CPU`,
  unit: "µs of CPU per query",
  better: "less",
  ...(limit && { limit }),
  figure: ({ cpuMicros, queries }) => cpuMicros / queries,
});
const wall = (name: string, limit?: Limit): RowPlan => ({
  name: `${name}: wall`,
  unit: "µs per query",
  better: "less",
  ...(limit && { limit }),
  figure: ({ wallMicros, queries }) => wallMicros / queries,
});
const throughput = (name: string, ratio: number): RowPlan => ({
  name,
  unit: "queries/s",
  better: "more",
  limit: { ratio },
  figure: ({ wallMicros, queries }) => (queries * 1_000_000) / wallMicros,
});
const fastP99 = (name: string): RowPlan => ({
  name: `${name}: p99 of the fast`,
  unit: "ms",
  better: "less",
  limit: { ratio: 1.1 },
  figure: ({ fastP99Micros = Number.NaN }) => fastP99Micros / 1_000,
});
const waits = (name: string, most: number): RowPlan => ({
  name,
  unit: "waits",
  better: "less",
  limit: { ours: most },
  figure: ({ wallMicros }) => Math.floor(wallMicros / 1_000 / COLD_MS),
});

const byKey = (callers: number, count: number): Block => ({ kind: "queries", statement: "by primary key", callers, count });

const sequential: readonly Comparison[] = [
  {
    entrants: onNode,
    connections: 10,
    block: byKey(1, 1_000),
    rounds: 40,
    rows: [cpu("by primary key, one after the other", { ratio: 0.8 }), wall("by primary key, one after the other", { ratio: 0.95 })],
  },
  {
    entrants: [{ ...warmline, options: { named: false } }, pg],
    connections: 10,
    block: byKey(1, 1_000),
    rounds: 40,
    rows: [cpu("by primary key, prepare: false", { ratio: 0.8 }), wall("by primary key, prepare: false")],
  },
];

const underSettings: Comparison = {
  entrants: [
    { name: "db.with", client: "warmline-with" },
    { name: "a batch by hand", client: "warmline-with-by-hand" },
  ],
  connections: 1,
  block: byKey(1, 500),
  rounds: 40,
  rows: [cpu("with settings and a role, by primary key", { ratio: 1.05 })],
};

const throughputs: readonly Comparison[] = [
  { entrants: onNode, connections: 10, block: byKey(50, 3_000), rounds: 30, rows: [throughput("50 callers, ten connections", 1.3)] },
  { entrants: onNode, connections: 10, block: byKey(200, 3_000), rounds: 30, rows: [throughput("200 callers, ten connections", 1.3)] },
  {
    entrants: againstBun,
    connections: 10,
    block: byKey(50, 5_000),
    rounds: 30,
    rows: [throughput("50 callers, against Bun's own client under Bun", 0.8)],
  },
  {
    entrants: againstBun,
    connections: 10,
    block: byKey(200, 5_000),
    rounds: 30,
    rows: [throughput("200 callers, against Bun's own client under Bun", 0.8)],
  },
];

const farAway: readonly Comparison[] = [
  {
    entrants: [warmline, pg, postgresJs],
    by: "far",
    connections: 1,
    block: byKey(20, 20),
    rounds: 15,
    rows: [
      {
        name: `20 at once on one connection, answers ${FAR_MS} ms away`,
        unit: "round trips",
        better: "less",
        limit: { ours: 1.3 },
        figure: ({ wallMicros }) => wallMicros / 1_000 / FAR_MS,
      },
    ],
  },
  {
    // without pg, which sends one after the other: three seconds for each block
    entrants: [warmline, postgresJs],
    by: "far",
    connections: 1,
    block: byKey(200, 200),
    rounds: 25,
    rows: [
      {
        name: `200 at once on one connection, answers ${FAR_MS} ms away`,
        unit: "ms",
        better: "less",
        limit: { ratio: 1 },
        figure: ({ wallMicros }) => wallMicros / 1_000,
      },
    ],
  },
];

const large: readonly Comparison[] = (
  [
    ["1,000 rows", "1,000 rows × 5 columns", 20],
    ["100 kB", "100 kB as parameter and row", 40],
    ["insert", "insert of 1,000 rows", 12],
  ] as const
).map(([statement, name, count]) => ({
  entrants: onNode,
  connections: 1,
  block: { kind: "queries", statement, callers: 1, count },
  rounds: 30,
  rows: [cpu(name, { ratio: 1 })],
}));

const streaming: Block = { kind: "stream", count: 50_000, callers: 1 };
const perRow = (name: string): RowPlan => ({ ...cpu(name, { ratio: 1 }), unit: "µs of CPU per row" });
const queryStream: Entrant = { name: "pg-query-stream", client: "pg-query-stream" };
const cursor: Entrant = { name: "postgres.js' cursor", client: "postgres-js" };

const streams: readonly Comparison[] = [
  {
    entrants: [warmline, queryStream, cursor],
    connections: 1,
    block: streaming,
    rounds: 30,
    rows: [perRow("stream of rows × 5 columns, row by row")],
  },
  {
    entrants: [{ ...warmline, client: "warmline-batches" }, cursor],
    connections: 1,
    block: streaming,
    rounds: 30,
    rows: [perRow("stream of rows × 5 columns, batch by batch")],
  },
  {
    entrants: [warmline, queryStream, cursor],
    by: "far",
    connections: 1,
    block: { ...streaming, only: "first row" },
    rounds: 10,
    rows: [
      {
        name: `stream: first row, ${FAR_MS} ms away`,
        unit: "round trips",
        better: "less",
        limit: { ours: 1 },
        figure: ({ wallMicros }) => Math.floor(wallMicros / 1_000 / FAR_MS),
      },
    ],
  },
];

const orms: readonly Comparison[] = (["Drizzle", "Kysely"] as const).map((name) => ({
  entrants: [
    { name: "over WarmPool", client: `${name.toLowerCase()}-warm-pool` },
    { name: "over pg.Pool", client: `${name.toLowerCase()}-pg` },
  ],
  connections: 10,
  block: byKey(50, 1_000),
  rounds: 30,
  rows: [throughput(`${name}, 50 callers, over WarmPool`, 1.5)],
}));

const mixed: readonly Comparison[] = (
  [
    ["fast calls among 10 % of 100 ms statements", { slowCallers: 0, slowShare: 0.1 }],
    ["45 fast callers beside five slow ones", { slowCallers: 5, slowShare: 0 }],
  ] as const
).map(([name, slow]) => ({
  entrants: [warmline, { ...warmline, name: "pipelining: false", options: { pipelining: false } }],
  connections: 10,
  block: { kind: "mixed", callers: 50, ms: 1_500, ...slow },
  rounds: 8,
  rows: [fastP99(name)],
}));

const cold: readonly Comparison[] = (
  [
    ["tls", "waits until the first row, verified TLS", 5],
    ["direct tls", "waits until the first row, direct TLS", 4],
  ] as const
).map(([by, name, most]) => ({
  entrants: [warmline, pg],
  by,
  connections: 1,
  block: { kind: "first row" },
  rounds: 5,
  rows: [waits(name, most)],
}));

const overHttp: readonly Comparison[] = (
  [
    ["1 row", 0.4],
    ["20 rows", 1.1],
  ] as const
).map(([statement, ratio]) => ({
  entrants: [
    { name: "warmline", client: "warmline-http" },
    { name: "neon()", client: "neon" },
  ],
  connections: 1,
  block: { kind: "queries", statement, callers: 1, count: 40 },
  rounds: 40,
  rows: [cpu(`SQL over HTTP, ${statement}`, { ratio })],
}));

const layerNames = ["socket alone", "exchange alone", "transport over its pool", "database.query"] as const;
const layers: Comparison = {
  entrants: [
    { name: layerNames[0], client: "layer-socket" },
    { name: layerNames[1], client: "layer-exchange" },
    { name: layerNames[2], client: "layer-transport" },
    { name: layerNames[3], client: "warmline" },
  ],
  connections: 1,
  block: byKey(1, 1_000),
  rounds: 40,
  rows: layerNames.map((of) => ({ ...cpu(`layer by layer: ${of}`), of, against: of === layerNames[0] ? [] : [layerNames[0]] })),
};

/** All that is measured in blocks. */
export const comparisons: readonly Comparison[] = [
  ...sequential,
  underSettings,
  ...throughputs,
  ...farAway,
  ...large,
  ...streams,
  ...orms,
  ...mixed,
  ...cold,
  ...overHttp,
  layers,
];
