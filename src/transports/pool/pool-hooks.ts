import type pg from "pg";
import { ConnectionError } from "../../errors/errors.ts";
import { look } from "../../errors/look.ts";
import { destroySocket } from "./client-state.ts";
import { withFateOf } from "./pg-failure.ts";
import type { WarmClient } from "./warm-client.ts";

/** What a pool's options have it call. */
interface PoolHooks {
  readonly onConnect?: ((client: pg.PoolClient) => unknown) | undefined;
  readonly verify?: ((client: pg.PoolClient, done: (error?: Error) => void) => void) | undefined;
  readonly log?: ((...messages: never[]) => void) | undefined;
}

/**
 * The same, where none of them can hold a connection, or its caller, for ever: what is done with a new connection is a part of opening it, and takes
 * no longer than is left of that; `limitMs` is asked each time, and 0 is no bound. What one throws is its call's, of `log` nobody's.
 */
export function boundHooks(hooks: object, limitMs: () => number): PoolHooks {
  const { onConnect, verify, log } = hooks as PoolHooks;
  return {
    ...(onConnect && { onConnect: (client) => within(client, { hook: "onConnect", limitMs: limitMs() }, () => onConnect(client)) }),
    ...(verify && {
      verify(client, done) {
        const answer = () => new Promise<void>((resolve, reject) => verify(client, (error) => (error ? reject(error) : resolve())));
        within(client, { hook: "verify", limitMs: limitMs() }, answer).then(
          () => done(),
          (error) => done(error ?? new Error("verify refused the connection.")),
        );
      },
    }),
    ...(log && { log: (...messages) => look(() => log(...messages), undefined) }),
  };
}

function within(
  client: pg.PoolClient,
  { hook, limitMs }: { readonly hook: string; readonly limitMs: number },
  work: () => unknown,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const giveUp = () => {
    reject(
      new ConnectionError(`Opening a connection took over ${limitMs} ms (connectTimeoutMs): ${hook} has not ended.`, {
        code: "CONNECT_TIMEOUT",
        fate: "not-sent",
        retryable: true,
      }),
    );
    // pg says goodbye first, and waits for an answer
    setImmediate(destroySocket, client);
  };
  const { openedInMs } = client as unknown as WarmClient;
  const timer = limitMs > 0 ? setTimeout(giveUp, Math.max(limitMs - openedInMs, 1)) : undefined;
  const answer = async () => await work();
  answer()
    .then(resolve, (thrown) => reject(withFateOf(thrown, "not-sent")))
    .finally(() => clearTimeout(timer));
  return promise;
}
