import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialize, type Run as LambdaInit, prepare } from "../../scripts/lambda/init-measure.ts";
import type { Turn } from "../turns.ts";
import type { Ground } from "./timed.ts";

export type { LambdaInit };

/** What `npm run init:lambda` calls those that have a limit, and what they are called here. */
const names = {
  "pg and Hono alone": "pg and Hono alone",
  "the demo": "direct",
  "with an IAM token, credentials of the environment": "with IAM",
} as const;

/** The functions that `npm run init:lambda` initializes, each time in a process of its own. */
export async function lambdaTurns(_: Ground, stack: AsyncDisposableStack): Promise<readonly Turn<LambdaInit>[]> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-init-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const turns: Turn<LambdaInit>[] = [];
  for (const contender of await prepare(folder)) {
    const name = names[contender.what as keyof typeof names];
    if (name === undefined) continue;
    await initialize(contender);
    turns.push({ name, run: () => initialize(contender) });
  }
  if (turns.length !== Object.keys(names).length) throw new Error("npm run init:lambda initializes other functions than it did.");
  // ours first
  return [...turns.slice(1), ...turns.slice(0, 1)];
}
