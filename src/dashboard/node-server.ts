import { platformOf } from "./loopback.ts";

/** Whether the server that a request came to takes no more of them. Node's tells. */
export function isStopping(env: unknown): boolean {
  return incomingOf(env)?.socket?.server?.listening === false;
}

/**
 * Has a connection end with its answer, over Node's HTTP/1: on one that is kept a page would ask on, and keep a server that is to stop from it for
 * ever. So would who takes nothing more of what is written: Node cuts that off after so long, milliseconds. HTTP/2 has neither.
 */
export function endConnectionWith(answer: Response, env: unknown, silentMs: number): void {
  const incoming = incomingOf(env);
  if (incoming?.httpVersion?.startsWith?.("1.") !== true) return;
  answer.headers.set("Connection", "close");
  incoming.socket?.setTimeout?.(silentMs);
}

const incomingOf = (env: unknown) => platformOf(env).incoming;
