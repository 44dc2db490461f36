import CircuitBreaker from "opossum";
import { request } from "undici";
import { keep } from "warmline/keep";
import { agent } from "./undici.ts";

const RESET_MS = 30_000;

/** A breaker before another service. It has no socket, so in Workers, too, it is the process'. */
export const breaker = keep(
  "breaker",
  () =>
    new CircuitBreaker(callService, {
      // fewer calls say nothing: without it the first failure of a new environment opens the breaker
      volumeThreshold: 5,
      errorThresholdPercentage: 50,
      resetTimeout: RESET_MS,
      // the call has its own, below: opossum's aborts nothing without a controller, and its controller is one for all calls at once
      timeout: false,
    }),
  {
    scope: "process",
    // opossum counts, and waits to try again, by timers, which stand still in a frozen environment: what it knows is old by then
    isFresh: (_, { idleMs }) => idleMs < RESET_MS,
    close: (old) => old.shutdown(),
  },
);

async function callService(path: string): Promise<unknown> {
  return await agent.use(async (dispatcher) => {
    const url = new URL(path, process.env.SERVICE_URL);
    const { statusCode, body } = await request(url, { dispatcher, signal: AbortSignal.timeout(2_000) });
    const answer = await body.json();
    // an answer that says no is a failure, too; 4xx is the caller's
    if (statusCode >= 500) throw new Error(`The service answered ${statusCode}.`);
    return answer;
  });
}
