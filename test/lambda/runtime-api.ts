import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type ExtensionsApi, type FunctionIdentity, openExtensionsApi } from "./extensions-api.ts";
import { type FunctionError, type Reply, readError, readReply } from "./reply.ts";

/** An event on its way to the runtime. */
export interface RuntimeEvent {
  readonly requestId: string;
  /** JSON. */
  readonly body: string;
  /** When the invocation times out, by the environment's clock, milliseconds. */
  readonly deadlineAt: number;
}

/** A runtime that waits for an event. */
export interface Asker {
  give(event: RuntimeEvent): void;
}

/** What the platform does when the runtime calls. */
export interface RuntimeApiListener {
  onNext(asker: Asker): void;
  /** The runtime, or the thread that asked, is gone: no event may be given to it. */
  onGone(asker: Asker): void;
  /** Says whether the invocation was waiting for this. */
  onReply(requestId: string, reply: Reply): boolean;
  /** A piece of a reply that is still being streamed. */
  onChunk(requestId: string, chunk: Buffer): void;
  onInitError(error: FunctionError): void;
  /** An extension has finished its part of the init phase. */
  onExtensionReady(): void;
}

/** Lambda's Runtime API and Extensions API for one process, on 127.0.0.1. */
export interface RuntimeApi {
  /** `host:port`, as in `AWS_LAMBDA_RUNTIME_API`. */
  readonly address: string;
  readonly extensions: ExtensionsApi;
  /** Cuts every connection and stops listening. */
  close(): void;
}

const invocationPath = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/;

/** Starts one. It does not keep this process alive. */
export async function startRuntimeApi(identity: FunctionIdentity, listener: RuntimeApiListener): Promise<RuntimeApi> {
  const extensions = openExtensionsApi(identity, listener.onExtensionReady);
  const arn = `arn:aws:lambda:eu-central-1:123456789012:function:${identity.functionName}`;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = "" } = request;
    if (url.startsWith("/2020-01-01/extension/")) return await extensions.answer(request, response);
    if (url === "/2018-06-01/runtime/invocation/next") return wait(response, arn, listener);
    if (url === "/2018-06-01/runtime/init/error") {
      listener.onInitError(await readError(request));
      return accept(response);
    }
    const [, requestId = "", kind] = invocationPath.exec(url) ?? [];
    if (kind === undefined) return void response.writeHead(404).end();
    const reply =
      kind === "response"
        ? await readReply(request, (chunk) => listener.onChunk(requestId, chunk))
        : { error: await readError(request), body: Buffer.alloc(0), stream: undefined };
    const tooLarge = reply.error?.errorType === "Function.ResponseSizeTooLarge";
    if (!listener.onReply(requestId, reply)) return void response.writeHead(400).end('{"errorType":"InvalidRequestID"}');
    if (tooLarge) response.writeHead(413).end('{"errorType":"RequestEntityTooLarge"}');
    else accept(response);
  };

  // A runtime that was frozen for minutes finds its connections as it left them.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    // What breaks off here breaks off because the process ended, and that is told by the process.
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The Runtime API has no port.");
  return {
    address: `127.0.0.1:${address.port}`,
    extensions,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function wait(response: ServerResponse, arn: string, listener: RuntimeApiListener): void {
  const asker: Asker = {
    give({ requestId, body, deadlineAt }) {
      response.setHeader("Lambda-Runtime-Aws-Request-Id", requestId);
      response.setHeader("Lambda-Runtime-Deadline-Ms", Math.round(deadlineAt));
      response.setHeader("Lambda-Runtime-Invoked-Function-Arn", arn);
      response.setHeader("Lambda-Runtime-Trace-Id", `Root=1-00000000-${requestId.replaceAll("-", "").slice(0, 24)};Sampled=0`);
      response.setHeader("Content-Type", "application/json");
      response.end(body);
    },
  };
  response.once("close", () => listener.onGone(asker));
  listener.onNext(asker);
}

function accept(response: ServerResponse): void {
  response.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}');
}
