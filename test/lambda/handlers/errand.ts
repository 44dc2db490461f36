import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { threadId } from "node:worker_threads";
import { CRASHES_AFTER_MS } from "./crash.ts";

/** What the handler is asked to do. */
export type Errand =
  | { readonly do: "look" }
  | { readonly do: "count-ticks" }
  | { readonly do: "throw"; readonly message: string }
  | { readonly do: "exit"; readonly code: number }
  | { readonly do: "crash-later" }
  | { readonly do: "hang" }
  | { readonly do: "reply"; readonly bytes: number }
  | { readonly do: "meet"; readonly url: string };

/** What a look shows. */
export interface Look {
  readonly pid: number;
  readonly threadId: number;
  readonly invocations: number;
  readonly now: number;
  readonly date: string;
  readonly written: string;
  readonly monotonicMs: number;
  readonly remainingMs: number;
  readonly requestId: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Context {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

if (process.env.INIT_FAILS !== undefined) throw new RangeError(process.env.INIT_FAILS);
if (process.env.INIT_EXITS !== undefined) process.exit(Number(process.env.INIT_EXITS));
if (process.env.EXTENSION !== undefined) await registerExtension(process.env.EXTENSION);

let invocations = 0;
let ticks = 0;

export async function handler(errand: Errand, context: Context): Promise<unknown> {
  invocations += 1;
  switch (errand.do) {
    case "look":
      return look(context);
    case "count-ticks": {
      const before = ticks;
      if (invocations === 1) setInterval(() => (ticks += 1), 5);
      return before;
    }
    case "throw":
      throw new RangeError(errand.message);
    case "exit":
      return process.exit(errand.code);
    case "crash-later":
      crashAfter(Date.now() + CRASHES_AFTER_MS);
      return "fine so far";
    case "hang":
      return await delay(60_000);
    case "reply":
      return "x".repeat(errand.bytes - 2);
    case "meet":
      return await meet(errand.url, context.awsRequestId);
  }
}

/** By the wall clock, which jumps in a freeze: so it is what the process wakes up to. */
function crashAfter(time: number): void {
  setInterval(() => {
    if (Date.now() > time) Promise.reject(new Error("nobody listens"));
  }, 5);
}

function look(context: Context): Look {
  return {
    pid: process.pid,
    threadId,
    invocations,
    now: Date.now(),
    date: new Date().toISOString(),
    written: Date(),
    monotonicMs: performance.now(),
    remainingMs: context.getRemainingTimeInMillis(),
    requestId: context.awsRequestId,
    env: { ...process.env },
  };
}

/** Asks somebody outside, who answers when it suits them. */
function meet(url: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: "POST", agent: false }, async (response: IncomingMessage) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve(text);
    });
    asked.on("error", reject).end(body);
  });
}

async function registerExtension(events: string): Promise<void> {
  const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension`;
  const answer = await fetch(`${api}/register`, {
    method: "POST",
    headers: { "Lambda-Extension-Name": "errand" },
    body: JSON.stringify({ events: JSON.parse(events) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  const id = answer.headers.get("lambda-extension-identifier") ?? "";
  fetch(`${api}/event/next`, { headers: { "Lambda-Extension-Identifier": id } }).catch(() => {});
  process.on("SIGTERM", () => {
    console.log("told to end");
    if (process.env.STUBBORN === undefined) process.exit(0);
  });
}
