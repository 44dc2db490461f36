/**
 * Stands in for `rapid-client.node`, the part of AWS's runtime client that has to be compiled: the same three functions over `node:http`.
 *
 * The compiled one posts a reply before it returns. Here the reply is on its way, so that `next` waits for it, except where several invocations
 * interleave. Whether a reply was accepted is not looked at by either.
 */
import { Agent, type IncomingHttpHeaders, request } from "node:http";

/** An event as the runtime client takes it. */
export interface NextInvocation {
  readonly bodyJson: string;
  readonly headers: IncomingHttpHeaders;
}

const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/`;
const interleaves = process.env.AWS_LAMBDA_MAX_CONCURRENCY !== undefined;
// With a limit an unanswered `next` would stand before the reply that it waits for.
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
let posted: Promise<unknown> = Promise.resolve();

/** Waits for the next event. Rejects when the platform is gone. */
export async function next(): Promise<NextInvocation> {
  if (!interleaves) await posted;
  return await call("GET", "next");
}

/** Sends what the handler gave. */
export function done(requestId: string, body: string): void {
  posted = call("POST", `${requestId}/response`, body).catch(() => {});
}

/** Sends what the handler threw. */
export function error(requestId: string, body: string, _xray: string): void {
  posted = call("POST", `${requestId}/error`, body).catch(() => {});
}

function call(method: "GET" | "POST", path: string, body = ""): Promise<NextInvocation> {
  return new Promise((resolve, reject) => {
    const headers = method === "GET" ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sent = request(`${base}${path}`, { method, agent, headers }, (response) => {
      let bodyJson = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        bodyJson += text;
      });
      response.on("end", () => resolve({ bodyJson, headers: response.headers }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
