import { platformOf } from "./loopback.ts";

/** Whether the server that a request came to takes no more of them. Node's tells. */
export function isStopping(env: unknown): boolean {
  return incomingOf(env)?.socket?.server?.listening === false;
}

/**
 * What an answer over Node's HTTP/1 has to say, so that its connection ends with it: on one that is kept a page would ask on, and keep a server
 * that is to stop from it for ever. HTTP/2 has no such header.
 */
export function endingHeaders(env: unknown): Readonly<Record<string, string>> {
  return incomingOf(env)?.httpVersion?.startsWith?.("1.") ? { Connection: "close" } : {};
}

const incomingOf = (env: unknown) => platformOf(env).incoming;
