import { Agent } from "undici";
import { keep } from "warmline/keep";

/** Connections to other services, to hand to `fetch` or `request` as their dispatcher. */
export const agent = keep(
  "undici",
  () =>
    new Agent({
      // load balancers close what is idle for 60 s (AWS' ALB) and later; undici's own 4 s reconnects for every call that comes less often
      keepAliveTimeout: 30_000,
      keepAliveMaxTimeout: 30_000,
      connections: 50,
      connect: { timeout: 3_000 },
      // by default 300 s each, longer than any function lives
      headersTimeout: 5_000,
      bodyTimeout: 5_000,
      // pipelining stays 1: undici never puts a POST behind another call anyway
    }),
  {
    // HTTP has no question without an effect that every server answers, so after a pause the connection is not asked, but left behind
    isFresh: (_, { idleMs }) => idleMs < 1_000,
    close: (old) => old.close(),
  },
);
