import { Agent } from "node:http";
import { keep } from "warmline/keep";

/** The same for `node:http`; take `Agent` of `node:https` for https. */
export const agent = keep(
  "http",
  () =>
    new Agent({
      // the global one keeps connections, too, and ends them after 5 s by a timer, which stands still in a frozen environment
      keepAlive: true,
      timeout: 30_000,
      maxSockets: 50,
      maxFreeSockets: 10,
    }),
  {
    // a connection that was closed meanwhile ends the next call in ECONNRESET; nobody can tell by then whether it was done
    isFresh: (_, { idleMs }) => idleMs < 1_000,
    // ends what is idle at once, and what is on its way, too: `use` lets it finish
    close: (old) => old.destroy(),
  },
);
