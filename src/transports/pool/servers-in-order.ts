import { DatabaseError } from "../../errors/database-error.ts";
import { ConnectionError, isWarmlineError, type WarmlineError } from "../../errors/errors.ts";
import { madeOf, originalOf } from "./pg-failure.ts";
import type { ServerLogin } from "./server-login.ts";
import { OTHER_SERVER } from "./session-attributes.ts";

/** Told once of what was opened, or why nothing was. */
export type Done<T> = (error: Error | undefined, opened: T | undefined) => void;

/** Where connections are opened. */
export interface ServersInOrder<T> {
  readonly servers: readonly ServerLogin[];
  /** Begins to open a connection to one of them. */
  readonly open: (server: ServerLogin, done: Done<T>) => void;
  /** Asked before the next one is tried. */
  readonly isWanted: () => boolean;
}

/** What a server says that starts, or shuts down. */
const notUp = /^57P0[1-3]$/;

/**
 * Opens a connection to the first server that can be had, as libpq does: the next is tried where one cannot be reached in time, does not answer, is
 * not up yet, or is not what `targetSessionAttrs` asks for. One that refuses a login, or whose certificate is not accepted, ends it.
 * Source: PostgreSQL documentation, "Specifying Multiple Hosts".
 */
export function openInOrder<T>({ servers, open, isWanted }: ServersInOrder<T>, done: Done<T>): void {
  const left = [...servers];
  const failures: (readonly [where: string, error: WarmlineError])[] = [];
  const next = (server: ServerLogin): void =>
    open(server, (error, opened) => {
      if (!isWarmlineError(error)) return done(error, opened);
      failures.push([`${server.host}:${server.port}`, error]);
      const { targetSessionAttrs: wanted } = server;
      if (error.code === OTHER_SERVER && wanted === "prefer-standby") left.push({ ...server, targetSessionAttrs: "any" });
      const following = goesOn(error) && isWanted() ? left.shift() : undefined;
      if (following === undefined) done(allOf(failures), undefined);
      else next(following);
    });
  next(left.shift() as ServerLogin);
}

/** The same with a promise for each. */
export function openFirst(
  servers: readonly ServerLogin[],
  { connect, isWanted }: { readonly connect: (server: ServerLogin) => Promise<unknown>; readonly isWanted: () => boolean },
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const open = (server: ServerLogin, done: Done<unknown>) => {
    connect(server).then(
      (opened) => done(undefined, opened),
      (failure) => done(failure, undefined),
    );
  };
  openInOrder({ servers, open, isWanted }, (failure, opened) => (failure === undefined ? resolve(opened) : reject(failure)));
  return promise;
}

function goesOn({ code }: WarmlineError): boolean {
  return code === "CONNECT_FAILED" || code === "CONNECT_TIMEOUT" || code === OTHER_SERVER || notUp.test(code);
}

/** What became of every server, in one error: that of the last, where it says why nothing else was tried. */
function allOf(failures: readonly (readonly [where: string, error: WarmlineError])[]): WarmlineError {
  const errors = failures.map(([, error]) => error);
  const last = errors.at(-1) as WarmlineError;
  if (errors.length === 1) return last;
  if (last instanceof DatabaseError) {
    // its class and its fields are its own
    Object.defineProperty(last, "cause", { value: new AggregateError(errors.slice(0, -1), "The hosts before"), configurable: true });
    return last;
  }
  const told = failures.map(([where, { message }]) => {
    const own = message.replace(/ Nothing was sent\.$/, "");
    return own.includes(where) ? own : `${where}: ${own}`;
  });
  const ends = !goesOn(last);
  const isOne = errors.every(({ code }) => code === last.code);
  const all = new ConnectionError(`None of the hosts can be used. ${told.join(" ")}`, {
    code: isOne || ends ? last.code : "CONNECT_FAILED",
    fate: "not-sent",
    retryable: ends ? last.retryable : errors.some(({ retryable }) => retryable),
    cause: new AggregateError(errors, "Each of them"),
  });
  return madeOf(all, originalOf(last));
}
