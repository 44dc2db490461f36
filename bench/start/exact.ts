import { buildWorker } from "../../test/support/worker/artefact.ts";
import type { RowPlan } from "../comparisons.ts";
import { holds, type Row } from "../rows.ts";
import type { Project, Weight } from "./bundles.ts";
import { bareNeon, edgeEntry, entries, lambdaHandlers, peers, peersOf, type StartContender } from "./contenders.ts";

/** A figure that is what it is: nothing disturbs it, and once is enough. */
type Plan = Omit<RowPlan, "figure" | "of" | "against">;

const EDGE_BYTES = 26_000;
const DEMO_BYTES = 85_000;
const DEMO_HTTP_BYTES = 40_000;
const HANDLER_BYTES = 150_000;

const gzip = "bytes of gzip";
const minified = "bytes, minified";
const plan = (name: string, unit: string, most?: number): Plan => ({
  name: `start: ${name}`,
  unit,
  better: "less",
  ...(most !== undefined && { limit: { ours: most } }),
});

const edgeNames = ["edge-light", "workerd"] as const;
const atStart = edgeNames.map((target) => plan(`main entry on ${target}, what is read at start`, gzip, EDGE_BYTES));
const uploaded = edgeNames.map((target) => plan(`main entry on ${target}, in one file`, gzip));
const httpAlone = edgeNames.map((target) => plan(`warmline/http on ${target}, in one file`, gzip));
const demo = plan("the demo's HTTP worker, upload", gzip, DEMO_BYTES);
const demoHttp = plan("the demo's HTTP worker without sessions, upload", gzip, DEMO_HTTP_BYTES);
const handler = plan("a Lambda handler over warmline/tcp, in one file", minified, HANDLER_BYTES);
const onNode = entries.filter(({ target }) => target === "node");
const entryPlans = onNode.map(({ name }) => plan(`${name} on Node, in one file`, minified));

/** Sizes, in the order in which they are told. */
export const exactPlans: readonly Plan[] = [...atStart, ...uploaded, ...httpAlone, demo, demoHttp, handler, ...entryPlans];

/** Weighs what is chosen. */
export async function exactRows(project: Project, isChosen: (name: string) => boolean): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const weigh = async (planned: Plan, ours: () => Promise<number>, others: Readonly<Record<string, () => Promise<number>>> = {}) => {
    if (!isChosen(planned.name)) return;
    const theirs = await Promise.all(Object.entries(others).map(async ([name, bytes]) => [name, await bytes()] as const));
    rows.push(exactRow(planned, await ours(), Object.fromEntries(theirs)));
  };
  const bytesOf = (contender: StartContender, of: keyof Weight) => async () => (await project.weigh(contender))[of];
  for (const [index, target] of edgeNames.entries()) {
    const neon = { name: "neon()", code: bareNeon, target };
    const whole = { "neon()": bytesOf(neon, "gzip") };
    await weigh(atStart[index] as Plan, bytesOf(edgeEntry(target), "atStartGzip"), { "neon()": bytesOf(neon, "atStartGzip") });
    await weigh(uploaded[index] as Plan, bytesOf(edgeEntry(target), "gzip"), whole);
    await weigh(httpAlone[index] as Plan, bytesOf(edgeEntry(target, "warmline/http"), "gzip"), whole);
  }
  await weigh(demo, () => uploadOf("functions/worker.ts"));
  await weigh(demoHttp, () => uploadOf("bench/workers/demo-http.ts"));
  const [ours, bare] = lambdaHandlers;
  await weigh(handler, bytesOf(ours, "minified"), { pg: bytesOf(bare, "minified") });
  for (const [index, entry] of onNode.entries()) {
    const beside = peers.filter(({ name }) => peersOf(entry).includes(name)).map((peer) => [peer.name, bytesOf(peer, "minified")] as const);
    await weigh(entryPlans[index] as Plan, bytesOf(entry, "minified"), Object.fromEntries(beside));
  }
  return exactPlans.flatMap(({ name }) => rows.filter((row) => row.name === name));
}

async function uploadOf(main: string): Promise<number> {
  await using artefact = await buildWorker(main);
  return artefact.gzipBytes;
}

function exactRow({ name, unit, better, limit }: Plan, ours: number, others: Readonly<Record<string, number>>): Row {
  const exactly = (figure: number) => ({ median: figure, low: figure, high: figure });
  const best = Math.min(...Object.values(others));
  return {
    name,
    unit,
    better,
    limit,
    ours: exactly(ours),
    peers: Object.fromEntries(Object.entries(others).map(([peer, figure]) => [peer, exactly(figure)])),
    ratioToBest: Number.isFinite(best) ? ours / best : null,
    met: limit === undefined ? null : holds(ours, limit, better),
  };
}
