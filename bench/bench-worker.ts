import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { buildWorker, MAX_WORKER_GZIP_BYTES } from "../test/support/worker/artefact.ts";
import { serveWorker } from "../test/support/worker/runtime.ts";
import { profileStartup, type WorkerStartup } from "../test/support/worker/startup.ts";
import type { ServerAddresses } from "./servers.ts";

/** What a query over HTTP may take at most at the median, as a multiple of `neon()` in the same worker. */
const HIGHEST_RATIO = 1.05;
const ROUNDS = 200;
/** Before them, for the compiler to see both ways. */
const WARM_UP_ROUNDS = 50;
/** Queries in one request, so that the request itself weighs little. */
const QUERIES = 10;

const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const servers = fork(new URL("./servers.ts", import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
try {
  const [{ databaseUrl, endpointUrl }] = (await once(servers, "message")) as [ServerAddresses];
  await using demo = await buildWorker("functions/worker.ts");
  const startup = await profileStartup();
  await using worker = await serveWorker("bench/worker.ts", { vars: { DATABASE_URL: databaseUrl, WARMLINE_ENDPOINT: endpointUrl } });
  console.error(`${ROUNDS} rounds A B B A of ${QUERIES} queries each …`);
  const figures = { gzipBytes: demo.gzipBytes, startup, ...(await measure(worker.url)) };
  console.log(flags.json ? JSON.stringify(figures) : sentences(figures));
  if (figures.gzipBytes > MAX_WORKER_GZIP_BYTES || figures.ratio > HIGHEST_RATIO) process.exitCode = 1;
} finally {
  servers.disconnect();
}

interface Measured {
  /** Of one query, milliseconds, seen from outside of the worker. */
  readonly p50Ms: number;
  readonly bareP50Ms: number;
  readonly ratio: number;
  /** Ours divided by ours in the other block of the same round: how far the measurement itself is off. */
  readonly selfRatio: number;
}

/** Asks by turns, ours, bare, bare, ours again: what disturbs the machine hits both alike. */
async function measure(url: URL): Promise<Measured> {
  const ask = async (contender: string) => {
    const startMs = performance.now();
    const response = await fetch(new URL(`${contender}?queries=${QUERIES}`, url));
    if ((await response.text()) !== "done") throw new Error(`The worker answered with ${response.status}.`);
    return (performance.now() - startMs) / QUERIES;
  };
  const ours: number[] = [];
  const bare: number[] = [];
  const selfRatios: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const [opening, first, second, closing] = [await ask("/ours"), await ask("/bare"), await ask("/bare"), await ask("/ours")];
    if (round < 0) continue;
    ours.push(opening, closing);
    bare.push(first, second);
    selfRatios.push(round % 2 === 0 ? opening / closing : closing / opening);
  }
  const [p50Ms, bareP50Ms] = [median(ours), median(bare)];
  return {
    p50Ms: rounded(p50Ms),
    bareP50Ms: rounded(bareP50Ms),
    ratio: rounded(p50Ms / bareP50Ms),
    selfRatio: rounded(median(selfRatios)),
  };
}

interface Figures extends Measured {
  readonly gzipBytes: number;
  readonly startup: WorkerStartup;
}

function sentences({ gzipBytes, startup, p50Ms, bareP50Ms, ratio, selfRatio }: Figures): string {
  return [
    `The demo's worker over HTTP: ${gzipBytes.toLocaleString("en")} bytes gzip, at most ${MAX_WORKER_GZIP_BYTES.toLocaleString("en")}.`,
    `Its start-up on this machine, by wrangler check startup: ${startup.cpuMs} ms of CPU, ${startup.ownMs} of them in its own code.`,
    `One query: p50 ${p50Ms} ms, neon() in the same worker ${bareP50Ms} ms; ratio ${ratio}, at most ${HIGHEST_RATIO} (itself: ${selfRatio}).`,
  ].join("\n");
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
