import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Wire } from "./wire.ts";

/** What a reader saw of a long answer that it read slowly, and what was asked of the server meanwhile. */
export interface SlowReading {
  readonly status: number | undefined;
  readonly contentType: string | undefined;
  /** Batches that were asked for by the time nothing went on any more, while the reader read nothing. */
  readonly batchesWhileStopped: number;
  /** Whole lines of the answer. */
  readonly lines: number;
}

/** For so long nothing may happen before it is believed that nothing will, milliseconds. */
const QUIET_MS = 750;

/** Asks for an answer, reads its first bytes, stops until the server is asked for nothing more, and reads the rest. */
export async function readSlowly(url: URL | string, wire: Wire): Promise<SlowReading> {
  let batches = 0;
  const stop = wire.onMessage(({ from, type }) => {
    if (from === "server" && type === "s") batches++;
  });
  try {
    const response = await begin(url);
    await once(response, "readable");
    for (let seen = -1; seen !== batches; ) {
      seen = batches;
      await delay(QUIET_MS);
    }
    const batchesWhileStopped = batches;
    let lines = 0;
    for await (const chunk of response) for (const byte of chunk as Buffer) if (byte === 10) lines++;
    return { status: response.statusCode, contentType: response.headers["content-type"], batchesWhileStopped, lines };
  } finally {
    stop();
  }
}

/** Asks for an answer, and goes away once its first bytes are there. */
export async function leaveEarly(url: URL | string): Promise<void> {
  const response = await begin(url);
  await once(response, "readable");
  response.destroy();
}

async function begin(url: URL | string): Promise<IncomingMessage> {
  const request = get(url, { agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}
