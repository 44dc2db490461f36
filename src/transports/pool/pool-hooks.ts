import type pg from "pg";
import { ConnectionError } from "../../errors/errors.ts";
import { look } from "../../errors/look.ts";
import { destroySocket } from "./client-state.ts";
import { withFateOf } from "./pg-failure.ts";
import type { WarmClient } from "./warm-client.ts";

/** A pool's options, which pg-pool calls its hooks on, and which have the limits of the moment. */
interface HookedOptions {
  readonly connectTimeoutMillis?: number;
}

/** What a pool's options have it call. */
interface PoolHooks {
  readonly onConnect?: (this: HookedOptions | undefined, client: pg.ClientBase) => unknown;
  readonly verify?: (this: HookedOptions | undefined, client: pg.ClientBase, done: (error?: Error) => void) => void;
  readonly log?: (...messages: unknown[]) => void;
}

/**
 * The hooks among a pool's options, where none of them can hold a connection, or its caller, for ever: what is done with a new connection is a part
 * of opening it, and takes no longer than is left of that. What one throws is its call's, of `log` nobody's.
 */
export function boundHooks(options: object): PoolHooks {
  const { onConnect, verify, log } = options as { readonly [Name in keyof PoolHooks]: (...given: readonly unknown[]) => unknown };
  return {
    ...(onConnect && {
      onConnect(client) {
        return within(client, { hook: "onConnect", limitMs: this?.connectTimeoutMillis }, () => onConnect(client));
      },
    }),
    ...(verify && {
      verify(client, done) {
        const answer = () =>
          new Promise<void>((resolve, reject) => void verify(client, (error: unknown) => (error ? reject(error) : resolve())));
        within(client, { hook: "verify", limitMs: this?.connectTimeoutMillis }, answer).then(
          () => done(),
          (error) => done(error ?? new Error("verify refused the connection.")),
        );
      },
    }),
    ...(log && { log: (...messages) => void look(() => log(...messages), undefined) }),
  };
}

function within(
  client: pg.ClientBase,
  { hook, limitMs = 0 }: { readonly hook: string; readonly limitMs: number | undefined },
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
