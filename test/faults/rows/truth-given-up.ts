import { notKept, otherwise } from "../expected.ts";
import { type Fault, type Ground, type Round, type Way, ways } from "../fault.ts";

const LIMIT_MS = 400;

interface Ender {
  readonly code: string;
  readonly ways: readonly Way[];
  readonly options: { readonly deadlineMs?: number; readonly attemptTimeoutMs?: number };
}

const enders: Readonly<Record<string, Ender>> = {
  // a session knows no attempts
  "its attempt's limit": {
    code: "ATTEMPT_TIMEOUT",
    ways: ways.filter((way) => way !== "websocket"),
    options: { attemptTimeoutMs: LIMIT_MS },
  },
  "its deadline": { code: "DEADLINE_EXCEEDED", ways, options: { deadlineMs: LIMIT_MS } },
  // one invocation cannot abort another
  "its signal": { code: "ABORTED", ways: ways.filter((way) => way !== "lambda"), options: {} },
};

/** Statements that have committed by themselves, and are given up while they go on. */
export const truthGivenUp: readonly Fault[] = Object.entries(enders).map(
  ([name, ender]): Fault => ({
    group: "truth",
    name: `procedure that has committed is ended by ${name}`,
    ways: ender.ways,
    rounds: 3,
    // a bare driver waits for as long as it takes
    bareRounds: 0,
    round: (ground) => giveUp(ground, ender),
  }),
);

async function giveUp(ground: Ground, { code, options }: Ender): Promise<Round> {
  const { admin, applicationName, send } = ground;
  const { lock, release } = await admin.lock();
  const id = ground.id();
  const saying = send("statement", { ids: [id], text: `call fault_keep_and_wait('${id}', ${lock})`, options });
  await Promise.race([admin.waiting(applicationName), saying]);
  const waited = (await notKept(ground, id, 1)) === undefined;
  if (code === "ABORTED") await send("abort", {});
  const outcome = await saying;
  await release();
  return { struck: waited, wrong: otherwise(outcome, { code, fate: "unknown" }) ?? (await notKept(ground, id, 1)) };
}
