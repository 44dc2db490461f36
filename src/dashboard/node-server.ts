import { platformOf } from "./loopback.ts";

/** Whether the server that a request came to takes no more of them. Node's tells. */
export function isStopping(env: unknown): boolean {
  return incomingOf(env)?.socket?.server?.listening === false;
}

/**
 * Whether an answer has to say that its connection ends with it, as over Node's HTTP/1: on one that is kept a page would ask on, and keep a server
 * that is to stop from it for ever. HTTP/2 has no such header.
 */
export function endsWithConnection(env: unknown): boolean {
  return incomingOf(env)?.httpVersion?.startsWith?.("1.") === true;
}

const incomingOf = (env: unknown) => platformOf(env).incoming;
