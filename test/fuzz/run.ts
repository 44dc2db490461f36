import { once } from "node:events";
import type { PostgresServer } from "../support/postgres/server.ts";
import { createRandom, type Random } from "../support/random.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { type RawAnswer, sendRaw, statusesIn } from "./raw-connection.ts";
import { type FuzzTarget, startTarget, type TargetName } from "./targets.ts";

export { describeServer, holdsServer, runServerFuzz, type ServerRow } from "./server/run-server.ts";
export { targetNames } from "./targets.ts";

/** A case that showed a defect. The same seed and number make the same bytes. */
export interface FuzzProblem {
  readonly number: number;
  readonly kind: string;
  readonly problem: "5xx" | "no answer" | "not ended" | "secret shown" | "not JSON";
  /** The beginning of the answer. */
  readonly answer: string;
}

/** What became of one target. */
export interface FuzzRow {
  readonly target: TargetName;
  readonly seed: number;
  readonly requests: number;
  /** How many of each kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Answers by status; `none` where the connection ended without one. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Times the process ended. */
  readonly crashes: number;
  readonly serverErrors: number;
  readonly problems: readonly FuzzProblem[];
  /** Whether it answered a good request in between and at the end, and its own output held no secret. */
  readonly wellAfter: boolean;
}

/** How long it goes on. */
export interface FuzzOptions {
  readonly seed: number;
  readonly count: number;
}

const SENDERS = 8;
/** After so many cases a good request has to be answered. */
const CHECK_EVERY = 250;
/** Past this, a process that takes no connections still lives. */
const END_TOLD_WITHIN_MS = 5_000;

/** Starts a target, fuzzes it and ends it. */
export async function runFuzz(name: TargetName, server: PostgresServer, options: FuzzOptions): Promise<FuzzRow> {
  await using target = await startTarget(name, server);
  return { target: name, ...(await fuzz(target, options)) };
}

/** Sends a target `count` cases, and says what it made of them. */
export async function fuzz(target: FuzzTarget, { seed, count }: FuzzOptions): Promise<Omit<FuzzRow, "target">> {
  const kinds: Record<string, number> = {};
  const statuses: Record<string, number> = {};
  const problems: FuzzProblem[] = [];
  let begun = 0;
  let done = 0;
  let wellAfter = await target.answersWell();
  const alive = () => target.child.exitCode === null && target.child.signalCode === null;

  const sender = async () => {
    while (begun < count && alive()) {
      const number = begun;
      begun += 1;
      const sent = target.makeCase(caseRandom(seed, number));
      const answer = await sendRaw(target.port, { writes: [sent.bytes], whole: sent.whole });
      if (!answer.connected) await waitForEnd(target.child);
      if (!alive()) return;
      done += 1;
      count1(kinds, sent.kind);
      const found = statusesIn(answer.text);
      for (const status of found.length === 0 ? ["none"] : found) count1(statuses, String(status));
      const problem = judge(sent, answer, target.secrets);
      if (problem !== undefined) problems.push({ number, kind: sent.kind, problem, answer: answer.text.slice(0, 400) });
      if (done % CHECK_EVERY === 0) wellAfter &&= await target.answersWell().catch(() => false);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  const wellAtTheEnd = await target.answersWell().catch(() => false);
  if (!wellAtTheEnd) await waitForEnd(target.child);
  const crashes = alive() ? 0 : 1;
  wellAfter &&= alive() && wellAtTheEnd && !target.secrets.some((secret) => target.written().includes(secret));
  return {
    seed,
    requests: done,
    kinds,
    statuses,
    crashes,
    serverErrors: problems.filter(({ problem }) => problem === "5xx").length,
    problems,
    wellAfter,
  };
}

/** Whether the target stood it all. */
export function holds(row: FuzzRow, count: number): boolean {
  return row.crashes === 0 && row.problems.length === 0 && row.wellAfter && row.requests === count;
}

/** The randomness of one case: of no other case's, so that each can be made again alone. */
function caseRandom(seed: number, number: number): Random {
  return createRandom(Math.imul(seed, 1_000_003) + number);
}

/** Waits for the end of a process that listens no more: its sockets close before its end is told. */
async function waitForEnd(child: FuzzTarget["child"]): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await once(child, "exit", { signal: AbortSignal.timeout(END_TOLD_WITHIN_MS) }).catch(() => {});
}

/** What is wrong with an answer, if anything. */
export function judge(sent: FuzzCase, answer: RawAnswer, secrets: readonly string[]): FuzzProblem["problem"] | undefined {
  const shown = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString("base64"), Buffer.from(secret).toString("hex")]);
  if (shown.some((text) => answer.text.includes(text))) return "secret shown";
  const statuses = statusesIn(answer.text);
  if (statuses.some((status) => status >= 500)) return "5xx";
  if (!answer.ended) return "not ended";
  if (sent.whole && statuses.length === 0) return "no answer";
  return sent.whole && !hasReadableBody(answer.text) ? "not JSON" : undefined;
}

/** What says that it is JSON has to be. */
function hasReadableBody(text: string): boolean {
  const headEnd = text.indexOf("\r\n\r\n");
  const body = text.slice(headEnd + 4);
  if (
    body === "" ||
    !/^content-type: application\/(problem\+)?json/im.test(text.slice(0, headEnd)) ||
    /^transfer-encoding:/im.test(text.slice(0, headEnd))
  )
    return true;
  try {
    JSON.parse(Buffer.from(body, "latin1").toString());
    return true;
  } catch {
    return false;
  }
}

function count1(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
