import { tellRelease, traceBeginning } from "../../observe/trace-connections.ts";
import { asCaller } from "./as-caller.ts";
import type { Asker, Lease } from "./lease.ts";
import type { PoolState } from "./pool-state.ts";

/** Tells of somebody who asks for a connection: when it has one or is refused, and when it gives it back. `ask` is given who asks in its place. */
export function traceAsker(asker: Asker, state: PoolState, ask: (traced: Asker) => void): void {
  const { cancellation, asksItself = false, early, held } = asker;
  // whoever has waited goes on as itself, and what waited is told of as what waited: a connection is freed by another call
  const asAsker = asCaller();
  const granted = asAsker((...given: Parameters<Asker["granted"]>) => asker.granted(...given));
  const along = asker.along && asAsker(() => asker.along?.() === true);
  traceBeginning("acquire", state.place, (told) => {
    const ended = told && asCaller()(told);
    ask({
      cancellation,
      asksItself,
      early,
      held,
      granted(error, lease) {
        ended?.(error, lease === undefined ? null : state.idOf(lease.client));
        if (lease !== undefined) watchUse(lease, state);
        granted(error, lease);
      },
      ...(along && {
        along() {
          const goes = along();
          if (goes) ended?.(undefined, null);
          return goes;
        },
      }),
    });
  });
}

function watchUse(lease: Lease, state: PoolState): void {
  const { onEnd } = lease;
  const takenAt = performance.now();
  lease.onEnd = () => {
    onEnd?.();
    tellRelease(state.place, { connectionId: state.idOf(lease.client), usedMs: performance.now() - takenAt });
  };
}
