import type { BuildOptions } from "esbuild";

/** A module that is loaded, by the name it has in the rows. */
export interface StartContender {
  readonly name: string;
  /** What a stranger writes. */
  readonly code: string;
  /** Which toolchain bundles it. */
  readonly target: "node" | "edge-light" | "workerd";
}

/** The conditions of each toolchain: Node's bundlers, Next.js' edge, and wrangler. */
export const targets: Readonly<Record<StartContender["target"], BuildOptions>> = {
  node: { platform: "node", external: ["pg-native", "pg-cloudflare", "@aws-sdk/*"] },
  "edge-light": { conditions: ["edge-light"], platform: "neutral", mainFields: ["module", "main"], external: ["node:*"] },
  workerd: { conditions: ["workerd", "worker", "browser"], platform: "browser", external: ["cloudflare:*", "node:*"] },
};

const query = (entry: string) =>
  `import { createDatabase, sql } from "${entry}"; export default () => createDatabase().query(sql\`select 1\`);`;

export const bareNeon = 'import { neon } from "@neondatabase/serverless"; export default (url) => neon(url).query("select 1");';
const barePg = 'import pg from "pg"; export default () => new pg.Pool({ max: 1 }).query("select 1");';
const barePostgres = 'import postgres from "postgres"; export default () => postgres({ max: 1 })`select 1`;';

/** Our entries on Node, and the one of the edge, which Node can load as well. */
export const entries: readonly StartContender[] = [
  { name: "warmline", code: query("warmline"), target: "node" },
  { name: "warmline/tcp", code: query("warmline/tcp"), target: "node" },
  { name: "warmline/http", code: query("warmline/http"), target: "node" },
  {
    name: "warmline/pool",
    code: 'import { WarmPool } from "warmline/pool"; export default () => new WarmPool({ max: 1 });',
    target: "node",
  },
  { name: "the edge entry", code: query("warmline"), target: "edge-light" },
];

/** Beside whom an entry stands: those that do what it does. */
export function peersOf({ name, target }: StartContender): readonly string[] {
  if (name === "warmline/http" || target !== "node") return ["neon()"];
  return name === "warmline" ? peers.map((peer) => peer.name) : ["pg", "postgres.js"];
}

/** The others of the field, bare. */
export const peers: readonly StartContender[] = [
  { name: "pg", code: barePg, target: "node" },
  { name: "neon()", code: bareNeon, target: "node" },
  { name: "postgres.js", code: barePostgres, target: "node" },
];

/** A plain function over sockets, and the same over bare pg. */
export const lambdaHandlers: readonly [ours: StartContender, bare: StartContender] = [
  {
    name: "over warmline/tcp",
    code: `import { createDatabase, sql } from "warmline/tcp"; import { lambdaHandler } from "warmline/lambda";
const db = createDatabase(); export const handler = lambdaHandler(db, () => db.query(sql\`select 1\`));`,
    target: "node",
  },
  {
    name: "over pg",
    code: 'import pg from "pg"; const pool = new pg.Pool({ max: 1 }); export const handler = async () => (await pool.query("select 1")).rows;',
    target: "node",
  },
];

/** What a worker of our main entry and of `warmline/http` holds, by toolchain. */
export const edgeEntry = (target: "edge-light" | "workerd", entry = "warmline"): StartContender => ({
  name: entry,
  code: query(entry),
  target,
});
